"""``tumpline.lock``: written with the same bytes for the same lock (R14), read back without loss.

The file is sealed by a digest of its own text, in its last table. It tells of accidents - an edit by hand, a merge,
a copy that broke off - and proves nothing about who wrote the file; `tumpline.lock.parse` does not trust it.
"""

from __future__ import annotations

import errno
import hashlib
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.host.files import write_atomically
from tumpline.lock.document import BLOCKS, document_of
from tumpline.lock.model import Lock
from tumpline.lock.parse import parse_document
from tumpline.lock.toml import Value, render

__all__ = ["LOCK_NAME", "LOCK_VERSION", "parse_lock", "read_lock", "render_lock", "write_lock"]

LOCK_NAME = "tumpline.lock"
LOCK_VERSION = 1

_LARGEST = 32 * 2**20
"""In bytes; a lock of 10 targets and 1,000 packages is a tenth of that."""

_HEAD = f"""\
# What this project installs on each of its targets, chosen for all of them together by tumpline.
# Do not edit: change pyproject.toml, then run "tumpline lock". Commit this file.
lock-version = "{LOCK_VERSION}"
tool = "tumpline"
"""
_SEAL = re.compile(r'\n\[integrity\]\nsha256 = "([0-9a-f]{64})"\Z')
_VERSION = re.compile(r'^lock-version = "([0-9]{1,9})[^"\n]*"$', re.MULTILINE)
_CONFLICT = re.compile(r"^(<<<<<<< |>>>>>>> )", re.MULTILINE)
_AGAIN = "restore the file from version control, or make it anew: tumpline lock"


def render_lock(lock: Lock) -> str:
    """Return the lock as text: lines end with ``\\n``, the last line too."""
    return _sealed(document_of(lock))


def write_lock(path: Path, lock: Lock) -> None:
    """Write the lock so that a reader sees the old file or the new one.

    Raises EnvironmentFailure ``cannot-write``, and InputError ``lock-damaged`` where `read_lock` would refuse the
    result (a hostile index can name its files as it likes); the old file is then left as it was.
    """
    document = document_of(lock)
    parse_document(document, str(path))
    write_atomically(path, _sealed(document).encode())


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises InputError ``no-lock``, ``lock-damaged``, ``lock-edited`` or ``lock-too-new``, and EnvironmentFailure
    ``cannot-read``. Reads no more than 32 MiB.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            # A pipe or a device could block for ever, or never end.
            raise OSError(errno.EINVAL, "it is not a file")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise InputError.of(
            "no-lock", f"there is no {path.name}", where=str(path), hint="make one: tumpline lock"
        ) from error
    except OSError as error:
        raise EnvironmentFailure.of(
            "cannot-read",
            f"cannot read {path.name}",
            where=str(path),
            why=error.strerror or str(error),
            hint="check that it is a file and that you may read it",
        ) from error
    if len(content) > _LARGEST:
        raise _damaged(path, f"the file is larger than {_LARGEST // 2**20} MiB, which no lock is")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _damaged(path, f"it is not UTF-8: byte {error.start} can not be read") from error
    return parse_lock(text, str(path))


def parse_lock(text: str, where: str) -> Lock:
    """Read a lock from its text; `where` names it in complaints. Raises as `read_lock` does.

    Line ends may have become ``\\r\\n`` and the last one may be missing: version control and editors do that.
    """
    text = text.replace("\r\n", "\n").rstrip()
    if _CONFLICT.search(text):
        raise InputError.of(
            "lock-damaged",
            "the lock holds the marks of a merge conflict",
            where=where,
            hint="take either side of the conflict whole, then run: tumpline lock",
        )
    _check_version(text, where)
    seal = _SEAL.search(text)
    if seal is None:
        raise _damaged(where, "its end, which holds its digest, is missing: the file was cut off")
    if seal[1] != _digest(text[: seal.start()]):
        raise InputError.of(
            "lock-edited",
            "the lock was changed after it was written",
            where=where,
            why="its content does not match the digest at its end",
            hint="undo the change, or put it into pyproject.toml and run: tumpline lock",
        )
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: an integer of more digits than Python converts is a plain ValueError.
        raise _damaged(where, f"it is not TOML: {error}") from error
    return parse_document(document, where)


def _sealed(document: Mapping[str, Value]) -> str:
    text = f"{_HEAD}{render(document, BLOCKS)}"
    return f'{text}\n[integrity]\nsha256 = "{_digest(text)}"\n'


def _check_version(text: str, where: str) -> None:
    version = _VERSION.search(text)
    if version is None:
        raise _damaged(where, "it does not say its lock-version")
    if int(version[1]) > LOCK_VERSION:
        raise InputError.of(
            "lock-too-new",
            f"the lock was written by a newer tumpline (lock-version {version[1]})",
            where=where,
            why=f"this tumpline reads lock-version {LOCK_VERSION}",
            hint="install a newer tumpline, or remove the file and make it anew with this one: tumpline lock",
        )
    if int(version[1]) < LOCK_VERSION:
        raise _damaged(where, f"there never was a lock-version {version[1]}")


def _damaged(where: str | Path, why: str) -> TumplineError:
    return InputError.of("lock-damaged", "the lock can not be read", where=str(where), why=why, hint=_AGAIN)


def _digest(text: str) -> str:
    # The text without white space at its end, so that a reader may find it in spite of what editors do there.
    return hashlib.sha256(text.rstrip().encode()).hexdigest()
