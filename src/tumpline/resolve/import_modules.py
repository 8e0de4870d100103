"""Modules and foreign lists: what a module had brought when a list was made, and which modules a project then needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.catalogue import CatalogueReader
from tumpline.resolve.import_merge import exact_pin
from tumpline.resolve.modules import satisfies
from tumpline.sites import ModulePackage
from tumpline.sites.companions import STACKS
from tumpline.values import Name, normalise, version_key

if TYPE_CHECKING:
    from tumpline.project.foreign import Foreign
    from tumpline.resolve.target import Target

__all__ = ["Brought", "ModuleKnowledge"]

_IN_PYTHON = frozenset(
    {
        *("calver", "distlib", "editables", "filelock", "flit-core", "hatch-vcs", "hatchling", "packaging", "pathspec"),
        *("platformdirs", "pluggy", "poetry-core", "pyparsing", "setuptools-scm", "six", "tomli", "trove-classifiers"),
        *("typing-extensions", "virtualenv"),
    }
)
"""What the Python modules themselves hold, beside pip, setuptools and wheel (recipes of Python, StdEnv/2023)."""

_BUILT = re.compile(r"(.+?)-(\d+(?:\.[A-Za-z0-9]+)*?)(?:-.*|\.tar\.\w+|\.zip)?")
"""The folder or file from which a package was built: ``numpy-1.21.2``, ``numpy-1.21.2-cp39-cp39-linux_x86_64.whl``."""

_ENOUGH_OF_A_STACK = 10
"""So many packages in a stack's very versions, and half of the stack, are no accident."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A package that a module had brought; `module` is ``arrow/17.0.0``, a name without version, or empty: unknown.

    `padding`: it came with others, and nothing says that anybody asked for it. `alias_of` is another name under which
    the same module brings the same thing.
    """

    module: str
    version: str = ""
    padding: bool = False
    alias_of: Name | None = None


class ModuleKnowledge:
    """What is known of modules on the project's targets; `packages` are all that modules bring there.

    `catalogues` are by target, None where a target has none.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        catalogues: Sequence[CatalogueReader | None],
        packages: Iterable[ModulePackage],
    ) -> None:
        self._targets = tuple(targets)
        self._catalogues = tuple(catalogues)
        self._packages = tuple(packages)
        self._of_name: dict[Name, list[ModulePackage]] = {}
        for row in self._packages:
            self._of_name.setdefault(row.name, []).append(row)
        self._modules = {normalise(row.module) for row in self._packages} | set(STACKS)

    def is_module(self, name: Name) -> bool:
        """Whether a name is that of a module and of no package that a site has: ``scipy-stack``."""
        return (
            name in self._modules
            and name not in self._of_name
            and not any(catalogue.wheels(name) for catalogue in self._catalogues if catalogue is not None)
        )

    def brought(self, foreign: Foreign) -> dict[Name, Brought]:
        """Return what of a list a module had brought, by name."""
        rows = [row for row in foreign.rows if row.name is not None]
        found = {row.name: self._by_path(row.name, row.path) for row in rows if row.name and row.path is not None}
        if any(row.site_local for row in rows):
            # Wheels of the wheelhouse have a local version: a bare one came from an index, or from a module.
            bare = {
                row.name: exact_pin(row.requirement)
                for row in rows
                if row.name and row.requirement is not None and not row.site_local and row.kind == "package"
            }
            found |= self._stack_in(bare)
            found |= {
                name: Brought("python", version, padding=True)
                for name, version in bare.items()
                if name in _IN_PYTHON and version and name not in found and foreign.form == "pip-list"
            }
        return self._without_aliases(found)

    def only_from_modules(self, name: Name, place: int) -> bool:
        """Whether a target can have a package from its modules only, as its catalogue knows them."""
        catalogue = self._catalogues[place]
        if catalogue is None:
            return False
        return catalogue.dummy(name) is not None or (
            not catalogue.wheels(name) and any(self._fits(row, place) for row in catalogue.modules_for(name))
        )

    def choice(self, name: Name, specifier: str, place: int, hint: str = "") -> str:
        """Return the module (``arrow/17.0.0``) that brings a package to a target, empty where none fits.

        That named by `hint` is preferred, then that of a dummy, then the newest one.
        """
        catalogue = self._catalogues[place]
        if catalogue is None:
            return ""
        rows = [row for row in catalogue.modules_for(name) if self._fits(row, place)]
        fitting = [row for row in rows if satisfies(row.version, (specifier,))]
        dummy = catalogue.dummy(name)
        fitting.sort(key=lambda row: version_key(row.module_version), reverse=True)
        fitting.sort(key=lambda row: (_spec(row) != hint, dummy is None or row.module != dummy.module))
        return _spec(fitting[0]) if fitting else ""

    def loaded(self, name: Name, place: int) -> bool:
        """Whether the target's own modules bring a package."""
        modules = self._targets[place].modules
        return any(_spec(row) in modules and self._fits(row, place) for row in self._of_name.get(name, ()))

    def versions(self, name: Name, place: int) -> tuple[str, ...]:
        """Return the versions that modules bring to a target, the newest first."""
        found = {row.version for row in self._of_name.get(name, ()) if self._fits(row, place)}
        return tuple(sorted(found, key=version_key, reverse=True))

    def _fits(self, row: ModulePackage, place: int) -> bool:
        target = self._targets[place]
        return row.environment == target.environment and row.python == target.minor

    def _by_path(self, name: Name, path: Path) -> Brought:
        """Say what a folder in which a module was built tells: ``/tmp/ebuser/avx2/Arrow/17.0.0/…/pyarrow-17.0.0``."""
        rows = self._of_name.get(name, ())
        folders = {(_letters(one), other) for one, other in pairwise(path.parts)}
        for row in rows:
            if (_letters(row.module), row.module_version) in folders:
                return Brought(_spec(row), row.version, padding=row.module in STACKS)
        built = (_BUILT.fullmatch(part) for part in reversed(path.parts))
        version = next((place[2] for place in built if place is not None and normalise(place[1]) == name), "")
        names = {row.module for row in rows}
        if not names or names & set(STACKS):
            return Brought(STACKS[0] if names else "", version, padding=True)
        return Brought(min(names), version)

    def _stack_in(self, bare: Mapping[Name, str]) -> dict[Name, Brought]:
        """Return what a list has of a stack, where it has most of one in its very versions."""
        stacks: dict[tuple[str, str, str], dict[Name, str]] = {}
        for row in self._packages:
            if row.module in STACKS:
                stacks.setdefault((row.environment, _spec(row), row.python), {})[row.name] = row.version
        best: tuple[int, str, set[Name]] = (0, "", set())
        for (_, spec, _), versions in stacks.items():
            same = {name for name, version in bare.items() if version and versions.get(name) == version}
            if len(same) >= _ENOUGH_OF_A_STACK and len(same) * 2 >= len(versions) and len(same) > best[0]:
                best = (len(same), spec, same)
        return {name: Brought(best[1], bare[name], padding=True) for name in best[2]}

    def _without_aliases(self, found: dict[Name, Brought]) -> dict[Name, Brought]:
        by_module: dict[str, list[Name]] = {}
        for name, one in found.items():
            if not one.padding and one.module:
                by_module.setdefault(one.module, []).append(name)
        for names in by_module.values():
            first = min(names, key=lambda name: (len(name), name))
            for name in names:
                if name != first:
                    one = found[name]
                    found[name] = Brought(one.module, one.version, alias_of=first)
        return found


def _letters(name: str) -> str:
    """Return a name as recipes and modules have it in common: ``SciPy-Stack`` is ``scipystack``."""
    return normalise(name).replace("-", "")


def _spec(row: ModulePackage) -> str:
    return f"{row.module}/{row.module_version}"
