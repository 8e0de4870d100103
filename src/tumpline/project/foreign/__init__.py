"""Lists of packages that other tools and people have made: one small module for each form, one value for all.

`read.read_foreign` finds out which form a file has. Nothing is dropped: each line or entry of a file is a `Row`.
"""

from tumpline.project.foreign.model import Foreign, Form, Row, RowKind

__all__ = ["Foreign", "Form", "Row", "RowKind"]
