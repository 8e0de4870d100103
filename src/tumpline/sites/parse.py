"""From the tables of a profile to values, with every complaint named by file and key."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from tumpline.errors import InputError, Problem
from tumpline.sites.profile import (
    BuildPlace,
    Dummy,
    Internet,
    ModulePackage,
    Platform,
    Quota,
    Site,
    SiteKind,
    SoftwareEnvironment,
)
from tumpline.values import normalise

__all__ = ["parse_modules", "parse_site"]

_KEYS = frozenset(
    {
        "build-in",
        "catalogue",
        "compute-internet",
        "cpu-levels",
        "default-environment",
        "dummies",
        "environments",
        "home-writable-in-jobs",
        "inferred",
        "job-storage",
        "kind",
        "local-tag",
        "login-host",
        "manylinux",
        "module-tables",
        "modules",
        "platform",
        "quotas",
        "scheduler",
        "title",
        "wheelhouse",
    }
)
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_LAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_PYTHON = re.compile(r"\d+\.\d+\.\d+")


class _Table:
    """Reads keys of one table and collects what is wrong, so that a profile's faults are all told at once."""

    def __init__(self, values: Mapping[str, Any], where: str, path: str, problems: list[Problem]) -> None:
        self.values = values
        self._where = where
        self._path = path
        self.problems = problems

    def complain(self, key: str, message: str) -> None:
        """Note what is wrong with a key."""
        self.problems.append(
            Problem(
                "bad-profile",
                f"{self._path}{key}: {message}",
                where=self._where,
                hint="see the reference of site profiles in the documentation",
            )
        )

    def text(self, key: str, default: str = "", choices: Iterable[str] = ()) -> str:
        """Return a string, one of `choices` where there are any."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.complain(key, f"expected a string, found {_kind(value)}")
            return default
        allowed = tuple(choices)
        if allowed and value not in allowed:
            self.complain(key, f"expected one of {', '.join(filter(None, allowed))}, found {value!r}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            self.complain(key, f"expected true or false, found {_kind(value)}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return an array of strings."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.complain(key, "expected an array of strings")
            return ()
        return tuple(value)

    def table(self, key: str) -> _Table:
        """Return a table below this one; an empty one where it is missing."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.complain(key, f"expected a table, found {_kind(value)}")
            value = {}
        return _Table(value, self._where, f"{self._path}{key}.", self.problems)


def parse_site(name: str, values: Mapping[str, Any], origins: Mapping[str, Path]) -> Site:
    """Make a site of a profile's keys; `origins` says which file a key came from, and ``""`` which is the site's own.

    Raises InputError ``bad-profile`` with all that is wrong.
    """
    own = origins[""]
    problems: list[Problem] = []
    top = _Table(values, str(own), "", problems)
    for key in sorted(set(values) - _KEYS):
        top.complain(key, "there is no such key")
    environments = tuple(_environment(key, top) for key in top.table("environments").values)
    default = top.text("default-environment")
    if environments and default not in {environment.name for environment in environments}:
        top.complain("default-environment", f"{default!r} is not one of the environments")
    tables = [str(origins["module-tables"].parent / table) for table in top.texts("module-tables")]
    if "modules" in values:
        parse_modules(values, str(own))
        tables.append(str(origins["modules"]))
    site = Site(
        name=name,
        title=top.text("title", name),
        kind=cast("SiteKind", top.text("kind", "cluster", ("cluster", "machine"))),
        platform=_platform(top.table("platform")),
        catalogue=top.text("catalogue") or None,
        wheelhouse=_wheelhouse(top.text("wheelhouse"), origins),
        local_tag=top.text("local-tag"),
        manylinux=top.flag("manylinux", True),
        cpu_levels=top.texts("cpu-levels"),
        environments=environments,
        default_environment=default,
        login_host=top.text("login-host"),
        scheduler=top.text("scheduler"),
        compute_internet=cast("Internet", top.text("compute-internet", "full", ("none", "proxy", "full"))),
        job_storage=top.text("job-storage", "", ("disk", "memory", "")),  # type: ignore[arg-type]  # checked by choices
        home_writable_in_jobs=top.flag("home-writable-in-jobs", True),
        build_in=cast("BuildPlace", top.text("build-in", "in-job", ("in-job", "login-node"))),
        quotas={key: _quota(top.table("quotas").table(key)) for key in top.table("quotas").values} or None,
        dummies=tuple(
            Dummy(normalise(package), top.table("dummies").text(package)) for package in top.table("dummies").values
        ),
        module_tables=tuple(tables),
        inferred=frozenset(top.texts("inferred")),
        origin=str(own),
    )
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return site


def parse_modules(values: Mapping[str, Any], where: str) -> tuple[ModulePackage, ...]:
    """Read ``[[modules]]``: environment, module, version, pythons, provides. Raises InputError ``bad-profile``."""
    problems: list[Problem] = []
    rows: list[ModulePackage] = []
    entries = values.get("modules", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError.of("bad-profile", "modules: expected an array of tables", where=where)
    for position, entry in enumerate(entries):
        table = _Table(entry, where, f"modules[{position}].", problems)
        environment, module, version = (table.text(key) for key in ("environment", "module", "version"))
        provides = table.table("provides")
        rows += [
            ModulePackage(environment, module, version, python, normalise(name), provides.text(name))
            for python in table.texts("pythons")
            for name in provides.values
        ]
    if problems:
        raise InputError(*problems)
    return tuple(rows)


def _environment(name: str, top: _Table) -> SoftwareEnvironment:
    table = top.table("environments").table(name)
    pythons = table.texts("pythons")
    for python in pythons:
        if not _PYTHON.fullmatch(python):
            table.complain("pythons", f"expected exact versions such as 3.11.5, found {python!r}")
    layers = table.table("layers")
    for level in layers.values:
        for layer in layers.texts(level):
            # Layers become folders below the wheelhouse: they must not lead out of it.
            if not _LAYER.fullmatch(layer):
                layers.complain(level, f"{layer!r} is not a folder below the wheelhouse")
    return SoftwareEnvironment(
        name,
        pythons,
        table.text("default-python", pythons[0] if pythons else ""),
        {level: layers.texts(level) for level in layers.values},
    )


def _platform(table: _Table) -> Platform:
    os_name = table.text("os", "linux", ("linux", "macos", "windows"))
    machine = table.text("machine", "x86_64")
    tags = table.texts("tags")
    glibc, macos = table.text("glibc"), table.text("macos")
    try:
        if glibc:
            tags = (*_manylinux(glibc, machine), *tags)
        elif macos:
            tags = (*_mac(macos, machine), *tags)
    except ValueError:
        table.complain("glibc" if glibc else "macos", "expected a version such as 2.28")
    return Platform(os_name, machine, tags)


_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


def _manylinux(glibc: str, machine: str) -> tuple[str, ...]:
    """Return the tags a system with that glibc takes, newest first (PEP 600)."""
    major, minor = (int(part) for part in glibc.split("."))
    tags: list[str] = []
    for version in range(minor, 4 if machine == "x86_64" else 16, -1):
        tags.append(f"manylinux_{major}_{version}_{machine}")
        if (alias := _LEGACY.get((major, version))) is not None:
            tags.append(f"{alias}_{machine}")
    return tuple(tags)


def _mac(version: str, machine: str) -> tuple[str, ...]:
    from packaging.tags import mac_platforms

    major, minor = (int(part) for part in version.split("."))
    return tuple(mac_platforms((major, minor), machine))


def _wheelhouse(text: str, origins: Mapping[str, Path]) -> str | None:
    if not text:
        return None
    # A relative folder is meant from the profile's own place, so that a replica can be moved as a whole.
    return text if text.startswith("/") else str((origins["wheelhouse"].parent / text).resolve())


def _quota(table: _Table) -> Quota:
    files = table.values.get("files")
    if files is not None and (not isinstance(files, int) or isinstance(files, bool)):
        table.complain("files", f"expected a whole number, found {_kind(files)}")
        files = None
    number, _, unit = table.text("space").partition(" ")
    if not number:
        return Quota(None, files)
    if unit not in _UNITS or not number.isdigit():
        table.complain("space", 'expected a size such as "50 GB"')
        return Quota(None, files)
    return Quota(int(number) * _UNITS[unit], files)


def _kind(value: object) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "an array",
        dict: "a table",
    }
    return names.get(type(value), "something else")
