"""What goes into an image: which files make up which part, and what depends on where the environment is."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from typing import NamedTuple

from tumpline.environment.image import PLACEHOLDER
from tumpline.environment.inventory import is_claimed, package_folders, read_distributions, walk
from tumpline.environment.relocation import may_hold_place, move_record, move_text
from tumpline.environment.safety import wrong_path
from tumpline.environment.tarstream import Member
from tumpline.environment.whereabouts import spellings
from tumpline.errors import EnvironmentFailure, InputError, Problem

__all__ = ["Content", "content_of"]

_PART = 2**24
"""Bytes of one part before it is compressed: smaller ones compress worse, larger ones leave processes idle."""

_SMALL = 2**20
"""Bytes of a file that may be a script or a setting."""


class Content(NamedTuple):
    """What goes into an image: of each part the paths and their bytes; the last part; and the folders of packages."""

    groups: list[tuple[list[str], int]]
    fittings: dict[str, tuple[Member, bytes]]
    packages: tuple[str, ...]


def content_of(root: str) -> Content:
    """Look at all that is in an environment; raises EnvironmentFailure ``cannot-read``, InputError ``cannot-pack``."""
    try:
        entries = [_Entry(path, kind, _size_of(f"{root}/{path}", kind)) for path, kind in walk(root)]
        packages = package_folders(root)
        fittings = _fittings(root, entries, packages)
    except OSError as error:
        raise EnvironmentFailure.of(
            "cannot-read",
            "the environment can not be read",
            where=error.filename or root,
            why=error.strerror or str(error),
            hint="see what is wrong with the environment: tumpline verify",
        ) from error
    return Content(_groups(entry for entry in entries if entry.path not in fittings), fittings, packages)


class _Entry(NamedTuple):
    """An entry of `walk` with its size in bytes, 0 for anything but a file."""

    path: str
    kind: str
    size: int


def _groups(entries: Iterable[_Entry]) -> list[tuple[list[str], int]]:
    """Return the paths and the size of each part: large files alone, the largest first, then the rest as it comes."""
    large: list[_Entry] = []
    groups: list[tuple[list[str], int]] = []
    paths: list[str] = []
    size = 0
    for entry in entries:
        if entry.size >= _PART:
            large.append(entry)
            continue
        paths.append(entry.path)
        size += entry.size
        if size >= _PART:
            groups.append((paths, size))
            paths, size = [], 0
    if paths:
        groups.append((paths, size))
    large.sort(key=lambda entry: (-entry.size, entry.path))
    return [([entry.path], entry.size) for entry in large] + groups


def _fittings(root: str, entries: list[_Entry], packages: tuple[str, ...]) -> dict[str, tuple[Member, bytes]]:
    """Return what depends on where the environment is, with the placeholder for that; raises ``cannot-pack``."""
    found: dict[str, tuple[Member, bytes]] = {}
    changed: dict[str, bytes] = {}
    problems: list[Problem] = []
    places = spellings(root)
    for entry in entries:
        if why := wrong_path(entry.path):
            problems.append(_unpackable(root, entry.path, f"{entry.path!a} {why}"))
            continue
        if is_claimed(entry.path):
            problems.append(_unpackable(root, entry.path, "it is where virtualenv or tumpline puts its own"))
            continue
        match entry.kind:
            case "link":
                target = os.readlink(f"{root}/{entry.path}")  # noqa: PTH115 - the link's text is wanted
                if _leads_out(entry.path, target):
                    problems.append(_unpackable(root, entry.path, f"it is a link to {target}"))
                found[entry.path] = (Member(entry.path, "link", target=target), b"")
            case "other":
                problems.append(_unpackable(root, entry.path, "it is neither a file, a folder nor a link"))
            case "file" if entry.size <= _SMALL and may_hold_place(entry.path, packages):
                content, executable = _read_file(f"{root}/{entry.path}")
                moved = content
                for place in places:
                    moved = move_text(moved, place, PLACEHOLDER)
                if moved != content:
                    changed[entry.path] = moved
                    found[entry.path] = (Member(entry.path, size=len(moved), executable=executable), moved)
    if problems:
        raise InputError(*problems)
    for distribution in read_distributions(root):
        if changed.keys().isdisjoint(distribution.rows) or distribution.problem:
            continue
        path = f"{distribution.folder}/RECORD"
        content, executable = _read_file(f"{root}/{path}")
        moved = move_record(content, posixpath.dirname(distribution.folder), changed)
        found[path] = (Member(path, size=len(moved), executable=executable), moved)
    return dict(sorted(found.items()))


def _size_of(path: str, kind: str) -> int:
    return os.lstat(path).st_size if kind == "file" else 0


def _read_file(path: str) -> tuple[bytes, bool]:
    with open(path, "rb") as stream:  # noqa: PTH123 - paths are text here
        return stream.read(), bool(os.fstat(stream.fileno()).st_mode & 0o100)


def _leads_out(path: str, target: str) -> bool:
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return target.startswith("/") or meant == ".." or meant.startswith("../")


def _unpackable(root: str, path: str, why: str) -> Problem:
    return Problem(
        "cannot-pack",
        "there is something in the environment that an image can not hold",
        where=f"{root}/{path}" if path.isprintable() else root,
        why=why,
        hint="remove it, or make the environment anew: tumpline verify --fix",
    )
