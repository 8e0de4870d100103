"""A cache that any number of processes share, kept within a size: what was used longest ago goes first.

No locks (R20). A file's time is when it was last used. A command that uses the cache leaves a note in ``in-use`` while
it runs; what was used since the oldest note was left stays, so that nobody's file goes between being found and being
installed.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tumpline.errors import InputError

__all__ = ["BOUNDED", "USUAL_LIMIT", "CacheUse", "KeptFile", "files_below", "oldest", "parse_size", "remove_files"]

USUAL_LIMIT = 20 * 10**9
"""Bytes: a few environments with torch and its libraries."""

BOUNDED = ("index", "sources", "built")
"""The folders of a cache that are kept within the limit: all that is fetched or built again when it is needed."""

_NOTES = "in-use"
_ABANDONED = 86400.0
"""Seconds after which a note counts as left behind by a process that was killed."""

_PARTIAL = "partial"
"""Folders of files that are being fetched; the downloads clean up there themselves."""

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class KeptFile(NamedTuple):
    """A file of a cache: `size` in bytes, `used` in seconds since the epoch."""

    path: Path
    size: int
    used: float


class CacheUse:
    """What one command does with a cache; a context manager, used from any number of threads.

    `limit` is in bytes, None for none. Without `notes` nobody learns what is in use. Where the cache can not be read or
    written nothing is raised.
    """

    def __init__(self, folder: Path, limit: int | None, *, notes: bool = True) -> None:
        self.folder = folder
        self.limit = limit
        self._notes = notes
        self._guard = threading.Lock()
        self._note: Path | None = None
        self._size: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def has(self, path: Path) -> bool:
        """Whether a file is there; from now on it counts as used, and stays until the command ends."""
        self._leave_note()
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except OSError:
            pass  # another's file, or a file system that is read-only
        try:
            return stat.S_ISREG(path.lstat().st_mode)
        except OSError:
            return False

    def make_room(self, size: int) -> None:
        """Say that so many bytes will be written, and remove what was used longest ago until they fit, if they can."""
        self._leave_note()
        if self.limit is None:
            return
        with self._guard:
            if self._size is None:
                self._size = sum(file.size for file in _bounded(self.folder))
            self._size += size
            if self._size > self.limit:
                self._size -= self._shrink(self._size - self.limit)

    def close(self) -> None:
        """Take the note away; then also what this command used counts like everything else."""
        with self._guard:
            if self._note is not None:
                with suppress(OSError):
                    self._note.unlink(missing_ok=True)
                self._note = None
            if self._size is not None and self.limit is not None:
                # Counted anew: others wrote as well, and not everything that was announced was written.
                self._size = sum(file.size for file in _bounded(self.folder))
                self._shrink(self._size - self.limit)
                self._size = None

    def _shrink(self, excess: int) -> int:
        """Remove files of so many bytes or more, as far as nobody uses them; return how many bytes that were."""
        if excess <= 0:
            return 0
        since = self.in_use_since()
        return remove_files(oldest([file for file in _bounded(self.folder) if file.used < since], excess))

    def in_use_since(self) -> float:
        """Return since when files that were used are in use: when the oldest command that still runs began."""
        since = float("inf")
        with suppress(OSError):
            for note in (self.folder / _NOTES).iterdir():
                with suppress(OSError):
                    left = note.stat().st_mtime
                    if time.time() - left > _ABANDONED:
                        note.unlink(missing_ok=True)
                    else:
                        since = min(since, left)
        return since

    def _leave_note(self) -> None:
        if self._note is not None or not self._notes:
            return
        with self._guard:
            if self._note is None:
                self._note = self.folder / _NOTES / f"{os.getpid()}-{os.urandom(4).hex()}"
                with suppress(OSError):
                    self._note.parent.mkdir(parents=True, exist_ok=True)
                    self._note.touch()


def files_below(folder: Path) -> Iterator[KeptFile]:
    """Yield the regular files below a folder; no link is followed, and what can not be read is passed over."""
    for place, _, files in os.walk(folder):
        for file in files:
            path = Path(place, file)
            try:
                status = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield KeptFile(path, status.st_size, status.st_mtime)


def oldest(files: Sequence[KeptFile], size: int) -> list[KeptFile]:
    """Return the files that were used longest ago, as few as have that many bytes together."""
    chosen: list[KeptFile] = []
    for file in sorted(files, key=lambda file: (file.used, file.path)):
        if size <= 0:
            break
        chosen.append(file)
        size -= file.size
    return chosen


def remove_files(files: Sequence[KeptFile]) -> int:
    """Remove files, and the folders that are empty then; return how many bytes are free by that."""
    freed = 0
    for file in files:
        with suppress(OSError):
            file.path.unlink()
            freed += file.size
            # Two levels: by the first digits of a digest, and by the digest.
            file.path.parent.rmdir()
            file.path.parent.parent.rmdir()
    return freed


def parse_size(text: str, where: str) -> int | None:
    """Return a size in bytes: ``20 GB``, ``500MiB``, ``1000``; None for ``unlimited``.

    Raises InputError ``bad-size``, which names `where` it stands.
    """
    if text.strip().lower() == "unlimited":
        return None
    if (found := _SIZE.fullmatch(text.strip())) is None:
        raise InputError.of(
            "bad-size", f"{text!r} is no size", where=where, hint="write for example 20GB, 500MiB or unlimited"
        )
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** _UNITS[unit.lower()])


def _bounded(folder: Path) -> Iterator[KeptFile]:
    for name in BOUNDED:
        yield from (file for file in files_below(folder / name) if file.path.parent.name != _PARTIAL)
