"""What modules provide of one package, seen from one target (R5, R6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion

from tumpline.resolve.explanation import Finding, ModuleChoice
from tumpline.resolve.target import Target
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name, parse_specifier, parse_version, public_version

__all__ = ["ModuleAccount", "satisfies", "shortened"]

_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class ModuleAccount:
    """What modules provide of one package, seen from one target (R5, R6).

    A version that is wanted satisfies all `specifiers` and, of each of the `alternatives`, one.
    """

    name: Name
    target: Target
    dummy: Dummy | None
    rows: tuple[ModulePackage, ...]
    specifiers: tuple[str, ...]
    alternatives: tuple[tuple[str, ...], ...] = ()

    def loaded(self) -> list[str]:
        """Say of each of the target's modules that may provide the package why it does not provide what is wanted."""
        names = {row.module for row in self.rows} | ({self.dummy.module} if self.dummy else set())
        return [self._of(module) for module in self.target.modules if module.partition("/")[0] in names]

    def lack(self, kind: str) -> Finding:
        """Say why no module provides what is wanted: as ``dummy``, where nothing else could, or as ``module``."""
        why = "python" if not self._here() else "version" if self.loaded() or not self._fitting() else "not-loaded"
        return Finding("modules", f"{kind}-{why}", f"{'only ' if kind == 'dummy' else ''}{self._lack()}")

    def choices(self) -> tuple[ModuleChoice, ...]:
        """Return the modules of the software environment: for this Python first, of these what is wanted first."""
        fitting = self._fitting()
        rows = [row for row in self.rows if row.environment == self.target.environment and satisfies(row.version, ())]
        rows.sort(key=lambda row: _module_key(row.module_version), reverse=True)
        rows.sort(key=lambda row: fitting.index(_spec(row)) if _spec(row) in fitting else len(fitting))
        rows.sort(key=lambda row: (row.python != self.target.minor, not self._wanted(row)))
        return tuple(
            ModuleChoice(_spec(row), row.version, row.python, self._wanted(row), _spec(row) in fitting) for row in rows
        )

    def _lack(self) -> str:
        told = "; ".join(self.loaded())
        if not self._here():
            module = self.dummy.module if self.dummy else self.rows[0].module
            none = f"the module {module} provides it, and no version of it has Python {self.target.minor}"
            return f"{none}; {told}" if told else none
        if told:
            return f"a module provides it: {told}"
        if not self._fitting():
            return f"a module provides it, and for Python {self.target.minor} {self._versions_here()}"
        return f"a module provides it, but none is loaded that fits Python {self.target.minor}"

    def proposal(self) -> str:
        """Return the key that loads a module with a wanted version, beside those that are loaded; empty if none has."""
        fitting = self._fitting()
        if not fitting:
            return ""
        taken = fitting[0].partition("/")[0]
        others = [module for module in self.target.modules if module.partition("/")[0] != taken]
        verb = "load" if len(others) < len(self.target.modules) else "add"
        listed = ", ".join(f'"{module}"' for module in [*others, fitting[0]])
        where = f"{'in' if verb == 'load' else 'to'} the modules of target {self.target.name}"
        return f"{verb} {'one of ' if len(fitting) > 1 else ''}{shortened(fitting)} {where}: modules = [{listed}]"

    def way_out(self) -> str:
        """Say what to do where no module fits this Python."""
        pythons = sorted({choice.python for choice in self.choices() if choice.wanted}, key=_module_key)
        if not pythons:
            return f"relax the requirement on {self.name}, or leave it out on {self.target.name} with a marker"
        return f"choose another Python for target {self.target.name}: modules have it for {', '.join(pythons)}"

    def _of(self, module: str) -> str:
        rows = [row for row in self.rows if _spec(row) == module]
        brought = sorted({row.version for row in rows if self._fits(row)})
        if brought:
            return f"{module} is loaded, which brings {self.name} {', '.join(brought)}"
        if not rows:
            return f"{module} is loaded, of which the catalogue knows nothing"
        pythons = sorted({row.python for row in rows if row.environment == self.target.environment}, key=_module_key)
        has = f"has {self.name} only for Python {', '.join(pythons)}" if pythons else f"has no {self.name} there"
        return f"{module} is loaded, which in StdEnv {self.target.environment} {has}"

    def _versions_here(self) -> str:
        versions = {row.version for row in self._here()}
        return f"modules have only {shortened(sorted(versions, key=_module_key, reverse=True))}"

    def _fits(self, row: ModulePackage) -> bool:
        return row.environment == self.target.environment and row.python == self.target.minor

    def _here(self) -> list[ModulePackage]:
        return [row for row in self.rows if self._fits(row)]

    def _wanted(self, row: ModulePackage) -> bool:
        return satisfies(row.version, self.specifiers) and all(
            any(satisfies(row.version, (one,)) for one in group) for group in self.alternatives
        )

    def _fitting(self) -> list[str]:
        """Return the modules that have a wanted version: the dummy's and loaded ones first, then the newest first."""
        loaded = {module.partition("/")[0] for module in self.target.modules}
        first = self.dummy.module if self.dummy else ""
        fitting = {(row.module, row.module_version) for row in self._here() if self._wanted(row)}
        newest_first = sorted(fitting, key=lambda found: (_module_key(found[1]), found[0]), reverse=True)
        return [
            f"{module}/{version}"
            for module, version in sorted(newest_first, key=lambda found: (found[0] != first, found[0] not in loaded))
        ]


def _spec(row: ModulePackage) -> str:
    return f"{row.module}/{row.module_version}"


def satisfies(version: str, specifiers: Sequence[str]) -> bool:
    """Say whether a version satisfies all specifier sets, compared as a public version (R1).

    What is no version satisfies none, not even no set.
    """
    try:
        public = public_version(parse_version(version))
    except InvalidVersion:
        return False
    return all(parse_specifier(specifier).contains(public, prereleases=True) for specifier in specifiers)


def _module_key(version: str) -> tuple[object, ...]:
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in version.replace("-", ".").split(".")
    )


def shortened(words: Sequence[str]) -> str:
    """Return the first few of some words, and the count of the rest."""
    rest = len(words) - _MOST_SHOWN
    return ", ".join(words[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
