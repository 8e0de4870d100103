"""The process that reads files of an environment and says which do not have the digest that RECORD states."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from tumpline.environment.serving import work
from tumpline.host.reading import patience

__all__ = ["Checked", "WrongKind", "check_files", "main"]

WrongKind = Literal["changed", "missing", "unreadable"]

_PIECE = 2**20
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A link would lead to who knows where, and a pipe be waited at for ever."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, files and bytes, and what of it is wrong: path, how, and more about it, which may be empty."""

    files: int
    size: int
    wrong: list[tuple[str, WrongKind, str]]


def check_files(root: str, rows: Iterable[tuple[str, list[tuple[str, str]]]]) -> Checked:
    """Read files, and hold each against its rows (algorithm, digest), of which one has to fit."""
    files = total = 0
    wrong: list[tuple[str, WrongKind, str]] = []
    for path, claims in rows:
        try:
            digests = {algorithm: _ALGORITHMS[algorithm]() for algorithm, _ in claims}
        except KeyError:
            wrong.append((path, "unreadable", f"RECORD states a digest of an unknown kind, {claims[0][0]!a}"))
            continue
        try:
            size = _read(f"{root}/{path}", [*digests.values()])
        except (FileNotFoundError, NotADirectoryError):
            wrong.append((path, "missing", ""))
            continue
        except OSError as error:
            wrong.append((path, "unreadable", error.strerror or str(error)))
            continue
        files += 1
        total += size
        if not any(_spell(digests[algorithm].digest()) == digest for algorithm, digest in claims):
            wrong.append((path, "changed", f"it has {size} bytes"))
    return Checked(files, total, wrong)


def main() -> None:
    """Check files."""
    work(lambda question: asdict(check_files(question["root"], question["rows"])))


_ALGORITHMS = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512, "md5": hashlib.md5}
"""What RECORDs have, md5 in those of very old wheels that another program installed."""

_buffer = memoryview(bytearray(_PIECE))


def _read(path: str, digests: list[hashlib._Hash]) -> int:
    size = 0
    descriptor = patience.retry(lambda: os.open(path, _READ))
    try:
        while count := patience.retry(lambda: os.readv(descriptor, [_buffer])):
            size += count
            for digest in digests:
                digest.update(_buffer[:count])
    finally:
        os.close(descriptor)
    return size


def _spell(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
