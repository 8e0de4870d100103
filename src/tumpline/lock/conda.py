"""An ``environment.yml`` for people who have conda: its Python and pip, and everything else from the index."""

from __future__ import annotations

import json
from pathlib import Path

from tumpline.lock.export import Export, Rows, minor_of, pythons_of
from tumpline.lock.requirements import requirement_of

__all__ = ["export_conda"]


def export_conda(rows: Rows, folder: Path, name: str, *, tildes: bool = False) -> Export:
    """Return the environment as YAML; `name` is the environment's.

    conda calls many packages otherwise and has others of the same name, so only Python and pip are taken from it, and
    what was locked stands in its list for pip, where names and versions mean what they mean here.
    """
    python = minor_of(rows.targets[0]) if len(rows.targets) == 1 else ""
    lines = [f"# {line}" for line in rows.head]
    lines += [f"name: {_quoted(name)}", "channels:", "  - conda-forge", "dependencies:"]
    lines += [f"  - {_quoted(f'python={python}' if python else f'python{pythons_of(rows.targets)}')}", "  - pip"]
    if rows.rows:
        lines.append("  - pip:")
    lines += [f"      - {_quoted(requirement_of(row, folder, tildes=tildes))}" for row in rows.rows]
    return Export("".join(f"{line}\n" for line in lines), rows.left_out, rows.remarks)


def _quoted(text: str) -> str:
    # A JSON string is a YAML string: no version is taken for a number, and no marker for a comment.
    return json.dumps(text)
