"""An image: an environment as one file, and the small head by which one knows what it is without unpacking it.

An image is a tar archive, compressed or not, so that `tar` can list it and unpack it anywhere. Its first member, never
compressed, is the head. What follows is cut into parts of some 16 MiB, each compressed by itself and named in the head
with its digest: so that several processes can pack and unpack at once, and nothing that is damaged is ever unpacked.
The last part, the *fittings*, holds the few files that depend on where an environment is.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, cast

from tumpline.environment.compression import SUFFIXES, Compression, frame, unframe
from tumpline.environment.record import EnvironmentRecord, record_document, record_of
from tumpline.environment.storage import image_unreadable
from tumpline.environment.tarstream import BLOCK, END, Member, damaged, header_of, padding
from tumpline.errors import InputError
from tumpline.host.reading import open_patiently

__all__ = [
    "IMAGE_NAME",
    "PLACEHOLDER",
    "Head",
    "Image",
    "Part",
    "compression_of",
    "encode_head",
    "read_image",
    "room_for",
]

IMAGE_NAME = "tumpline-image.json"
"""The head's name in the archive; in an unpacked environment the file says from which image it is."""

PLACEHOLDER = "/@tumpline-environment@"
"""What stands in the fittings for the folder of the environment."""

_FORMAT = 1
_LIMIT = 2**24
"""Bytes; the head of an image of 100 GB has a thirtieth of that."""

# These become parts of names of files.
_NAME = re.compile(r"[^\x00-\x1f/\\]{1,100}")
_KEY = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]+\.[0-9]+[0-9A-Za-z.]*")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an image: its bytes in the file and their sha256, and how many it unpacks to."""

    stored: int
    sha256: str
    unpacked: int


@dataclass(frozen=True, slots=True)
class Head:
    """What an image says of itself.

    `record` is that of the environment, with all that it was made for. `system` and `machine` are those of its Python
    (``linux``, ``x86_64``). `files` and `size` (bytes) are what will be on the disk. `content` is a digest of
    the parts and of the record: images with the same are the same environment.
    """

    record: EnvironmentRecord
    system: str
    machine: str
    compression: Compression
    bytecode: bool
    files: int
    size: int
    content: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Image:
    """A head and where it was read: `offsets` are where the parts begin in the file, whose size is right."""

    path: Path
    head: Head
    offsets: tuple[int, ...]


def compression_of(path: Path) -> Compression | None:
    """Return how an image of that name is to be compressed, None where the name does not say."""
    for compression, suffixes in SUFFIXES.items():
        if path.name.endswith(suffixes):
            return compression
    return None


def encode_head(head: Head, length: int = 0) -> bytes:
    """Return the first bytes of an image, for which the JSON is filled up to `length` bytes."""
    content = _document(head)
    text = content[:-2] + f',\n "check": "{_check(content)}"\n}}\n'
    member = Member(IMAGE_NAME, size=max(length, len(text)))
    body = text.ljust(length).encode()
    return frame(head.compression, header_of(member) + body + bytes(padding(len(body))))


def room_for(head: Head, parts: int) -> int:
    """Return a length for `encode_head` that does for a head with that many parts, whatever their sizes will be."""
    widest = replace(head, files=10**15, size=10**15, content="0" * 64, parts=(Part(10**15, "0" * 64, 10**15),) * parts)
    content = _document(widest)
    return len(content) + 100


def read_image(path: Path) -> Image:
    """Read the head of an image and check that the file has the size that it says.

    Raises InputError ``not-an-image``, ``image-damaged``, ``image-newer``; EnvironmentFailure ``image-unreadable``.
    """
    try:
        with open_patiently(path) as stream:
            head, length = _read_head(stream, path)
            size = stream.seek(0, 2)
    except OSError as error:
        raise image_unreadable(error, path) from error
    offsets = []
    for part in head.parts:
        offsets.append(length)
        length += part.stored
    if length + len(frame(head.compression, END)) != size:
        raise damaged(str(path), f"it should have {length + len(frame(head.compression, END))} bytes and has {size}")
    return Image(path, head, tuple(offsets))


def _read_head(stream: IO[bytes], path: Path) -> tuple[Head, int]:
    """Return the head and how many bytes of the file it takes."""
    start = stream.read(4 * BLOCK)
    found = unframe(start, BLOCK)
    if found is None or found[1].rstrip(b"\0")[: len(IMAGE_NAME)] != IMAGE_NAME.encode() or len(found[1]) < BLOCK:
        raise _no_image(path)
    compression, header = found
    digits = header[124:135]
    if not digits.isdigit() or b"8" in digits or b"9" in digits or int(digits, 8) > _LIMIT:
        raise damaged(str(path), "its head can not be read")
    size = int(digits, 8)
    total = BLOCK + size + padding(size)
    # The content of the frame is unknown to its reader; its length is that of any content of this length.
    length = len(frame(compression, bytes(total)))
    found = unframe(start + stream.read(max(0, length - len(start))), total)
    if found is None or len(found[1]) != total:
        raise damaged(str(path), "its head ends too early")
    text = found[1][BLOCK : BLOCK + size]
    try:
        head = _head(json.loads(text))
    except InputError as error:
        raise InputError(*(problem._replace(where=str(path)) for problem in error.problems)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged(str(path), "its head can not be read") from error
    if head.compression != compression or header_of(Member(IMAGE_NAME, size=size)) != header:
        raise damaged(str(path), "its head does not fit the file")
    return head, length


def _head(table: object) -> Head:
    """Make a head of what was read; raises InputError ``image-newer``; ValueError, KeyError, TypeError."""
    if not isinstance(table, dict):
        raise TypeError
    number = table.get("format")
    if isinstance(number, int) and number > _FORMAT:
        raise InputError.of("image-newer", "a newer tumpline made this image", hint="update tumpline")
    parts = []
    for row in table["parts"]:
        part = Part(_count(row["stored"]), row["sha256"], _count(row["unpacked"]))
        if not _KEY.fullmatch(part.sha256) or part.unpacked % BLOCK:
            raise ValueError
        parts.append(part)
    texts = {name: table[name] for name in ("system", "machine", "compression", "content")}
    if not all(isinstance(text, str) for text in texts.values()) or texts["compression"] not in SUFFIXES:
        raise TypeError
    head = Head(
        record=record_of(table["record"]),
        bytecode=bool(table["bytecode"]),
        files=_count(table["files"]),
        size=_count(table["size"]),
        parts=tuple(parts),
        system=texts["system"],
        machine=texts["machine"],
        compression=cast(Compression, texts["compression"]),
        content=texts["content"],
    )
    if not _NAME.fullmatch(head.record.target) or not _KEY.fullmatch(head.record.key):
        raise ValueError
    if not _VERSION.fullmatch(head.record.python) or not _KEY.fullmatch(head.content):
        raise ValueError
    if not parts or table["check"] != _check(_document(head)):
        raise ValueError
    return head


def _document(head: Head) -> str:
    table = {"format": _FORMAT, **asdict(head), "record": record_document(head.record)}
    return json.dumps(table, indent=1, ensure_ascii=True)


def _check(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**50:
        raise ValueError
    return value


def _no_image(path: Path) -> InputError:
    return InputError.of(
        "not-an-image",
        "this is not an image that tumpline packed",
        where=str(path),
        hint="give a file that tumpline pack made",
    )
