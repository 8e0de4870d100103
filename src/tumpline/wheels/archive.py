"""The end of a zip archive: its directory, and single members, read from wherever the bytes are.

Only what wheels need, and strictly: one disk, nothing before, between or behind the parts, stored or deflated
members. A reader that forgives less than others can not be made to see another archive than they do. Every length
that an archive states is checked against the archive's size, or a limit, before it is read or inflated.
Source of the layout: PKWARE's APPNOTE, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from tumpline.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    Read = Callable[[int, int], bytes]
    """``read(offset, length)`` returns these bytes of the file; fewer than asked for means that the file ends there."""

__all__ = ["LONG_TAIL", "Archive", "Member", "damaged", "truncated"]

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_ENTRY_LENGTHS = struct.Struct("<4s24x3H")
"""Of an entry: its mark and the lengths of its path, extra field and comment."""
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_LOCAL_EXTRA = struct.Struct("<4s24xH")
"""Of a local header: its mark and the length of its extra field."""
_LONG = struct.Struct("<Q")

_END_MARK, _END64_LOCATOR_MARK, _END64_MARK = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_ENTRY_MARK, _LOCAL_MARK = b"PK\x01\x02", b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF

LONG_TAIL = _END.size + _FULL16
"""Bytes that hold the end record with the longest comment it can have. Mostly the dist-info files are in them too."""

_DIRECTORY_LIMIT = 64 * 1024 * 1024
"""Bytes of central directory accepted: some 600,000 files; the largest wheels in use have a tenth of that."""

_NEARBY = 1024 * 1024
"""What lies closer than this before the part already read is read together with all that is between."""

_PIECE = 2560
"""Bytes inflated first in search of the end of the headers: most wheels have no more, and going on costs extra."""

_EXTRA_GUESS = 256
"""Bytes read beyond what the directory states of a member, as its local header may be longer than its entry."""


class Member(NamedTuple):
    """One file of the archive, as the directory states it; sizes in bytes, `offset` is that of the local header."""

    path: str
    raw_path: bytes
    offset: int
    compressed: int
    size: int
    method: int
    encrypted: bool
    crc: int


class Archive:
    """The directory of a zip archive, and its members on request; `label` names the file in errors.

    `tail` is how many bytes are read first, from the end: many where each read is dear, few where copying is.
    Raises InputError ``truncated-wheel`` where the end is missing, ``not-a-wheel`` for something else than a zip
    archive or one of an unusual kind, ``damaged-wheel`` for wrong contents, ``oversized-wheel`` beyond the limits.
    """

    __slots__ = ("_directory", "_directory_at", "_entries", "_label", "_read", "_window", "_window_at")

    def __init__(self, read: Read, size: int, label: str, *, tail: int = LONG_TAIL) -> None:
        self._read = read
        self._label = label
        self._window_at = max(0, size - tail)
        self._window = self._exactly(self._window_at, size - self._window_at)
        at, length, self._entries = self._find_directory(size)
        self._directory_at = at
        self._directory = self._bytes(at, length)

    def members(self, containing: bytes) -> list[Member]:
        """Return the members whose path contains these bytes, in the directory's order; walks all of it."""
        directory = self._directory
        found: list[Member] = []
        position = 0
        # Most wheels have many members of which three matter, so an entry's path is only cut out when the
        # bytes occur somewhere in the entry; `hit` is the next place where they do. (`find`, here and below: for bytes
        # ``in`` first raises and drops an error inside of Python, which takes longer than the search.)
        hit = _find(directory, containing, 0)
        lengths, expected, fixed = _ENTRY_LENGTHS.unpack_from, _ENTRY_MARK, _ENTRY.size
        try:
            for _ in range(self._entries):
                mark, path_length, extra_length, comment_length = lengths(directory, position)
                if mark != expected:
                    break
                following = position + fixed + path_length + extra_length + comment_length
                if hit < following:
                    start = position + fixed
                    path = directory[start : start + path_length]
                    if path.find(containing) >= 0:
                        found.append(self._member(position, path))
                    hit = _find(directory, containing, following)
                position = following
        except struct.error:
            # The directory ends within an entry.
            position = -1
        if position != len(directory):
            raise damaged(self._label, "its directory does not hold what its end record states")
        return found

    def content(self, member: Member, limit: int) -> bytes:
        """Return a member's content, checked against its size and CRC; `limit` is the most bytes to accept."""
        raw = self._raw(member, limit)
        content = _inflate(raw, member.size) if member.method == _DEFLATED else raw
        if content is None or len(content) != member.size or zlib.crc32(content) != member.crc:
            raise damaged(self._label, f"{member.path} does not have the content that the directory states")
        return content

    def headers(self, member: Member, limit: int) -> bytes:
        """Return at least the part of a member before its first empty line, and inflate little beyond.

        The CRC covers the whole content, so it is only checked where all of it was needed. A long
        description is most of a METADATA file and most of the time to read it.
        """
        if member.method == _DEFLATED:
            part = _inflate_headers(self._raw(member, limit))
            if part is not None and len(part) < member.size:
                return part
        return self.content(member, limit)

    def _raw(self, member: Member, limit: int) -> bytes:
        """Return the bytes of a member as they are stored."""
        if member.encrypted or member.method not in (_STORED, _DEFLATED):
            raise _odd(self._label, f"{member.path} is encrypted or compressed in an unusual way")
        if max(member.size, member.compressed) > limit:
            raise oversized(self._label, member.path, max(member.size, member.compressed), limit)
        fixed = _LOCAL.size + len(member.raw_path)
        room = self._directory_at - member.offset
        if fixed + member.compressed > room:
            raise damaged(self._label, f"{member.path} lies outside of the archive")
        block = self._bytes(member.offset, min(fixed + member.compressed + _EXTRA_GUESS, room))
        mark, extra_length = _LOCAL_EXTRA.unpack_from(block)
        if mark != _LOCAL_MARK or not block.startswith(member.raw_path, _LOCAL.size):
            raise damaged(self._label, f"{member.path} is not where the directory states")
        start = fixed + extra_length
        stop = start + member.compressed
        if stop > room:
            raise damaged(self._label, f"{member.path} lies outside of the archive")
        if stop > len(block):
            return self._bytes(member.offset + start, member.compressed)
        return block[start:stop]

    def _bytes(self, offset: int, length: int) -> bytes:
        """Return part of the file, from what was read before where possible.

        What lies close before the known end is read as one piece and kept: a request costs more than its bytes.
        """
        near = self._window_at - offset
        if near > 0:
            if near > _NEARBY and offset + length <= self._window_at:
                return self._exactly(offset, length)
            self._window = self._exactly(offset, near) + self._window
            self._window_at = offset
        start = offset - self._window_at
        return self._window[start : start + length]

    def _exactly(self, offset: int, length: int) -> bytes:
        content = self._read(offset, length)
        if len(content) != length:
            raise truncated(self._label, f"bytes {offset} to {offset + length} can not be read")
        return content

    def _find_directory(self, size: int) -> tuple[int, int, int]:
        """Return where the directory is, its length in bytes and its number of entries."""
        position = self._find_end(size)
        end_at = self._window_at + position
        _, disk, first_disk, here, entries, length, at, _ = _END.unpack_from(self._window, position)
        locator_at = end_at - _END64_LOCATOR.size
        if locator_at >= 0:
            mark, _, end64_at, _ = _END64_LOCATOR.unpack(self._bytes(locator_at, _END64_LOCATOR.size))
            if mark == _END64_LOCATOR_MARK:
                # Where there are two end records, every reader goes by the long one.
                end_at = end64_at
                disk, first_disk, here, entries, length, at = self._end64(end64_at, locator_at)
        if disk or first_disk or here != entries:
            raise _odd(self._label, "it is one part of several")
        if length > _DIRECTORY_LIMIT:
            raise oversized(self._label, "the list of files", length, _DIRECTORY_LIMIT)
        if at + length != end_at:
            raise damaged(self._label, "its directory is not where its end record states")
        return at, length, entries

    def _find_end(self, size: int) -> int:
        """Return the position in the window of the end record: the last one whose comment reaches the file's end."""
        position = self._end_in_window()
        if position is not None:
            return position
        if self._window_at > max(0, size - LONG_TAIL):
            self._bytes(max(0, size - LONG_TAIL), 1)
            position = self._end_in_window()
            if position is not None:
                return position
        if size == 0:
            raise truncated(self._label, "it is empty")
        if self._read(0, len(_LOCAL_MARK)) == _LOCAL_MARK:
            raise truncated(self._label, "it begins as a zip archive and has no end")
        raise _odd(self._label, "it is not a zip archive")

    def _end_in_window(self) -> int | None:
        position = self._window.rfind(_END_MARK)
        while position >= 0:
            stop = position + _END.size
            if stop <= len(self._window):
                (comment,) = struct.unpack_from("<H", self._window, stop - 2)
                if stop + comment == len(self._window):
                    return position
            position = self._window.rfind(_END_MARK, 0, position + len(_END_MARK) - 1)
        return None

    def _end64(self, end64_at: int, locator_at: int) -> tuple[int, int, int, int, int, int]:
        """Return the values of the zip64 end record, which must lie right before its locator."""
        if end64_at + _END64.size != locator_at:
            raise damaged(self._label, "its end record is not where it is stated to be")
        mark, _, _, _, disk, first_disk, here, entries, length, at = _END64.unpack(self._bytes(end64_at, _END64.size))
        if mark != _END64_MARK:
            raise damaged(self._label, "its end record is broken")
        return disk, first_disk, here, entries, length, at

    def _member(self, position: int, raw_path: bytes) -> Member:
        entry = _ENTRY.unpack_from(self._directory, position)
        flags, method, crc = entry[5], entry[6], entry[9]
        compressed, size, extra_length, offset = entry[10], entry[11], entry[13], entry[18]
        if _FULL32 in (compressed, size, offset):
            extra_at = position + _ENTRY.size + len(raw_path)
            extra = self._directory[extra_at : extra_at + extra_length]
            size, compressed, offset = self._long_values(extra, size, compressed, offset)
        path = raw_path.decode("utf-8", "replace")
        return Member(path, raw_path, offset, compressed, size, method, bool(flags & 0x2041), crc)

    def _long_values(self, extra: bytes, *values: int) -> tuple[int, ...]:
        """Replace the values that do not fit 32 bits by those of the zip64 extra field: only these, in this order."""
        position = 0
        while position + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, position)
            if kind == 1:
                field = extra[position + 4 : position + 4 + length]
                missing = [index for index, value in enumerate(values) if value == _FULL32]
                if len(field) < _LONG.size * len(missing):
                    break
                found = list(values)
                for number, index in enumerate(missing):
                    (found[index],) = _LONG.unpack_from(field, _LONG.size * number)
                return tuple(found)
            position += 4 + length
        raise damaged(self._label, "its directory is broken")


def _find(content: bytes, part: bytes, start: int) -> int:
    """Return where the part next occurs, or the content's length."""
    position = content.find(part, start)
    return len(content) if position < 0 else position


def _inflate(raw: bytes, size: int) -> bytes | None:
    """Inflate to at most one byte more than stated; None where the stream is bad or does not end there."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(raw, size + 1)
    except zlib.error:
        return None
    return content if stream.eof else None


def _inflate_headers(raw: bytes) -> bytes | None:
    """Inflate until an empty line is seen; None where there is none, or the stream is bad."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = b""
    piece = _PIECE
    try:
        while raw:
            content += stream.decompress(raw, piece)
            if content.find(b"\n\n") >= 0 or (content.find(b"\r") >= 0 and content.find(b"\n\r\n") >= 0):
                return content
            raw = stream.unconsumed_tail
            # Pieces grow with what there is, so that a file without an empty line is not gone over many times.
            piece = max(_PIECE, len(content)) // 2
    except zlib.error:
        pass
    return None


def truncated(label: str, why: str) -> InputError:
    """Make the error for a file that ends too early."""
    return InputError.of(
        "truncated-wheel", "the wheel is cut short", where=label, why=why, hint="copy or download the file again"
    )


def damaged(label: str, why: str) -> InputError:
    """Make the error for a file whose parts contradict each other."""
    return InputError.of(
        "damaged-wheel", "the wheel is damaged", where=label, why=why, hint="copy or download the file again"
    )


def oversized(label: str, what: str, size: int, limit: int) -> InputError:
    """Make the error for a part of `size` bytes, of which `limit` would be accepted."""
    return InputError.of(
        "oversized-wheel",
        "the wheel has a part that is too large to be read",
        where=label,
        why=f"{what} has {size} bytes; the limit is {limit}",
        hint="check where the wheel comes from",
    )


def _odd(label: str, why: str) -> InputError:
    return InputError.of(
        "not-a-wheel", "the file is not a wheel", where=label, why=why, hint="remove the file, or rename it"
    )
