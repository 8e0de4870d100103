"""What an import adds to a project: requirements in the style that was asked for, and modules of its targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tumpline.errors import Problem
from tumpline.project.pins import PinStyle, pinned
from tumpline.resolve.import_merge import Wanted
from tumpline.resolve.import_modules import ModuleKnowledge
from tumpline.values import Name, parse_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.resolve.imports import Judgement
    from tumpline.resolve.target import Target

__all__ = ["Addition", "ImportPlan", "plan_import"]


@dataclass(frozen=True, slots=True)
class Addition:
    """One requirement to add, where the list has it, and the modules that bring it to targets, by target."""

    requirement: Requirement
    origin: str
    group: str = ""
    modules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be added. `constraints` are the pins of what others need, where they are to be kept.

    `modules` are all modules of a target with those that are to be added, by target; only targets that change are in
    it. `notes` say of packages for which no module fits.
    """

    additions: tuple[Addition, ...]
    constraints: tuple[Requirement, ...]
    modules: Mapping[str, tuple[str, ...]]
    notes: tuple[Problem, ...] = ()


def plan_import(
    judgements: Sequence[Judgement],
    knowledge: ModuleKnowledge,
    targets: Sequence[Target],
    *,
    style: PinStyle,
    keep_all: bool,
    constrained: Collection[Name] = (),
) -> ImportPlan:
    """Return what the project lacks of what was judged; `constrained` are the names of its own constraints."""
    planner = _Planner(knowledge, targets, style)
    additions = [planner.addition(judgement, wanted) for judgement in judgements for wanted in judgement.kept]
    constraints: dict[Name, Requirement] = {}
    for judgement in judgements:
        for wanted in judgement.needed:
            planner.load(judgement, wanted)
            if keep_all and wanted.name not in constrained and wanted.row.kind == "package":
                constraints.setdefault(wanted.name, pinned(_bare(wanted), wanted.version, "exact"))
    return ImportPlan(tuple(additions), tuple(constraints.values()), planner.modules(), tuple(planner.notes))


class _Planner:
    def __init__(self, knowledge: ModuleKnowledge, targets: Sequence[Target], style: PinStyle) -> None:
        self._knowledge = knowledge
        self._targets = targets
        self._style = style
        self._loads: dict[str, list[str]] = {target.name: list(target.modules) for target in targets}
        self.notes: list[Problem] = []

    def modules(self) -> dict[str, tuple[str, ...]]:
        return {
            target.name: tuple(self._loads[target.name])
            for target in self._targets
            if self._loads[target.name] != list(target.modules)
        }

    def addition(self, judgement: Judgement, wanted: Wanted) -> Addition:
        brought, version = self.load(judgement, wanted)
        requirement = wanted.requirement
        if wanted.version and not _names_a_build(requirement):
            requirement = pinned(requirement, version or wanted.version, self._style)
            if version and self._style == "exact" and version != wanted.version:
                # The module has 4.10.0 where the index has 4.10.0.84: the same release, whose builds the index counts.
                requirement = pinned(requirement, f"{version}.*", "exact")
        return Addition(requirement, wanted.row.origin, wanted.group, brought)

    def load(self, judgement: Judgement, wanted: Wanted) -> tuple[Mapping[str, str], str]:
        """Add the modules that bring a package to the targets that have it from modules only.

        Return the modules by target, and the release that they have of the version pinned; empty where it is that.
        """
        brought: dict[str, str] = {}
        release = ""
        for place, target in enumerate(self._targets):
            name = wanted.name
            if not self._knowledge.only_from_modules(name, place) or self._knowledge.loaded(name, place):
                continue
            hint = judgement.modules.get(name, "")
            for specifier, found in _specifiers(wanted):
                if module := self._knowledge.choice(name, specifier, place, hint):
                    self._add(target.name, module)
                    brought[target.name] = module
                    release = release or found
                    break
            else:
                self.notes.append(self._no_module(wanted, place))
        return brought, release if release != wanted.version else ""

    def _add(self, target: str, module: str) -> None:
        loads = self._loads[target]
        if all(one.partition("/")[0] != module.partition("/")[0] for one in loads):
            loads.append(module)

    def _no_module(self, wanted: Wanted, place: int) -> Problem:
        target = self._targets[place]
        versions = self._knowledge.versions(wanted.name, place)
        return Problem(
            "no-module-fits",
            f"{wanted.requirement} comes from modules on {target.name}, and none of them fits",
            wanted.row.origin,
            f"for Python {target.minor} modules have {', '.join(versions)}" if versions else "",
            "ask for one of these versions, or limit the requirement to the other targets with a marker"
            if versions
            else f"choose another Python for {target.name}, or limit the requirement to the other targets",
        )


def _names_a_build(requirement: Requirement) -> bool:
    """Whether a pin names the local version of another build (``2.8.0+cu118``): then it is meant as it is written."""
    return any("+" in clause.version for clause in requirement.specifier)


def _specifiers(wanted: Wanted) -> list[tuple[str, str]]:
    """Return the specifiers to look for, the strictest first, each with the release that it means."""
    if not wanted.version:
        return [(str(wanted.requirement.specifier), "")]
    version = parse_version(wanted.version)
    found = [(f"=={wanted.version}", wanted.version)]
    if len(version.release) > 3:
        release = ".".join(map(str, version.release[:3]))
        found.append((f"=={release}.*", release))
    return found


def _bare(wanted: Wanted) -> Requirement:
    from tumpline.project.spelling import compose

    return compose(wanted.name, markers=(str(wanted.requirement.marker or ""),))
