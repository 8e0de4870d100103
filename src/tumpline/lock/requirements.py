"""Requirements files and constraints, for pip of any age and for people elsewhere."""

from __future__ import annotations

from pathlib import Path

from tumpline.lock.export import Export, Row, Rows, address_of, sha256_of
from tumpline.lock.toml import comment
from tumpline.project.tilde import tilde
from tumpline.values import parse_version

__all__ = ["export_constraints", "export_requirements", "requirement_of"]


def export_requirements(rows: Rows, folder: Path, *, tildes: bool = False, anywhere: bool = False) -> Export:
    """Return ``name==version`` lines, by name; ``name @ address`` for what is taken by address.

    `folder` is the project's, for the addresses of paths. With `tildes` the lines are ``name~=version``. Hashes are
    written where every line has one, since pip takes a file with some hashes for a file that must have all
    (``--require-hashes``); not `anywhere`, where pip would need other files than those locked, nor with `tildes`.
    """
    hashed = not (tildes or anywhere) and all(sha256_of(row.artefact) for row in rows.rows)
    lines = [comment(line) for line in rows.head]
    for row in rows.rows:
        line = requirement_of(row, folder, tildes=tildes)
        lines.append(f"{line} \\\n    --hash=sha256:{sha256_of(row.artefact)}" if hashed else line)
    some_hashed = not (tildes or anywhere) and any(sha256_of(row.artefact) for row in rows.rows)
    lacking = ("hashes are left out, since not every package has one",) if some_hashed and not hashed else ()
    return Export("".join(f"{line}\n" for line in lines), rows.left_out, (*rows.remarks, *lacking))


def export_constraints(rows: Rows) -> Export:
    """Return ``name==version`` lines for ``pip install -c``: they limit what is installed, and ask for nothing.

    What is taken by address is left out, since pip refuses another address of the same package then.
    """
    addressed = [row.name for row in rows.rows if address_of(row.artefact, Path())]
    lines = [comment(line) for line in rows.head]
    lines += [requirement_of(row, Path()) for row in rows.rows if row.name not in addressed]
    told = (f"left out, since they are taken by address: {', '.join(addressed)}",) if addressed else ()
    return Export("".join(f"{line}\n" for line in lines), rows.left_out, (*rows.remarks, *told))


def requirement_of(row: Row, folder: Path, *, tildes: bool = False) -> str:
    """Return the line of a row, without hashes."""
    if address := address_of(row.artefact, folder):
        line = f"{row.name} @ {address}"
    elif tildes:
        line = f"{row.name}{tilde(parse_version(row.version))}"
    else:
        line = f"{row.name}=={row.version}"
    return f"{line} ; {row.marker}" if row.marker else line
