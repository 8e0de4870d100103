"""What is in an environment: its files, its packages and what their RECORDs say, and which files are virtualenv's."""

from __future__ import annotations

import csv
import io
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tumpline.environment.image import IMAGE_NAME
from tumpline.environment.record import BYTECODE_NAME, RECORD_NAME
from tumpline.environment.rows import Row
from tumpline.environment.seen import SEEN_NAME
from tumpline.values import Name, normalise

__all__ = [
    "Distribution",
    "Entry",
    "is_bytecode",
    "is_claimed",
    "is_own",
    "package_folders",
    "read_distributions",
    "walk",
]

_OWN = re.compile(
    r"pyvenv\.cfg|CACHEDIR\.TAG|\.gitignore|\.lock|lib64"
    rf"|{re.escape(RECORD_NAME)}|{re.escape(IMAGE_NAME)}|\.?{re.escape(BYTECODE_NAME)}(?:\.[0-9a-f-]+)?"
    rf"|\.?{re.escape(SEEN_NAME)}(?:\.[0-9a-f-]+)?"
    r"|bin/(?:python[0-9.t]*|(?:de)?activate(?:_this)?(?:\.[a-z0-9]+)?)"
    r"|(?:lib|lib64)/python[0-9.t]+/site-packages/_virtualenv\.(?:py|pth)"
)
"""What virtualenv and tumpline themselves put into an environment."""

_CLAIMED = re.compile(rf"(?!lib64/)(?:{_OWN.pattern})(?:/.*)?", re.IGNORECASE | re.DOTALL)

_SIZE = re.compile(r"[0-9]{1,18}")


class Entry(NamedTuple):
    """A file, link or empty folder of an environment, where `path` is relative to it.

    `kind` is ``file``, ``link``, ``folder`` or ``other`` (a device, a pipe).
    """

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed package. `folder` is that of its metadata, `rows` what RECORD says of each file, None where there is
    no digest; all paths are relative to the environment. `problem` says in a few words what is wrong with RECORD.
    """

    name: Name
    version: str
    folder: str
    installer: str
    rows: dict[str, Row | None]
    problem: str = ""


def walk(root: str) -> Iterator[Entry]:
    """Yield all that is in an environment, but bytecode and what is the environment's own; in the order of the paths.

    Links are not followed. Raises OSError.
    """
    yield from _walk(root, "")


def is_own(path: str) -> bool:
    """Whether a path, relative to an environment, is one that virtualenv or tumpline writes, and no package."""
    return _OWN.fullmatch(path) is not None


def is_claimed(path: str) -> bool:
    """Whether something at a path could be in the way of what virtualenv or tumpline writes, whatever the file system.

    A folder ``lib64`` is not: where it is not virtualenv's link, it has packages.
    """
    return _CLAIMED.fullmatch(path) is not None


def is_bytecode(path: str) -> bool:
    """Whether a path is that of bytecode that Python can make again at any time."""
    return path.endswith(".pyc") and "/__pycache__/" in path


def package_folders(root: str) -> tuple[str, ...]:
    """Return the folders of packages of an environment, relative to it."""
    found = []
    for library in ("lib", "lib64"):
        if os.path.islink(f"{root}/{library}") or not os.path.isdir(f"{root}/{library}"):  # noqa: PTH112, PTH114
            continue
        for name in sorted(os.listdir(f"{root}/{library}")):  # noqa: PTH208 - names are wanted
            folder = f"{library}/{name}/site-packages"
            if name.startswith("python") and os.path.isdir(f"{root}/{folder}"):  # noqa: PTH112
                found.append(folder)
    return tuple(found)


def read_distributions(root: str) -> tuple[Distribution, ...]:
    """Read what is installed in an environment, sorted by name and folder. Raises OSError."""
    found = [
        _read_distribution(root, base, name)
        for base in package_folders(root)
        for name in os.listdir(f"{root}/{base}")  # noqa: PTH208 - names are wanted
        if name.endswith(".dist-info")
    ]
    return tuple(sorted(found, key=lambda distribution: (distribution.name, distribution.folder)))


def _read_distribution(root: str, base: str, folder: str) -> Distribution:
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    at = f"{base}/{folder}"
    installer = _content(f"{root}/{at}/INSTALLER")
    record = _content(f"{root}/{at}/RECORD")
    rows: dict[str, Row | None] = {}
    problem = ""
    if record is None:
        problem = "it has no RECORD"
    else:
        try:
            problem = _read_rows(root, base, record.decode("utf-8", "surrogateescape"), rows)
        except csv.Error as error:
            problem = f"its RECORD can not be read: {error}"
    said = (installer or b"").decode("utf-8", "replace").strip()
    return Distribution(normalise(name or version), version if name else "", at, said, rows, problem)


def _read_rows(root: str, base: str, text: str, rows: dict[str, Row | None]) -> str:
    linked = os.path.islink(f"{root}/lib64")  # noqa: PTH114
    for fields in csv.reader(io.StringIO(text, newline="")):
        if len(fields) != 3:
            return "its RECORD has a row that is not path, digest, size"
        path = posixpath.normpath(f"{base}/{fields[0]}") if "./" in fields[0] else f"{base}/{fields[0]}"
        if fields[0].startswith("/") or path.startswith("../") or path == "..":
            return f"its RECORD lists a file outside of the environment: {fields[0]!a}"
        if linked and path.startswith("lib64/"):
            path = f"lib/{path.removeprefix('lib64/')}"
        algorithm, _, digest = fields[1].partition("=")
        size = int(fields[2]) if _SIZE.fullmatch(fields[2]) else None
        rows[path] = Row(algorithm, digest.rstrip("="), size) if digest else None
    return ""


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - paths are text here, since there are thousands of them
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _walk(root: str, folder: str) -> Iterator[Entry]:
    with os.scandir(f"{root}/{folder}" if folder else root) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    empty = True
    for entry in found:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.name == "__pycache__" and entry.is_dir(follow_symlinks=False):
            continue
        empty = False
        if entry.is_symlink():
            if not is_own(path):
                yield Entry(path, "link")
        elif entry.is_dir():
            yield from _walk(root, path)
        elif not entry.is_file():
            yield Entry(path, "other")
        elif not is_own(path):
            yield Entry(path, "file")
    if empty and folder:
        yield Entry(folder, "folder")
