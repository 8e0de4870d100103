"""A wheel's METADATA, WHEEL and RECORD, read from its tail: without unpacking, or fetching, the rest.

The digest of RECORD pins every file of a wheel at this small cost, where hashing a 2 GB wheel would take minutes
(design 5.3). The same reader serves files on disk and files behind HTTP ranges: it is given a function that reads
bytes.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.values import normalise, parse_version
from tumpline.wheels.archive import LONG_TAIL, Archive
from tumpline.wheels.metadata import parse_metadata

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import Literal

    from tumpline.wheels.archive import Member, Read
    from tumpline.wheels.metadata import CoreMetadata
    from tumpline.wheels.name import WheelName

    Part = Literal["WHEEL", "RECORD"]
    """What can be read besides METADATA."""

__all__ = ["DISK_TAIL", "PARTS", "DistInfo", "not_regular", "read_dist_info", "read_wheel_file", "unreadable"]

PARTS: tuple[Part, ...] = ("WHEEL", "RECORD")

_REQUIRED = ("METADATA", *PARTS)
"""The files that every wheel's dist-info folder holds (binary distribution format)."""

_SUFFIX = ".dist-info"
_LIMITS = {"METADATA": 16 * 1024 * 1024, "WHEEL": 1024 * 1024, "RECORD": 64 * 1024 * 1024}
"""The most bytes accepted of each; a RECORD of 64 MiB names half a million files."""

DISK_TAIL = 16 * 1024
"""Bytes read first from a disk, where another read costs less than copying what is not needed."""


class DistInfo(NamedTuple):
    """What a wheel says of itself: `core` is what METADATA says, already found to agree with the file name.

    `folder` is the dist-info folder. The other members are files as they are; one that was not asked for is empty.
    """

    folder: str
    core: CoreMetadata
    metadata: bytes
    wheel: bytes
    record: bytes


def read_dist_info(
    read: Read,
    size: int,
    name: WheelName,
    *,
    parts: Collection[Part] = PARTS,
    headers_only: bool = False,
    tail: int = LONG_TAIL,
) -> DistInfo:
    """Read METADATA and other dist-info files of a wheel of `size` bytes, with one to three calls of `read` as a rule.

    `read(offset, length)` returns bytes; what it raises comes through. The first read is of the last `tail` bytes;
    the default is right for files behind HTTP. With `headers_only` METADATA may end anywhere behind its headers, and
    what is left out is not checked. Raises InputError ``truncated-wheel``, ``damaged-wheel``, ``oversized-wheel``;
    ``not-a-wheel`` unless there is exactly one top-level dist-info folder
    with each of the three files once; ``wheel-metadata-disagrees`` where the folder or METADATA names another project
    or version than the file name. Names are compared normalised, versions as PEP 440 says, local part included.
    """
    archive = Archive(read, size, name.file, tail=tail)
    folder, members = _dist_info_members(archive, name)
    # Lowest first: a read that reaches back to the first member then covers the others as well.
    wanted = sorted((members[part].offset, part) for part in ("METADATA", *parts))
    contents: dict[str, bytes] = {}
    for _, part in wanted:
        content = archive.headers if headers_only and part == "METADATA" else archive.content
        contents[part] = content(members[part], _LIMITS[part])
    core = parse_metadata(contents["METADATA"])
    _check_agrees(name, core.name, core.version, "its METADATA")
    return DistInfo(folder, core, contents["METADATA"], contents.get("WHEEL", b""), contents.get("RECORD", b""))


def read_wheel_file(
    path: Path | str, name: WheelName, *, parts: Collection[Part] = PARTS, headers_only: bool = False
) -> DistInfo:
    """Read the dist-info files of a wheel on disk; raises as `read_dist_info`.

    Raises EnvironmentFailure ``unreadable-wheel`` where the operating system refuses. Anything but
    a regular file is ``not-a-wheel``: a pipe among the wheels must not hold up a scan.
    """
    try:
        # O_NONBLOCK lets the opening of a pipe return; for regular files it has no meaning.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise not_regular(name)
            return read_dist_info(
                lambda offset, length: os.pread(descriptor, length, offset),
                status.st_size,
                name,
                parts=parts,
                headers_only=headers_only,
                tail=DISK_TAIL,
            )
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unreadable(name, error) from error


def not_regular(name: WheelName) -> InputError:
    """Make the error for a folder, a pipe or the like that is named as a wheel."""
    return _not_a_wheel(name, "it is not a regular file")


def unreadable(name: WheelName, error: OSError) -> EnvironmentFailure:
    """Make the error for a wheel that the operating system does not let be read."""
    return EnvironmentFailure.of(
        "unreadable-wheel",
        "the wheel can not be read",
        where=name.file,
        why=error.strerror or str(error),
        hint="check the permissions of the file and the state of the file system, then try again",
    )


def _dist_info_members(archive: Archive, name: WheelName) -> tuple[str, dict[str, Member]]:
    folders: dict[str, dict[str, Member]] = {}
    for member in archive.members(b".dist-info/"):
        folder, _, rest = member.path.partition("/")
        if folder.endswith(_SUFFIX):
            found = folders.setdefault(folder, {})
            if rest in _REQUIRED and rest in found:
                raise _not_a_wheel(name, f"it holds {member.path} twice")
            found[rest] = member
    if len(folders) != 1:
        listed = ", ".join(sorted(folders)[:5])
        raise _not_a_wheel(
            name, f"it has several dist-info folders: {listed}" if folders else "it has no dist-info folder"
        )
    folder, members = folders.popitem()
    for part in _REQUIRED:
        if part not in members:
            raise _not_a_wheel(name, f"it holds no {folder}/{part}")
    project, _, version = folder[: -len(_SUFFIX)].rpartition("-")
    _check_agrees(name, project, version, f"its folder {folder}")
    return folder, members


def _check_agrees(name: WheelName, project: str, version: str, what: str) -> None:
    if normalise(project) == name.name and _same_version(version, name.version):
        return
    said = f"{project} {version}".strip() or "nothing"
    raise InputError.of(
        "wheel-metadata-disagrees",
        "the wheel is not what its file name says",
        where=name.file,
        why=f"the file name says {name.name} {name.version}, {what} says {said}",
        hint="get the file from where it was built, under its own name",
    )


def _same_version(one: str, other: str) -> bool:
    """Compare two spellings of a version; in file names a dash is written as an underscore."""
    if one == other:
        return True
    # Nearly all wheels spell it the same way twice, so what compares versions is imported only now.
    from packaging.version import InvalidVersion

    one, other = one.replace("_", "-"), other.replace("_", "-")
    try:
        return parse_version(one) == parse_version(other)
    except InvalidVersion:
        # Versions from before PEP 440 are told apart by their spelling alone.
        return one.lower() == other.lower()


def _not_a_wheel(name: WheelName, why: str) -> InputError:
    return InputError.of(
        "not-a-wheel", "the file is not a wheel", where=name.file, why=why, hint="remove the file, or rename it"
    )
