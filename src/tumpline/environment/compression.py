"""How images are compressed, and the first part, which is not.

What stands one behind the other is what `tar` and `zstd` or `gzip` read as one archive: both formats are made to be
concatenated. So each part can be compressed by itself (`tumpline.environment.parts`), by several processes at once.
"""

from __future__ import annotations

import struct
import zlib
from typing import Literal

from tumpline.errors import EnvironmentFailure

__all__ = ["SUFFIXES", "Compression", "frame", "no_zstd", "unframe"]

Compression = Literal["none", "gzip", "zstd"]

SUFFIXES: dict[Compression, tuple[str, ...]] = {
    "none": (".tar",),
    "gzip": (".tar.gz", ".tgz"),
    "zstd": (".tar.zst", ".tzst"),
}
"""The endings of file names, the usual one first."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_BLOCK = 2**17
_GZIP_BLOCK = 2**16 - 1
_GZIP = 31
"""What zlib calls a gzip member with the largest window."""


def frame(compression: Compression, content: bytes) -> bytes:
    """Return content as the first part of an image, not compressed, so that it can be read without any program.

    The length depends on the length of the content only.
    """
    match compression:
        case "none":
            return content
        case "gzip":
            # A member of stored blocks (RFC 1951, section 3.2.4): libraries differ in how they cut them.
            found = bytearray(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
            for start in range(0, len(content), _GZIP_BLOCK):
                block = content[start : start + _GZIP_BLOCK]
                last = start + _GZIP_BLOCK >= len(content)
                found += struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block
            return bytes(found + struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
        case "zstd":
            # A frame of raw blocks (RFC 8878, section 3.1.1): one segment, whose size is a field of four bytes.
            found = bytearray(_ZSTD_MAGIC + b"\xa0" + struct.pack("<I", len(content)))
            for start in range(0, len(content), _ZSTD_BLOCK):
                block = content[start : start + _ZSTD_BLOCK]
                last = start + _ZSTD_BLOCK >= len(content)
                found += struct.pack("<I", len(block) << 3 | last)[:3] + block
            return bytes(found)


def unframe(start: bytes, size: int) -> tuple[Compression, bytes] | None:
    """Return how an image that begins so is compressed, and the first `size` bytes of what it was framed from, or less.

    None where it begins as no image does.
    """
    if start.startswith(b"\x1f\x8b"):
        try:
            return "gzip", zlib.decompressobj(_GZIP).decompress(start, size)
        except zlib.error:
            return None
    if start.startswith(_ZSTD_MAGIC + b"\xa0"):
        content, place, last = b"", 9, 0
        while not last and len(content) < size and place + 3 <= len(start):
            word = int.from_bytes(start[place : place + 3], "little")
            last, kind, length = word & 1, word >> 1 & 3, word >> 3
            if kind or length > _ZSTD_BLOCK:
                return None
            content += start[place + 3 : place + 3 + length]
            place += 3 + length
        return "zstd", content[:size]
    return ("none", start[:size]) if start[257:263] == b"ustar\0" else None


def no_zstd(where: str, what: str) -> EnvironmentFailure:
    """Return the error for a machine that has no program to read or write zstd."""
    return EnvironmentFailure.of(
        "no-zstd",
        f"there is no program zstd on PATH, which is needed to {what} this image",
        where=where,
        why="the name ends in .tar.zst" if what == "write" else "the image is compressed with zstd",
        hint="load or install zstd; or pack with a name that ends in .tar.gz or .tar, which needs no program",
    )
