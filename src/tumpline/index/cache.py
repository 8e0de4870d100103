"""Files that can be fetched again, kept on disk for any number of processes at once.

No locks: a file appears whole, by renaming, and carries checksums, so that a damaged one is recognised and counts as
absent. A cache that cannot be written is no error: everything is then fetched each time.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cache", "Entry"]

_MAGIC = b"tumpline-cache-1"
_MARK = len(_MAGIC) + 1 + 8 + 1 + 10 + 1 + 12 + 1
_SUM = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """The head of a stored file; `mark` tells whether a part read later belongs to the same file."""

    head: bytes
    mark: bytes


class Cache:
    """A folder of checksummed files, named by relative paths such as ``pages/default/numpy``.

    A file has a head, which is read at once, and may have parts, of which one at a time is read later. Its first line
    is the mark: format, checksum of the head, length of the head, length of all; before each part is its own checksum.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> Entry | None:
        """Return what was stored, or None where nothing is or where it is damaged or cut short."""
        try:
            with (self.folder / path).open("rb", buffering=0) as stream:
                size = os.fstat(stream.fileno()).st_size
                start = stream.read(1 << 15)
                mark = start[:_MARK]
                magic, checksum, length, whole = mark.split()
                missing = _MARK + int(length) - len(start)
                head = start[_MARK:] + stream.read(missing) if missing > 0 else start[_MARK : _MARK + int(length)]
        except (OSError, ValueError):
            return None
        sound = magic == _MAGIC and size == int(whole) and checksum == b"%08x" % zlib.adler32(head)
        return Entry(head, mark) if sound else None

    def part(self, path: str, mark: bytes, offset: int, length: int) -> bytes | None:
        """Return a part at that place behind the head; None where the file was replaced, deleted or damaged since."""
        try:
            with (self.folder / path).open("rb", buffering=0) as stream:
                if stream.read(_MARK) != mark:
                    return None
                stream.seek(_MARK + int(mark.split()[2]) + offset)
                content = stream.read(length)
        except OSError:
            return None
        part = content[_SUM:]
        return part if content[:_SUM] == b"%08x " % zlib.adler32(part) else None

    def written_at(self, path: str) -> float:
        """Return when the file was stored or last confirmed, in seconds of the clock that `write` was given."""
        try:
            return (self.folder / path).stat().st_mtime
        except OSError:
            return 0.0

    def write(self, path: str, head: bytes, now: float, parts: bytes = b"") -> None:
        """Store a file; `parts` are those of `framed`, in a row. Not being able to is no error."""
        target = self.folder / path
        scratch = target.with_name(f".{target.name[:64]}.{os.getpid()}-{os.urandom(4).hex()}")
        mark = b"%s %08x %010d %012d\n" % (_MAGIC, zlib.adler32(head), len(head), _MARK + len(head) + len(parts))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Not flushed to the disk, unlike the user's own files: the checksums find what a crash leaves behind.
                scratch.write_bytes(mark + head + parts)
                os.utime(scratch, (now, now))
                scratch.replace(target)
            finally:
                scratch.unlink(missing_ok=True)
        except OSError:
            return

    def confirm(self, path: str, now: float) -> None:
        """Say that what is stored is still so at this time."""
        try:
            os.utime(self.folder / path, (now, now))
        except OSError:
            return

    @staticmethod
    def framed(part: bytes) -> bytes:
        """Return a part with its checksum, as it is stored."""
        return b"%08x %s" % (zlib.adler32(part), part)
