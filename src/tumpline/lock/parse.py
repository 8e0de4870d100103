"""From the tables of a lock to values. Everything is checked: the digest tells of accidents, not of ill will."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from tumpline.catalogue import Grade
from tumpline.errors import InputError
from tumpline.lock import rules
from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    Source,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.lock.reading import Complaints, Table
from tumpline.project import Policy, VersionOrder
from tumpline.values import Name
from tumpline.wheels import parse_wheel_name

__all__ = ["parse_document"]

_POLICIES: tuple[Policy, ...] = get_args(Policy)
_GRADES: tuple[Grade, ...] = get_args(Grade)
_ORDERS: tuple[VersionOrder, ...] = get_args(VersionOrder)
_SOURCES: tuple[Source, ...] = get_args(Source)


def parse_document(document: Mapping[str, object], where: str) -> Lock:
    """Build a Lock from what tomllib read; raises InputError ``lock-damaged`` with one problem per complaint."""
    complaints = Complaints(where)
    table = Table(document, "", complaints)
    table.skip("lock-version", "tool", "integrity")
    inputs = table.text("inputs", rules.prose)
    requires_python = table.text("requires-python", rules.specifier, "")
    resolution = table.choice("resolution", _ORDERS) or "highest"
    exclude_newer = table.text("exclude-newer", rules.moment, "")
    roots = _names(table, "roots")
    targets: dict[str, LockedTarget] = {}
    for row in table.tables("target"):
        target = _target(row)
        if target.name in targets:
            row.complain("name", f"is there twice: {target.name!r}")
        targets[target.name] = target
    packages: dict[Name, LockedPackage] = {}
    for row in table.tables("package"):
        package = _package(row, tuple(targets))
        if package.name in packages:
            row.complain("name", f"is there twice: {package.name!r}")
        packages[package.name] = package
    table.done()
    complaints.finish()
    return Lock(
        inputs=inputs,
        requires_python=requires_python,
        targets=tuple(targets.values()),
        roots=roots,
        packages=tuple(packages[name] for name in sorted(packages)),
        resolution=resolution,
        exclude_newer=exclude_newer,
    )


def _target(table: Table) -> LockedTarget:
    target = LockedTarget(
        name=table.text("name", rules.plain),
        site=table.text("site", rules.plain),
        python=table.text("python", rules.version),
        os=table.text("os", rules.plain),
        machine=table.text("machine", rules.plain),
        policy=table.choice("policy", _POLICIES, required=True) or "mixed",
        platform=table.text("platform", rules.plain, default=""),
        environment=table.text("environment", rules.plain, ""),
        cpu_level=table.text("cpu-level", rules.plain, ""),
        modules=table.texts("modules", rules.relative),
        layers=table.texts("layers", rules.relative),
        catalogue=table.text("catalogue", rules.prose, ""),
        catalogue_date=table.text("catalogue-date", rules.day, ""),
        grade=table.choice("grade", _GRADES),
    )
    table.done()
    return target


def _package(table: Table, targets: tuple[str, ...]) -> LockedPackage:
    name = Name(table.text("name", rules.name))
    version = table.text("version", rules.version)
    requires = _names(table, "requires")
    pins: dict[str, Pin] = {}
    for row in table.tables("pin"):
        names = row.texts("targets", rules.plain)
        if not names:
            row.complain("targets", "names no target")
        pin = _pin(row, name, version, requires)
        for target in names:
            if target not in targets:
                row.complain("targets", f"names an unknown target: {target!r}")
            elif target in pins:
                row.complain("targets", f"names a target that is pinned already: {target!r}")
            else:
                pins[target] = Pin(target, pin.version, pin.artefact, pin.requires, pin.approximate, pin.divergence)
        row.done()
    table.done()
    return LockedPackage(name, version, tuple(pins[target] for target in targets if target in pins))


def _pin(table: Table, name: Name, version: str, requires: tuple[Name, ...]) -> Pin:
    pin = Pin(
        target="",
        version=table.text("version", rules.version, version),
        artefact=_artefact(table, name),
        requires=_names(table, "requires", requires),
        approximate=table.text("approximate", rules.prose, ""),
        divergence=table.text("divergence", rules.prose, ""),
    )
    if table.flag("build") != pin.build:
        table.complain("build", "does not agree with what is to be installed")
    return pin


def _artefact(table: Table, name: Name) -> Artefact:
    match table.choice("source", _SOURCES, required=True):
        case "wheelhouse":
            return WheelhouseArtefact(
                layer=table.text("layer", rules.relative, ""),
                file=_file(table, name, ""),
                record=table.text("record", rules.digest, ""),
                size=table.size("size"),
            )
        case "pypi":
            return IndexArtefact(
                index=table.text("index", rules.plain),
                file=_file(table, name, None),
                size=table.size("size"),
                sha256=table.text("sha256", rules.digest),
            )
        case "module":
            return ModuleArtefact(table.text("module", rules.relative))
        case "path":
            return _path_artefact(table, name)
        case "url":
            return UrlArtefact(
                url=table.text("url", rules.web_address),
                file=_file(table, name, None),
                sha256=table.text("sha256", rules.digest),
                size=table.size("size"),
                subdirectory=table.text("subdirectory", rules.relative, ""),
            )
        case "vcs":
            return _vcs_artefact(table)
    return ModuleArtefact("")


def _path_artefact(table: Table, name: Name) -> PathArtefact:
    """Read a path; a file must be pinned by its hash, and a wheel must be one of that package."""
    path = table.text("path", rules.nearby)
    file = path.rpartition("/")[2]
    _check_wheel(table, "path", file, name)
    return PathArtefact(
        path=path,
        sha256=table.text("sha256", rules.digest, "" if rules.file_name(file) else None),
        size=table.size("size"),
        record=table.text("record", rules.digest, None if file.endswith(".whl") else ""),
        subdirectory=table.text("subdirectory", rules.relative, ""),
    )


def _vcs_artefact(table: Table) -> VcsArtefact:
    artefact = VcsArtefact(
        commit=table.text("commit", rules.commit),
        url=table.text("url", rules.git_address, ""),
        path=table.text("path", rules.nearby, ""),
        reference=table.text("reference", rules.reference, ""),
        subdirectory=table.text("subdirectory", rules.relative, ""),
    )
    if bool(artefact.url) == bool(artefact.path):
        table.complain("url", "and path: there must be one of them")
    return artefact


def _file(table: Table, name: Name, default: str | None) -> str:
    file = table.text("file", rules.file_name, default)
    _check_wheel(table, "file", file, name)
    return file


def _check_wheel(table: Table, key: str, file: str, name: Name) -> None:
    """Complain where a wheel is not one of that package: the lock would install something else."""
    if file.endswith(".whl"):
        try:
            wheel = parse_wheel_name(file)
        except InputError:
            table.complain(key, f"is not the name of a wheel: {file!r}")
            return
        if wheel.name != name:
            table.complain(key, f"is a wheel of another package than {name}: {file!r}")


def _names(table: Table, key: str, default: tuple[Name, ...] = ()) -> tuple[Name, ...]:
    return tuple(Name(name) for name in table.texts(key, rules.name, default))
