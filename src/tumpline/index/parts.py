"""A file while it arrives, and what is left of it when that stops half-way."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.folders import host_name
from tumpline.index.model import IndexFile

__all__ = ["Part", "Progress", "sweep"]

Progress = Callable[[int], None]
"""Told how many bytes arrived since it was last told; a negative number takes back what has to be fetched again."""

_PIECE = 1 << 20
_ABANDONED = 86400.0
"""After how many seconds a half-fetched file is of no use any more: who fetches it again would have done so."""

_IDLE = 600.0
"""After how many seconds without a byte another machine's process counts as gone."""


class Part:
    """A file while it arrives, under a name of its own, so that processes fetching the same file do not meet.

    It begins with what an earlier process left of the same file, if that process is gone.
    """

    def __init__(self, folder: Path, file: IndexFile, progress: Progress | None) -> None:
        self._progress = progress
        # Without a hash nobody can tell whether what is there belongs to the same file.
        stem = f"{file.sha256[:32] or 'unknown'}."
        self._path = folder / f"{stem}{_machine()}.{os.getpid()}-{os.urandom(4).hex()}"
        self._worth_keeping = bool(file.sha256)
        self._hash = hashlib.sha256()
        self.size = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if self._worth_keeping:
                _take_over(folder, stem, self._path)
            self._stream = self._path.open("a+b", buffering=0)  # a failure to write shows at once
            self._stream.seek(0)
            self._inherited = os.fstat(self._stream.fileno()).st_size > 0
            while piece := self._stream.read(_PIECE):
                self._hash.update(piece)
                self._tell(len(piece))
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def headers(self) -> Mapping[str, str]:
        """Return the request headers: after a broken connection, only for the bytes that are missing."""
        headers = {"Accept-Encoding": "identity"}
        if self.size:
            headers["Range"] = f"bytes={self.size}-"
        return headers

    def write(self, chunk: bytes) -> None:
        """Add what arrived; raises EnvironmentFailure ``cannot-write``."""
        try:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._stream.write(rest) or 0 :]
        except OSError as error:
            self._worth_keeping = False
            raise _cannot_write(self._path, error) from error
        self._hash.update(chunk)
        self._tell(len(chunk))

    def restart(self) -> None:
        """Begin anew."""
        self._stream.seek(0)
        self._stream.truncate()
        self._hash = hashlib.sha256()
        self._inherited = False
        self._tell(-self.size)

    def digest(self) -> str:
        """Return the sha256 of what has arrived."""
        return self._hash.hexdigest()

    def finish(self, target: Path) -> None:
        """Put the whole file in its place; raises EnvironmentFailure ``cannot-write``."""
        try:
            os.fsync(self._stream.fileno())
            self._stream.close()
            for last in (False, True):
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._path.replace(target)
                    return
                except FileNotFoundError:
                    # Whoever cleans up may have removed the folder, which was empty, in this very moment.
                    if last:
                        raise
        except OSError as error:
            self._worth_keeping = False
            raise _cannot_write(target, error) from error

    def close(self) -> None:
        """Leave what has arrived to whoever fetches the file next, if it is of use; nothing is left once finished."""
        self._stream.close()
        if not self._worth_keeping or not self.size:
            self._path.unlink(missing_ok=True)

    def refuse(self) -> None:
        """Say that what has arrived is wrong; raises TryAgain where that may be an earlier process's fault."""
        if self._inherited:
            from tumpline.index.transport import TryAgain

            self.restart()
            raise TryAgain
        self._worth_keeping = False

    def _tell(self, amount: int) -> None:
        self.size += amount
        if self._progress and amount:
            self._progress(amount)


def _take_over(folder: Path, stem: str, path: Path) -> None:
    """Rename the largest part of a file that nobody writes to any more, if there is one, to a name of one's own.

    Of several processes that try, the rename lets one succeed.
    """
    left: list[tuple[int, Path]] = []
    for found in folder.glob(f"{stem}*"):
        try:
            status = found.lstat()
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode) and not _is_written_to(found.name, status.st_mtime):
            left.append((status.st_size, found))
    for _, found in sorted(left, reverse=True):
        try:
            found.replace(path)
        except OSError:
            continue
        return


def _is_written_to(name: str, changed: float) -> bool:
    """Whether the process that a part's name tells of still fetches it, as far as can be told."""
    machine, _, rest = name.partition(".")[2].partition(".")
    pid = rest.partition("-")[0]
    if machine != _machine() or not pid.isdecimal() or os.name == "nt":
        # Processes elsewhere can not be looked at; and on Windows, signal 0 is not a question but an interrupt.
        return time.time() - changed < _IDLE
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass
    return True


@cache
def _machine() -> str:
    """Return a short name for this machine, which several of one file system do not share."""
    return hashlib.sha256(host_name().encode("utf-8", "surrogateescape")).hexdigest()[:12]


def sweep(folder: Path) -> None:
    """Delete what killed processes left behind long ago."""
    try:
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)
    except OSError:
        return


def _cannot_write(path: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-write",
        f"cannot write {path.name}",
        where=str(path.parent),
        why=error.strerror or str(error),
        hint="check that the folder is writable and has space left, or choose another one: with TUMPLINE_CACHE, "
        "for a stage with --stage",
    )
