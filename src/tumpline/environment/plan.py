"""The plan of an environment: from a lock and a target to what is installed, what is expected and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from tumpline.environment.origin import Installable, identity
from tumpline.environment.record import Expected
from tumpline.errors import InputError, Problem
from tumpline.lock import Lock, LockedTarget, ModuleArtefact, WheelhouseArtefact
from tumpline.lock.model import Source
from tumpline.project import Project
from tumpline.values import Name, normalise

__all__ = ["Plan", "WheelStep", "listed_problem", "plan_environment", "some"]

_MADE_BY = 2
"""Raised when the same lock would make another environment than before, so that old ones are made anew."""


@dataclass(frozen=True, slots=True)
class WheelStep:
    """A wheel to install, and where it comes from.

    `requested` says that the project itself asks for the package, `build` that the artefact is a source of which the
    wheel is to be built first. `mark` is a digest of all that, short: what is installed under the same mark is the
    same.
    """

    name: Name
    version: str
    source: Source
    artefact: Installable
    requested: bool
    build: bool
    mark: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what an environment will be.

    `wheels` are in the order of their names. `root` is the folder from which their paths count. `expected` are packages
    that the target's modules bring. `project` is the folder of the project to install editable, or None, and
    `project_name` its name (else empty). `key` is a digest of all that, in hexadecimal: the same key, the same
    environment.
    """

    target: LockedTarget
    root: Path
    wheels: tuple[WheelStep, ...]
    expected: tuple[Expected, ...]
    project: Path | None
    project_name: str
    key: str

    @property
    def listed(self) -> tuple[WheelStep, ...]:
        """Return the wheels of the wheelhouse that are only listed: they can be named, and not installed (R24)."""
        return tuple(step for step in self.wheels if _is_listed(step.artefact))


def plan_environment(lock: Lock, target_name: str, project: Project | None = None, *, listed: bool = False) -> Plan:
    """Make the plan for one target of the lock.

    `project` is installed editable where it is a package that can be built; otherwise neither it nor its folder becomes
    importable. Raises InputError ``unknown-target``; ``lock-is-listed`` where a wheel of the wheelhouse is not known by
    file and digest, unless `listed` allows such a plan, which is not one to install; ``build-not-allowed`` where a
    package would have to be built that the project neither names by address itself nor allows to be built. All
    packages concerned are named. Reads the project's pyproject.toml, and looks at the files of packages that are taken
    from a folder.
    """
    target = lock.target(target_name)
    if target is None:
        names = ", ".join(known.name for known in lock.targets)
        raise InputError.of(
            "unknown-target",
            f"the lock has no target {target_name!r}",
            hint=f"choose one of: {names}" if names else "add a target to pyproject.toml, then run: tumpline lock",
        )
    wheels: list[WheelStep] = []
    expected: list[Expected] = []
    refused: list[str] = []
    allowed = _may_be_built(project)
    root = project.root if project is not None else Path()
    for package in lock.packages:
        if (pin := package.pin(target_name)) is None:
            continue
        artefact = pin.artefact
        if isinstance(artefact, ModuleArtefact):
            expected.append(Expected(package.name, pin.version, artefact.module))
            continue
        if pin.build and package.name not in allowed:
            refused.append(f"{package.name} {pin.version}")
        requested = package.name in lock.roots
        mark = _mark([package.name, pin.version, requested, *identity(artefact, root)])
        wheels.append(WheelStep(package.name, pin.version, pin.source, artefact, requested, pin.build, mark))
    unknown = [] if listed else [f"{step.name} {step.version}" for step in wheels if _is_listed(step.artefact)]
    if problems := [*listed_problem(target, unknown), *_refused_problem(target, refused)]:
        raise InputError(*problems)
    folder = project.root if project is not None and project.buildable and project.name else None
    name = project.name if folder is not None and project is not None and project.name else ""
    steps = tuple(sorted(wheels, key=lambda step: step.name))
    return Plan(target, root, steps, tuple(expected), folder, name, _key(target, steps, expected, folder))


def _may_be_built(project: Project | None) -> frozenset[Name]:
    """Return the packages whose code may be run: those allowed by name, and what the project itself has an address for.

    An address that another package brought in is no consent.
    """
    if project is None:
        return frozenset()
    named = (each.requirement.name for each in project.requirements if each.requirement.url)
    rules = project.settings.packages.items()
    return frozenset([*map(normalise, named), *(name for name, rule in rules if rule.build)])


def _mark(facts: list[object]) -> str:
    return hashlib.sha256(json.dumps(facts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _key(target: LockedTarget, wheels: tuple[WheelStep, ...], expected: list[Expected], project: Path | None) -> str:
    """Digest what the environment depends on; the catalogue's date and identity, for one, are not part of it."""
    content = {
        "made-by": _MADE_BY,
        "target": [target.name, target.site, target.environment, target.cpu_level, target.python, list(target.modules)],
        "wheels": [step.mark for step in wheels],
        "expected": [package._asdict() for package in expected],
        "project": _fingerprint(project),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _fingerprint(project: Path | None) -> list[str]:
    """Return where the project is and a digest of its pyproject.toml, from which its scripts and its name come."""
    if project is None:
        return []
    try:
        content = (project / "pyproject.toml").read_bytes()
    except OSError:
        # It was read a moment ago; the build, which needs it too, will say what is wrong.
        content = b""
    return [str(project), hashlib.sha256(content).hexdigest()]


def _is_listed(artefact: Installable) -> bool:
    return isinstance(artefact, WheelhouseArtefact) and not (artefact.layer and artefact.file and artefact.record)


def listed_problem(target: LockedTarget, packages: list[str]) -> list[Problem]:
    """Return ``lock-is-listed`` for packages of a wheelhouse whose files nobody looked at; nothing for none."""
    if not packages:
        return []
    return [
        Problem(
            "lock-is-listed",
            f"the lock does not know the wheels of {target.site} themselves, only that they are listed",
            where=f"target {target.name}",
            why=f"without file and digest: {some(packages)}",
            hint=f"on {target.site} run: tumpline catalogue scan, then tumpline lock",
        )
    ]


def _refused_problem(target: LockedTarget, packages: list[str]) -> list[Problem]:
    if not packages:
        return []
    name = packages[0].partition(" ")[0]
    return [
        Problem(
            "build-not-allowed",
            "packages would have to be built, which the project does not allow",
            where=f"target {target.name}",
            why=some(packages),
            hint=f"allow it, which runs code of the package: {name} = {{ build = true }} under "
            "[tool.tumpline.packages]; or choose versions that have a wheel, then run: tumpline lock",
        )
    ]


def some(items: list[str], most: int = 10) -> str:
    """Return a few of many, and how many more there are."""
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest
