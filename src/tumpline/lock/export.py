"""What the exports have in common: their rows, for one target or for anywhere, and what they leave out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.lock.parity import unknown_target
from tumpline.values import Name, parse_version, public_version

__all__ = [
    "Export",
    "LeftOut",
    "Row",
    "Rows",
    "address_of",
    "marker_values",
    "minor_of",
    "pins_of",
    "pythons_of",
    "rows_for",
    "rows_of",
    "sha256_of",
]

_SYS_PLATFORM = {"linux": "linux", "macos": "darwin", "windows": "win32"}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A package that an export can not hold, because a module brings it (R6)."""

    name: Name
    version: str
    module: str


@dataclass(frozen=True, slots=True)
class Export:
    """The text for the other tool, and what it does not say."""

    text: str
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One package of an export: its version as it is to be written, and under which marker (empty: everywhere)."""

    name: Name
    version: str
    artefact: Artefact
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an export, by name. `head` are lines that say what the file is, and for whom."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    targets: tuple[LockedTarget, ...]
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()


def pins_of(lock: Lock, target: str) -> tuple[LockedTarget, list[tuple[Name, Pin]]]:
    """Return a target and what is pinned there, by name; raises InputError ``unknown-target``."""
    found = lock.target(target)
    if found is None:
        raise unknown_target(lock, target)
    pins = ((package.name, package.pin(target)) for package in lock.packages)
    return found, [(name, pin) for name, pin in pins if pin is not None]


def rows_for(lock: Lock, target: str, form: str, *, local: bool = False) -> Rows:
    """Return the rows of a target: for anywhere, unless `local`.

    Without `local` packages of a wheelhouse have their public version (R1), and those that a module brings are rows
    like the others. With `local` the rows are for the site itself, whose own spelling of versions they have, and what
    its modules bring is left out. `form` is the option that made the export. Raises InputError ``unknown-target``.
    """
    where, pins = pins_of(lock, target)
    head = [f"What tumpline locked for the target {target}. Do not edit: made by tumpline export --format {form}."]
    left_out: list[LeftOut] = []
    rows: list[Row] = []
    for name, pin in pins:
        if local and isinstance(pin.artefact, ModuleArtefact):
            left_out.append(LeftOut(name, pin.version, pin.artefact.module))
            continue
        public = not local and isinstance(pin.artefact, WheelhouseArtefact | ModuleArtefact)
        rows.append(Row(name, _public(pin.version) if public else _normal(pin.version), pin.artefact))
    if locals_ := [row.version for row in rows if "+" in row.version]:
        whose = f"the wheelhouse of {where.site}" if local else "the index that this target takes them from"
        head.append(f"For that target only: versions such as {locals_[0]} exist in {whose} and nowhere else.")
    if local and where.modules:
        head.append(f"Load these modules first: {' '.join(where.modules)}")
    return Rows(tuple(head), tuple(rows), (where,), tuple(left_out))


def rows_of(lock: Lock, form: str) -> Rows:
    """Return the rows for anywhere: public versions only, of all targets together.

    What only some targets need has a marker where one tells them from the others (by system, processor or Python);
    otherwise it is for all. Where targets have different versions that no marker tells apart, the most common is taken.
    """
    head = f"What tumpline locked, for anywhere. Do not edit: made by tumpline export --format {form} --anywhere."
    remarks: list[str] = []
    rows = tuple(row for package in lock.packages for row in _anywhere(package, lock.targets, remarks))
    return Rows((head,), rows, lock.targets, (), tuple(remarks))


def minor_of(target: LockedTarget) -> str:
    """Return the Python minor version of a target."""
    return ".".join(target.python.split(".")[:2])


def pythons_of(targets: Iterable[LockedTarget]) -> str:
    """Return the range from the lowest to the highest Python minor version: ``>=3.11,<3.13``; empty without targets."""
    minors = sorted({tuple(map(int, minor_of(target).split("."))) for target in targets})
    if not minors:
        return ""
    (major, low), (_, high) = minors[0], minors[-1]
    return f">={major}.{low},<{major}.{high + 1}"


def marker_values(target: LockedTarget) -> dict[str, str]:
    """Return what tells machines apart that get different files: Python minor version, system, processor (PEP 508)."""
    windows = (target.os, target.machine) == ("windows", "x86_64")
    return {
        "python_version": minor_of(target),
        "sys_platform": _SYS_PLATFORM.get(target.os, target.os),
        "platform_machine": "AMD64" if windows else target.machine,
    }


def address_of(artefact: Artefact, folder: Path) -> str:
    """Return the address of what is taken by address, empty for everything else; `folder` is the project's."""
    match artefact:
        case UrlArtefact(url=url):
            place = url
        case PathArtefact(path=path):
            place = _file_address(folder, path)
        case VcsArtefact(commit, url, path):
            place = f"git+{url or _file_address(folder, path)}@{commit}"
        case _:
            return ""
    return f"{place}#subdirectory={artefact.subdirectory}" if artefact.subdirectory else place


def sha256_of(artefact: Artefact) -> str:
    """Return the sha256 of the file to install, empty where the lock has none."""
    match artefact:
        case IndexArtefact(sha256=sha256) | UrlArtefact(sha256=sha256) | PathArtefact(sha256=sha256):
            return sha256
        case _:
            return ""


def _file_address(folder: Path, path: str) -> str:
    return Path(os.path.normpath(folder.absolute() / path)).as_uri()


def _public(version: str) -> str:
    return str(public_version(parse_version(version)))


def _normal(version: str) -> str:
    return str(parse_version(version))


def _anywhere(package: LockedPackage, targets: Sequence[LockedTarget], remarks: list[str]) -> Iterator[Row]:
    versions: dict[str, list[Pin]] = {}
    for pin in package.pins:
        versions.setdefault(_public(pin.version), []).append(pin)
    markers = {
        version: _marker([target for target in targets if target.name in {pin.target for pin in pins}], targets)
        for version, pins in versions.items()
    }
    if len(versions) > 1 and not all(markers.values()):
        common = _public(package.version)
        others = [version for version in versions if version != common]
        remarks.append(f"{package.name} is {common} here; some targets have {', '.join(others)}")
        versions = {common: versions.get(common) or list(package.pins)}
        markers = {common: ""}
    for version, pins in versions.items():
        yield Row(package.name, version, pins[0].artefact, markers[version])


def _marker(some: Sequence[LockedTarget], targets: Sequence[LockedTarget]) -> str:
    """Return the marker that tells some targets from the others; empty where they are all, or none does."""
    others = [target for target in targets if target not in some]
    if not others:
        return ""
    for variables in (
        ("sys_platform",),
        ("python_version",),
        ("platform_machine",),
        ("sys_platform", "python_version"),
    ):
        mine = sorted({tuple(marker_values(target)[variable] for variable in variables) for target in some})
        theirs = {tuple(marker_values(target)[variable] for variable in variables) for target in others}
        if not theirs.intersection(mine):
            parts = [
                " and ".join(f'{variable} == "{value}"' for variable, value in zip(variables, values, strict=True))
                for values in mine
            ]
            return " or ".join(parts)
    return ""
