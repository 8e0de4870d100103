"""A list of packages that another tool, or a person, has made: as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.errors import Problem
    from tumpline.values import Name

__all__ = ["Foreign", "Form", "Row", "RowKind"]

Form = Literal["requirements", "pip-list", "conda", "conda-list", "uv-lock", "poetry-lock", "pylock"]
"""What kind of file it is; ``conda`` is an environment.yml, ``conda-list`` what ``conda list --export`` prints."""

RowKind = Literal[
    "package",
    "module",
    "constraint",
    "folder",
    "conda",
    "python",
    "option",
    "include",
    "heading",
    "refused",
    "not-looked-at",
]
"""What a row is: a package that may be carried over, or why there is none in it.

``module``: a module had brought it; ``conda``: only conda has it; ``python``: the version of Python; ``folder``: a
folder to install from; ``heading``: what only orders the file.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line or entry of the file: nothing that stands in it is without one.

    `origin` is ``old.txt:12``, `written` the text there. `requirement` is set for packages and constraints, with the
    site's local version dropped (R1); `why` says what was read otherwise than it is written, or why the row is no
    package, and `hint` what to do. `asked` is what the file itself says of the package - that the project asks for
    it, or that something else does - and None where it does not say; `needs` are the names that it says the package
    needs, None where it does not say. `group` is the group of the project that asks for it. `path` is where a module
    was built; `site_local` says that the version was the site's own.
    """

    origin: str
    written: str
    kind: RowKind
    requirement: Requirement | None = None
    name: Name | None = None
    why: str = ""
    hint: str = ""
    asked: bool | None = None
    needs: tuple[Name, ...] | None = None
    group: str = ""
    path: Path | None = None
    site_local: bool = False
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """A file as read. `notes` concern it as a whole; `python` is the version or range of Python that it names."""

    path: Path
    form: Form
    rows: tuple[Row, ...]
    notes: tuple[Problem, ...] = ()
    python: str = ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was refused, row by row."""
        return tuple(row.problem for row in self.rows if row.problem is not None)
