"""The rows of a wheel's RECORD, held against the files that the wheel has (R17)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tumpline.errors import InputError

__all__ = ["Row", "read_rows"]

_ALGORITHMS = {"sha256": 43, "sha384": 64, "sha512": 86}
"""Algorithm -> length of its digest as RECORD spells it; the specification asks for sha256 or better."""

_DIGEST = re.compile(r"[A-Za-z0-9_-]+\Z")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """What RECORD says of one file: `digest` is urlsafe base64 without padding; `size` in bytes, or None."""

    algorithm: str
    digest: str
    size: int | None


def read_rows(file: str, folder: str, content: bytes, sizes: Mapping[str, int]) -> dict[str, Row]:
    """Read RECORD and return a row for every file of the wheel that one is due for.

    `folder` is the dist-info folder and `sizes` the unpacked size of each file in the archive. RECORD itself and its
    signatures (``RECORD.jws``, ``RECORD.p7s``) need no row, as the specification says; every other file needs a good
    one, and every row a file. Raises InputError ``bad-record``, which names the first few offenders.
    """
    exempt = {f"{folder}/RECORD", f"{folder}/RECORD.jws", f"{folder}/RECORD.p7s"}
    try:
        listed = list(csv.reader(content.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad(file, f"RECORD can not be read: {error}") from error
    rows: dict[str, Row] = {}
    wrong: list[str] = []
    for fields in listed:
        if not fields:
            continue
        # Wheels built on Windows by old tools have backslashes here and slashes in the archive.
        path = fields[0].replace("\\", "/")
        if path in exempt:
            continue
        row = _row(fields)
        if isinstance(row, str):
            wrong.append(f"{path!a} {row}")
        elif path in rows:
            wrong.append(f"{path!a} is listed twice")
        elif path in sizes and row.size not in (None, sizes[path]):
            wrong.append(f"{path!a} has {sizes[path]} bytes, RECORD says {row.size}")
        else:
            rows[path] = row
    if not wrong:
        wrong = [f"{path!a} is listed and not there" for path in sorted(rows.keys() - sizes.keys())]
        wrong += [f"{path!a} is there and not listed" for path in sorted(sizes.keys() - rows.keys() - exempt)]
    if wrong:
        more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        raise _bad(file, "\n".join([*wrong[:_SHOWN], *more]))
    return rows


def _row(fields: list[str]) -> Row | str:
    if len(fields) != 3:
        return "has a row that is not path, digest, size"
    algorithm, _, digest = fields[1].partition("=")
    if algorithm not in _ALGORITHMS:
        return "has no digest of an accepted kind (sha256 or better)"
    digest = digest.rstrip("=")
    if len(digest) != _ALGORITHMS[algorithm] or not _DIGEST.match(digest):
        return "has a digest that is none"
    if fields[2] and not (fields[2].isascii() and fields[2].isdigit() and len(fields[2]) < 19):
        return "has a size that is no number"
    return Row(algorithm, digest, int(fields[2]) if fields[2] else None)


def _bad(file: str, why: str) -> InputError:
    return InputError.of(
        "bad-record",
        "the wheel and its RECORD disagree",
        where=file,
        why=why,
        hint="get the wheel again from where it was built; if it is the same there, tell whoever provides it",
    )
