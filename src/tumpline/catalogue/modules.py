"""What a site's modules bring, read from the module system itself.

Of every module that brings Python packages the folders are read that it adds to ``EBPYTHONPREFIXES``, from which the
Pythons of the Alliance import (their ``sitecustomize``). Where these can not be read, the module file's own
``extensions(...)`` are believed, and where there are none, the site's profile (R24: each is marked).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tumpline.catalogue.content import ModuleEvidence, ModuleNote
from tumpline.catalogue.sitepackages import packages_below
from tumpline.errors import EnvironmentFailure, Problem
from tumpline.host.lmod import Lmod, LoadedModules, ModuleFile
from tumpline.host.patience import Patience
from tumpline.sites import ModulePackage, Site, SoftwareEnvironment
from tumpline.values import normalise, parse_version, version_key

__all__ = ["SiteModules", "SitePythons", "offered_pythons", "read_modules"]

_VARIABLE = "EBPYTHONPREFIXES"
_PYTHON = "python"
"""The module of Python itself: what it bundles is not seen in virtual environments."""

_WORD = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_NAME = re.compile(f"{_WORD}(?:/{_WORD})*")
_VERSION = re.compile(_WORD)
_EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")

_LARGEST = 1024 * 1024
"""Bytes of a module file that are searched; they have 2,000."""


@dataclass(frozen=True, slots=True)
class SitePythons:
    """The Pythons that can be loaded in one software environment: exact versions, and the default or empty."""

    versions: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class SiteModules:
    """What modules bring, how that is known, and the Pythons by software environment where those were asked.

    `system` is the module system that was asked (``Lmod 8.7.60``), empty where none was; `problems` are what it did not
    answer, for which the profile stands in.
    """

    packages: tuple[ModulePackage, ...]
    notes: tuple[ModuleNote, ...] = ()
    pythons: Mapping[str, SitePythons] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    system: str = ""

    def with_pythons(self, site: Site) -> Site:
        """Return the site with the Pythons that can really be loaded, where there are any."""

        def corrected(environment: SoftwareEnvironment) -> SoftwareEnvironment:
            found = self.pythons.get(environment.name)
            if found is None or not found.versions:
                return environment
            default = found.default or environment.default_python
            return replace(
                environment,
                pythons=found.versions,
                default_python=default if default in found.versions else found.versions[0],
            )

        return replace(site, environments=tuple(map(corrected, site.environments)))


def read_modules(
    site: Site,
    table: Sequence[ModulePackage],
    lmod: Lmod,
    *,
    progress: Callable[[str], None] = lambda words: None,
    patience: Patience | None = None,
) -> SiteModules:
    """Read the modules of all software environments of a site's profile.

    `table` is what the profile says (`tumpline.sites.load.module_packages`). It stands in for a software environment
    that can not be loaded and for a module that neither has a folder to read nor states anything; for everything else
    what the module system says is believed. `progress` is told what is being done.
    """
    patience = patience or Patience()
    packages: set[ModulePackage] = set()
    notes: list[ModuleNote] = []
    pythons: dict[str, SitePythons] = {}
    problems: list[Problem] = []
    try:
        before = frozenset(lmod.load().folders)
    except EnvironmentFailure as failure:
        return SiteModules(tuple(table), problems=failure.problems, system=lmod.title)
    for environment in site.environments:
        rows = [row for row in table if row.environment == environment.name]
        progress(f"asking for the modules of StdEnv/{environment.name}")
        try:
            loaded = lmod.load(f"StdEnv/{environment.name}")
            pythons[environment.name] = offered_pythons(lmod, loaded)
            reading = _Reading(environment, rows, lmod, loaded, patience, progress)
            reading.read(lmod.module_files(_folders(loaded, before), loaded), site)
        except EnvironmentFailure as failure:
            problems += failure.problems
            packages.update(rows)
            continue
        packages.update(reading.packages)
        notes += reading.notes
        problems += reading.problems
    order = sorted(
        packages, key=lambda row: (row.environment, row.module, row.module_version, version_key(row.python), row.name)
    )
    return SiteModules(tuple(order), tuple(sorted(notes)), pythons, tuple(problems), lmod.title)


def offered_pythons(lmod: Lmod, loaded: LoadedModules) -> SitePythons:
    """Return the Pythons that can be loaded now; raises what `Lmod.available` raises."""

    def versions(names: Iterable[str]) -> list[str]:
        return [version for name in names if _EXACT.fullmatch(version := name.removeprefix(f"{_PYTHON}/"))]

    found = sorted(versions(lmod.available(_PYTHON, loaded)), key=parse_version)
    default = versions(lmod.available(_PYTHON, loaded, default=True)) if found else []
    return SitePythons(tuple(found), default[0] if default else "")


class _Reading:
    """The reading of one software environment."""

    def __init__(
        self,
        environment: SoftwareEnvironment,
        table: Sequence[ModulePackage],
        lmod: Lmod,
        loaded: LoadedModules,
        patience: Patience,
        progress: Callable[[str], None],
    ) -> None:
        self.packages: list[ModulePackage] = []
        self.notes: list[ModuleNote] = []
        self.problems: list[Problem] = []
        self._environment = environment
        self._table: dict[tuple[str, str], list[ModulePackage]] = {}
        for row in table:
            self._table.setdefault((row.module, row.module_version), []).append(row)
        self._lmod = lmod
        self._loaded = loaded
        self._patience = patience
        self._progress = progress

    def read(self, files: Sequence[ModuleFile], site: Site) -> None:
        """Read the modules that can bring Python packages; the others are not worth the time."""
        known = {module for module, _ in self._table} | {dummy.module for dummy in site.dummies}
        dummies = {dummy.name for dummy in site.dummies}
        wanted: dict[tuple[str, str], list[ModuleFile]] = {}
        for file in files:
            if file.hidden or not file.version or file.name == _PYTHON:
                continue
            if file.name in known or _mentions(file.path) or any(name in dummies for name, _ in _extensions(file)):
                if _NAME.fullmatch(file.name) and _VERSION.fullmatch(file.version):
                    wanted.setdefault((file.name, file.version), []).append(file)
                else:
                    self._refuse(file)
        chosen = [file for group in wanted.values() for file in group]
        where = f"StdEnv/{self._environment.name}"
        prefixes = self._lmod.prefixes(
            chosen,
            _VARIABLE,
            self._loaded,
            lambda done: self._progress(f"asked {done} of {len(chosen)} modules of {where} where their packages are"),
        )
        for done, ((module, version), group) in enumerate(wanted.items()):
            self._progress(f"read the packages of {done} of {len(wanted)} modules of {where}")
            self._module(module, version, group, prefixes)

    def _module(
        self, module: str, version: str, files: Sequence[ModuleFile], prefixes: Mapping[Path, tuple[str, ...]]
    ) -> None:
        """Take one module; it can have several files, for several compilers, which together are what can be had."""
        folders = dict.fromkeys(
            prefix for file in files for prefix in prefixes.get(file.path, ()) if prefix.startswith("/")
        )
        readings = [packages_below(Path(folder), self._patience) for folder in folders]
        rows = [
            self._row(module, version, found.python, found.name, found.version)
            for reading in readings
            for found in reading or ()
        ]
        evidence: ModuleEvidence = "read"
        if not readings or None in readings:
            known = self._table.get((module, version), [])
            stated = dict(package for file in files for package in _extensions(file))
            if stated:
                evidence = "stated"
                pythons = dict.fromkeys(row.python for row in known) or self._minors()
                read = {(row.python, row.name) for row in rows}
                rows += [
                    self._row(module, version, python, name, its)
                    for name, its in stated.items()
                    for python in pythons
                    if (python, name) not in read
                ]
            elif known:
                evidence = "table"
                rows += known
        if rows:
            self.packages += rows
            self.notes.append(
                ModuleNote(self._environment.name, module, version, evidence, _needs(files, self._loaded))
            )

    def _row(self, module: str, module_version: str, python: str, name: str, version: str) -> ModulePackage:
        return ModulePackage(self._environment.name, module, module_version, python, normalise(name), version)

    def _minors(self) -> dict[str, None]:
        return dict.fromkeys(".".join(python.split(".")[:2]) for python in self._environment.pythons)

    def _refuse(self, file: ModuleFile) -> None:
        self.problems.append(
            Problem(
                "module-name-unusual",
                f"a module is named {file.full_name!r} and is left out",
                where=str(file.path),
                why="names of modules have letters, digits, dots, dashes, underscores and plus signs",
                hint="if you need what it brings, ask those who made it for another name",
            )
        )


def _folders(loaded: LoadedModules, before: frozenset[str]) -> list[str]:
    """Return where the modules of a software environment are.

    Not searched is the folder with ``StdEnv`` itself, from which every other software environment is reached as well;
    unless all are in one.
    """
    roots = {folder for folder in before if any(file.startswith(f"{folder}/") for file in loaded.files)}
    return [folder for folder in loaded.folders if folder not in roots] or list(loaded.folders)


def _mentions(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return _VARIABLE.encode() in stream.read(_LARGEST)
    except OSError:
        # Asked all the same: the module system may do better.
        return True


def _extensions(file: ModuleFile) -> Iterable[tuple[str, str]]:
    """Yield the extensions that can be Python packages, as (name, version)."""
    for text in file.provides:
        name, _, version = text.partition("/")
        if _PROJECT.fullmatch(name):
            try:
                parse_version(version)
            except ValueError:
                continue
            yield normalise(name), version


def _needs(files: Sequence[ModuleFile], loaded: LoadedModules) -> tuple[str, ...]:
    """Return what has to be loaded first, beside the software environment: the shortest way to one of the files."""
    ways: list[tuple[str, ...]] = []
    for file in files:
        if str(file.folder) in loaded.folders or not file.chains:
            return ()
        ways += (tuple(name for name in chain if name not in loaded.names) for chain in file.chains)
    return min(ways, key=lambda way: (len(way), way))
