"""What any environment holds, whoever made it: read from the folders that installers leave; nothing is run."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tumpline.errors import EnvironmentFailure, InputError, Problem
from tumpline.values import Name, normalise
from tumpline.wheels import parse_metadata

__all__ = ["Found", "FoundPackage", "read_installed"]

_MOST = 20_000
"""Entries of a site-packages folder that are looked at: ten times what large environments have."""

_LARGEST = 2**18
"""Bytes of METADATA that are read: what counts stands at the beginning."""

_FOLDER = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*?)-(\d[^-]*)(?:-.*)?\.(?:dist|egg)-info", re.IGNORECASE)
_PYTHON = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """One package; `version` is empty where nothing states it."""

    name: Name
    version: str


@dataclass(frozen=True, slots=True)
class Found:
    """The packages by name, the Python (``3.11.5``, a minor version, or empty), and what was odd."""

    packages: tuple[FoundPackage, ...]
    python: str
    notes: tuple[Problem, ...] = ()


def read_installed(folder: Path) -> Found:
    """Read an environment, or a folder that ``pip install --target`` has filled.

    Nothing of it is imported or run, and what it says of itself is bounded. Raises InputError ``no-environment-there``,
    EnvironmentFailure ``cannot-read``.
    """
    places = _places(folder)
    if not places:
        raise InputError.of(
            "no-environment-there",
            f"{folder.name or folder} is no environment",
            where=str(folder),
            why="there is no folder lib/python*/site-packages in it, and it holds no packages itself",
            hint="name the folder that has bin/activate or pyvenv.cfg in it",
        )
    packages: dict[Name, FoundPackage] = {}
    notes: list[Problem] = []
    for place in places:
        for entry in _entries(place):
            found = _package(entry)
            if found is None:
                continue
            known = packages.setdefault(found.name, found)
            if known.version != found.version:
                notes.append(
                    Problem(
                        "installed-twice",
                        f"{found.name} is installed as {known.version} and as {found.version}",
                        where=str(entry),
                        why="an installation that broke off leaves its predecessor's folder",
                        hint="make the environment anew",
                    )
                )
    return Found(tuple(packages[name] for name in sorted(packages)), _python(folder, places), tuple(notes))


def _places(folder: Path) -> list[Path]:
    """Return the folders that packages are in."""
    try:
        libraries = [*folder.glob("lib/python*/site-packages"), *folder.glob("lib64/python*/site-packages")]
        candidates = [*sorted(libraries), folder / "Lib" / "site-packages", folder]
        real: dict[str, Path] = {}
        for place in candidates:
            # lib64 is most often a link to lib, and on some systems Lib is lib.
            if place.is_dir() and (place != folder or any(_looks_installed(entry.name) for entry in _entries(place))):
                real.setdefault(os.path.realpath(place), place)
        return list(real.values())
    except OSError as error:
        raise _unreadable(folder, error) from error


def _entries(place: Path) -> Iterator[Path]:
    try:
        with os.scandir(place) as entries:
            names = sorted(entry.name for entry in islice(entries, _MOST))
    except OSError as error:
        raise _unreadable(place, error) from error
    return (place / name for name in names)


def _looks_installed(name: str) -> bool:
    return name.endswith((".dist-info", ".egg-info", ".egg-link"))


def _package(entry: Path) -> FoundPackage | None:
    """Return the package that an entry of site-packages stands for, None for most entries."""
    if not _looks_installed(entry.name) or entry.name.startswith("~"):
        return None  # pip gives a folder that it is about to remove a name with a tilde
    if entry.suffix == ".egg-link":
        return FoundPackage(normalise(entry.stem), "")
    place = _FOLDER.fullmatch(entry.name)
    name, version = (place[1], place[2]) if place is not None else ("", "")
    for file in (entry / "METADATA", entry / "PKG-INFO", entry):
        if content := _beginning(file):
            metadata = parse_metadata(content)
            name, version = metadata.name.strip() or name, metadata.version.strip() or version
            break
    return FoundPackage(normalise(name), version) if name else None


def _beginning(file: Path) -> bytes:
    """Return the beginning of a regular file; nothing of anything else, which might never end."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return b""
        with file.open("rb") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return b""


def _python(folder: Path, places: list[Path]) -> str:
    """Return the Python as pyvenv.cfg has it, else as the path of the packages does."""
    if (found := _PYTHON.search(_beginning(folder / "pyvenv.cfg").decode("utf-8", "replace"))) is not None:
        return found[1]
    for place in places:
        if (named := re.fullmatch(r"python(\d+\.\d+)t?", place.parent.name)) is not None:
            return named[1]
    return ""


def _unreadable(place: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-read",
        f"{place.name} can not be read",
        where=str(place),
        why=error.strerror or str(error),
        hint="check the permissions of the folder",
    )
