"""The members of a tar archive: the part of the format (POSIX ustar with pax headers) that images are written in.

Read strictly, since an image is somebody else's file: regular files, folders and symbolic links, each with a plain
relative path, and nothing else. `tarfile` reads far more, and takes ten times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from tumpline.environment.safety import wrong_path
from tumpline.errors import InputError

__all__ = ["BLOCK", "END", "MTIME", "Member", "Source", "damaged", "header_of", "members", "padding", "unsafe"]

BLOCK = 512
END = bytes(2 * BLOCK)
"""The end of an archive."""

MTIME = 315532800
"""The time of change that all members have, 1980-01-01: the same environment makes the same archive, and bytecode
states the time of its source."""

_FIELDS = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x")
_KINDS = {b"0": "file", b"5": "folder", b"2": "link"}
_TYPES = {kind: letter for letter, kind in _KINDS.items()}
_MOST_PAX = 2**16
_LARGEST = 2**40
"""Bytes of one file: more than any disk of a node has."""


class Member(NamedTuple):
    """One entry: `kind` is ``file``, ``folder`` or ``link``; `target` is where a link leads; `size` in bytes."""

    path: str
    kind: str = "file"
    size: int = 0
    executable: bool = False
    target: str = ""


class Source(Protocol):
    """What an archive is read from: `take` returns exactly so many bytes, `ended` says whether there are none left."""

    def take(self, count: int) -> bytes | memoryview:
        """Return the next `count` bytes; raises InputError ``image-damaged`` where there are fewer."""
        ...

    def ended(self) -> bool:
        """Return whether everything was taken."""
        ...


def header_of(member: Member) -> bytes:
    """Return the header of a member, preceded by a pax header where path, target or size do not fit into it."""
    path, target = member.path.encode("utf-8", "surrogateescape"), member.target.encode("utf-8", "surrogateescape")
    records = b""
    if len(path) > 100 or not path.isascii():
        records += _record(b"path", path)
    if len(target) > 100 or not target.isascii():
        records += _record(b"linkpath", target)
    if member.size >= 8**11:
        records += _record(b"size", b"%d" % member.size)
    extended = b""
    if records:
        extended = _header(b"tumpline-pax", 0o644, len(records), b"x", b"") + records + bytes(padding(len(records)))
    mode = 0o755 if member.executable or member.kind != "file" else 0o644
    size = member.size if member.size < 8**11 else 0
    return extended + _header(path[:100], mode, size, _TYPES[member.kind], target[:100])


def padding(size: int) -> int:
    """Return how many bytes follow content of that size, so that the next header begins at a multiple of 512."""
    return -size % BLOCK


def members(source: Source, where: str) -> Iterator[Member]:
    """Yield the members of an archive, or of a part of one that begins and ends between members.

    Whoever iterates takes the content of each file, and its padding, from the source before the next step. `where`
    names the archive in errors. Raises InputError ``image-damaged`` where this is no archive, ``image-unsafe`` for
    what an environment can not hold.
    """
    extended: dict[str, str] = {}
    while not source.ended():
        block = bytes(source.take(BLOCK))
        if not any(block):
            # The end of the archive: zeros up to the end.
            while not source.ended():
                if any(bytes(source.take(BLOCK))):
                    raise damaged(where, "there is something behind its end")
            break
        fields = _FIELDS.unpack(block)
        if fields[9] != b"ustar\0" or _number(fields[6], where) != sum(block) - sum(fields[6]) + 8 * 32:
            raise damaged(where, "the header of a file in it is none")
        size = _number(fields[4], where)
        if fields[7] == b"x":
            if extended or size > _MOST_PAX:
                raise damaged(where, "an extended header in it is none")
            extended = _records(bytes(source.take(size)), where)
            source.take(padding(size))
            continue
        kind = _KINDS.get(fields[7])
        path = extended.get("path") or _text(fields[0])
        if kind is None:
            raise unsafe(where, f"{path!a} is neither a file, a folder nor a symbolic link")
        if any(fields[15]):
            raise damaged(where, "it was not written by tumpline")
        if why := wrong_path(path):
            raise unsafe(where, f"{path!a} {why}")
        size = _size(extended["size"], where) if "size" in extended else size
        if (size and kind != "file") or size > _LARGEST:
            raise unsafe(where, f"{path!a} has a size that it can not have")
        executable = kind == "file" and bool(_number(fields[1], where) & 0o100)
        target = (extended.get("linkpath") or _text(fields[8])) if kind == "link" else ""
        if kind == "link" and (not target or "\0" in target):
            raise unsafe(where, f"{path!a} is a link that no disk can hold")
        extended = {}
        yield Member(path.removesuffix("/"), kind, size, executable, target)
    if extended:
        raise damaged(where, "an extended header in it belongs to nothing")


def unsafe(where: str, why: str) -> InputError:
    """Return the error for an image that would write where or what it should not."""
    return InputError.of(
        "image-unsafe",
        "the image is not safe to unpack",
        where=where,
        why=why,
        hint="do not unpack it; pack the environment anew, or tell whoever gave it to you",
    )


def damaged(where: str, why: str) -> InputError:
    """Return the error for an image that is not what it was when it was made, or never was one."""
    return InputError.of(
        "image-damaged",
        "the image is damaged",
        where=where,
        why=why,
        hint="copy it again from where it was made, or pack the environment anew: tumpline pack",
    )


def _header(path: bytes, mode: int, size: int, letter: bytes, target: bytes) -> bytes:
    block = bytearray(
        _FIELDS.pack(
            path,
            b"%07o\0" % mode,
            b"0000000\0",
            b"0000000\0",
            b"%011o\0" % size,
            b"%011o\0" % MTIME,
            b"        ",
            letter,
            target,
            b"ustar\0",
            b"00",
            b"",
            b"",
            b"0000000\0",
            b"0000000\0",
            b"",
        )
    )
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _record(key: bytes, value: bytes) -> bytes:
    """Return a record of a pax header; it begins with its own length, digits included."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length = len(b"%d" % length) + len(rest)
    return b"%d" % length + rest


def _records(content: bytes, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while content:
        digits, _, _ = content.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 7 else 0
        record = content[len(digits) + 1 : length]
        key, separator, value = record.partition(b"=")
        if length > len(content) or not separator or not value.endswith(b"\n") or key.decode("latin-1") in found:
            raise damaged(where, "an extended header in it is none")
        found[key.decode("latin-1")] = value[:-1].decode("utf-8", "surrogateescape")
        content = content[length:]
    if not found.keys() <= {"path", "linkpath", "size"}:
        raise damaged(where, "it was not written by tumpline")
    return found


def _number(field: bytes, where: str) -> int:
    digits = field.rstrip(b"\0 ")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise damaged(where, "the header of a file in it is none")
    return int(digits, 8)


def _size(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise damaged(where, "an extended header in it is none")
    return int(text)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
