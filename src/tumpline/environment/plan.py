"""The plan of an environment: from a lock and a target to what is installed, what is expected and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tumpline.environment.record import Expected
from tumpline.errors import InputError, Problem
from tumpline.lock import (
    IndexArtefact,
    Lock,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.project import Project
from tumpline.values import Name

__all__ = ["Plan", "WheelStep", "plan_environment"]

_MADE_BY = 1
"""Raised when the same lock would make another environment than before, so that old ones are made anew."""


@dataclass(frozen=True, slots=True)
class WheelStep:
    """A wheel to install. `requested` says that the project itself asks for the package."""

    name: Name
    version: str
    artefact: WheelhouseArtefact | IndexArtefact
    requested: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides what an environment will be.

    `wheels` are in the order of their names. `expected` are packages that the target's modules bring. `project` is
    the folder of the project to install editable, or None, and `project_name` its name (else empty). `key` is a
    digest of all that, in hexadecimal: the same key, the same environment.
    """

    target: LockedTarget
    wheels: tuple[WheelStep, ...]
    expected: tuple[Expected, ...]
    project: Path | None
    project_name: str
    key: str


def plan_environment(lock: Lock, target_name: str, project: Project | None = None) -> Plan:
    """Make the plan for one target of the lock.

    `project` is installed editable where it is a package that can be built; otherwise neither it nor its folder becomes
    importable. Raises InputError ``unknown-target``; ``lock-is-listed`` where a wheel of the wheelhouse is not known by
    file and digest; ``needs-building`` where the lock holds a source distribution; ``address-not-installed``
    where it holds what is taken by address. All packages concerned are named. Reads nothing but the
    project's pyproject.toml.
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
    listed: list[str] = []
    sources: list[str] = []
    addressed: list[str] = []
    for package in lock.packages:
        if (pin := package.pin(target_name)) is None:
            continue
        artefact = pin.artefact
        if isinstance(artefact, ModuleArtefact):
            expected.append(Expected(package.name, pin.version, artefact.module))
            continue
        if isinstance(artefact, PathArtefact | UrlArtefact | VcsArtefact):
            addressed.append(f"{package.name} {pin.version}")
            continue
        if isinstance(artefact, WheelhouseArtefact):
            if not (artefact.layer and artefact.file and artefact.record):
                listed.append(f"{package.name} {pin.version}")
        elif not artefact.file.endswith(".whl"):
            sources.append(f"{package.name} {pin.version} ({artefact.file})")
        wheels.append(WheelStep(package.name, pin.version, artefact, requested=package.name in lock.roots))
    problems = [
        *_listed_problem(target, listed),
        *_source_problem(target, sources),
        *_address_problem(target, addressed),
    ]
    if problems:
        raise InputError(*problems)
    folder = project.root if project is not None and project.buildable and project.name else None
    name = project.name if folder is not None and project is not None and project.name else ""
    steps = tuple(sorted(wheels, key=lambda step: step.name))
    return Plan(target, steps, tuple(expected), folder, name, _key(target, steps, expected, folder))


def _key(target: LockedTarget, wheels: tuple[WheelStep, ...], expected: list[Expected], project: Path | None) -> str:
    """Digest what the environment depends on; the catalogue's date and identity, for one, are not part of it."""
    content = {
        "made-by": _MADE_BY,
        "target": [target.name, target.site, target.environment, target.cpu_level, target.python, list(target.modules)],
        "wheels": [[step.name, step.version, step.requested, *_identity(step.artefact)] for step in wheels],
        "expected": [asdict(package) for package in expected],
        "project": _fingerprint(project),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _identity(artefact: WheelhouseArtefact | IndexArtefact) -> list[str]:
    match artefact:
        case WheelhouseArtefact(layer, file, record):
            return ["wheelhouse", layer, file, record]
        case IndexArtefact(file=file, sha256=sha256):
            return ["index", file, sha256]


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


def _listed_problem(target: LockedTarget, packages: list[str]) -> list[Problem]:
    if not packages:
        return []
    return [
        Problem(
            "lock-is-listed",
            f"the lock does not know the wheels of {target.site} themselves, only that they are listed",
            where=f"target {target.name}",
            why=f"without file and digest: {_some(packages)}",
            hint=f"on {target.site} run: tumpline catalogue scan, then tumpline lock",
        )
    ]


def _source_problem(target: LockedTarget, packages: list[str]) -> list[Problem]:
    if not packages:
        return []
    return [
        Problem(
            "needs-building",
            "packages that are locked as source distributions can not be installed yet",
            where=f"target {target.name}",
            why=_some(packages),
            hint="choose versions that have a wheel for this target, then run: tumpline lock",
        )
    ]


def _address_problem(target: LockedTarget, packages: list[str]) -> list[Problem]:
    if not packages:
        return []
    return [
        Problem(
            "address-not-installed",
            "packages that are locked by address (paths, files of servers, repositories) can not be installed yet",
            where=f"target {target.name}",
            why=_some(packages),
            hint="ask for released versions in their place, then run: tumpline lock; or export the lock for pip or uv: "
            "tumpline export",
        )
    ]


def _some(items: list[str], most: int = 10) -> str:
    rest = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + rest
