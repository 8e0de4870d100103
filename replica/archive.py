"""Writing a zip file from another one, entry by entry, without decompressing what does not change."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipInfo

__all__ = ["ArchiveWriter"]

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_NEEDED = 20
_MADE_BY_UNIX = (3 << 8) | _NEEDED
_UTF8 = 0x800
_LIMIT = 0xFFFFFFFF
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ArchiveWriter:
    """A zip file being written; entries keep the date and the permissions of the entry they come from.

    Recompressing 350 MB of wheels would take most of a minute, copying them takes a second. Sizes are known before
    an entry is written, so no data descriptors are needed; archives beyond 4 GiB are not supported (ValueError).
    """

    def __init__(self, path: Path) -> None:
        self._stream: BinaryIO = path.open("wb")
        self._directory: list[bytes] = []

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._stream.close()

    def copy(self, source: BinaryIO, entry: ZipInfo, name: str) -> None:
        """Copy one entry of the archive open in `source` as it is, under a new name."""
        source.seek(entry.header_offset)
        header = _LOCAL.unpack(source.read(_LOCAL.size))
        source.seek(header[9] + header[10], 1)
        self._add(entry, name, entry.compress_type, entry.CRC, entry.file_size, source.read(entry.compress_size))

    def write(self, content: bytes, name: str, like: ZipInfo | None = None) -> None:
        """Write an entry with new content, dated and permitted like another one."""
        packer = zlib.compressobj(wbits=-15)
        packed = packer.compress(content) + packer.flush()
        method = ZIP_DEFLATED
        if len(packed) >= len(content):
            packed, method = content, ZIP_STORED
        self._add(like or _plain(name), name, method, zlib.crc32(content), len(content), packed)

    def _add(self, entry: ZipInfo, name: str, method: int, crc: int, size: int, packed: bytes) -> None:
        offset = self._stream.tell()
        if max(offset, size) > _LIMIT or len(self._directory) >= 0xFFFF:
            raise ValueError(f"{name}: the archive is too large")
        encoded = name.encode("utf-8")
        year, month, day, hour, minute, second = entry.date_time
        time, date = hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
        facts = (_UTF8, method, time, date, crc, len(packed), size, len(encoded), 0)
        self._stream.write(_LOCAL.pack(b"PK\x03\x04", _NEEDED, *facts) + encoded + packed)
        self._directory.append(
            _CENTRAL.pack(b"PK\x01\x02", _MADE_BY_UNIX, _NEEDED, *facts, 0, 0, 0, entry.external_attr, offset) + encoded
        )

    def _finish(self) -> None:
        start = self._stream.tell()
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._stream.write(directory + _END.pack(b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0))


def _plain(name: str) -> ZipInfo:
    entry = ZipInfo(name, _EPOCH)
    entry.external_attr = 0o100644 << 16
    return entry
