"""What the entries of a wheel's archive may be: a wheel is somebody else's file, and writing it is trusting it.

Everything here is decided from the archive's directory, before the first byte of the wheel is written.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterable

from tumpline.errors import InputError

__all__ = ["check_entries", "refuse", "wrong_path"]

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DRIVE = re.compile(r"[A-Za-z]:")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_FOREIGN = re.compile(
    r'[<>:"|?*]|[. ](?:/|$)|(?:^|/)(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:[. /]|$)', re.IGNORECASE
)
"""What Windows takes for a device, a stream of another file or another name; everywhere else it is a name as any."""

_LOCAL_HEADER = 30
"""Bytes before the name of each file in an archive."""

_PLENTY = 2**30
"""Bytes: below this nothing is called a bomb, whatever its ratio."""

_RATIO = 200
"""A wheel that grows more than this is a bomb; the most compressible wheels in use grow about twentyfold."""


def refuse(file: str, why: str) -> InputError:
    """Return the error ``unsafe-wheel``: a wheel that would write where or what it should not."""
    return InputError.of(
        "unsafe-wheel",
        "the wheel is not safe to install",
        where=file,
        why=why,
        hint="do not install it; tell whoever provides the wheel",
    )


def check_entries(file: str, size: int, entries: Iterable[zipfile.ZipInfo]) -> None:
    """Check all entries of the wheel `file` of `size` bytes; raises InputError ``unsafe-wheel``.

    Refused are paths that are absolute, climb (``..``), hold control characters, backslashes or drive letters; anything
    but regular files and folders; two entries that are one file on some file system, by case or by Unicode's composed
    and decomposed forms; on Windows what it takes for devices or other names; a file that is also a folder; encrypted
    entries and rare compression methods; sizes that do not add up, and places behind the end.
    """
    files: set[str] = set()
    folders: set[str] = set()
    unpacked = packed = 0
    for entry in entries:
        # `filename` ends at a zero byte; `orig_filename` shows the whole.
        path = entry.orig_filename
        if why := wrong_path(path) or _wrong_kind(entry):
            raise refuse(file, f"{path!a} {why}")
        if not 0 <= entry.header_offset <= size - _LOCAL_HEADER:
            raise refuse(file, f"{path!a} is said to be where the file has ended")
        key = path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()
        unpacked += entry.file_size
        packed += entry.compress_size
        if key.endswith("/"):
            folders.add(key.rstrip("/"))
            continue
        if key in files:
            raise refuse(file, f"{path!a} is in it twice, or differs from another entry only by case")
        files.add(key)
        parent = key.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    if both := files & folders:
        raise refuse(file, f"{min(both)!a} is both a file and a folder")
    if packed > size:
        raise refuse(file, f"its entries claim {packed} packed bytes, the file has {size}")
    if unpacked > _PLENTY and unpacked > _RATIO * size:
        raise refuse(file, f"its {size} bytes would unpack to {unpacked}")


def wrong_path(path: str, *, windows: bool = os.name == "nt") -> str:
    """Return why a path of an archive (a final slash aside) is not one that may be written, empty where it is.

    `windows` says whether that is the system it is for: a package may have an ``aux.py`` where that is a name as any.
    """
    if _CONTROL.search(path):
        return "has control characters in its name"
    if "\\" in path:
        return "has a backslash in its name"
    if path.startswith("/") or _DRIVE.match(path):
        return "is an absolute path"
    parts = path.removesuffix("/").split("/")
    if ".." in parts:
        return "leads out of the environment"
    if "" in parts or "." in parts:
        return "is not a plain path"
    if windows and _FOREIGN.search(path):
        return "has a name that Windows takes for something else"
    return ""


def _wrong_kind(entry: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if entry.orig_filename.endswith("/"):
        return "is a folder with content" if entry.file_size else ""
    if kind == stat.S_IFDIR:
        return "is a folder by its mode and a file by its name"
    if entry.flag_bits & 0x2061:
        return "is encrypted"
    if entry.compress_type not in _METHODS:
        return "is compressed in a way that wheels do not use"
    return ""
