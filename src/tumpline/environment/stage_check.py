"""Reading all that a target's environment is made of: whether it is what was locked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tumpline.environment.stage import Survey
from tumpline.environment.wheelfile import open_wheel
from tumpline.errors import Problem, TumplineError
from tumpline.lock import PathArtefact, WheelhouseArtefact
from tumpline.values import Name

__all__ = ["Damage", "damage_of"]

_BRINGS_AGAIN = ("wrong-hash", "unreadable-wheel", "damaged-wheel", "truncated-wheel")
"""What is wrong with a file of a stage that is not what was put there."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A wheel that `sync` would refuse. `mendable` says that staging again brings a sound one."""

    name: Name
    version: str
    path: Path
    problem: Problem
    mendable: bool


def damage_of(survey: Survey, wheelhouse: Path | None) -> Iterator[Damage]:
    """Read every wheel of a survey to its end, and yield those that are not as locked, in the order of the plan.

    A wheel of the stage is held against its sha256; one of the wheelhouse, of which the lock has the digest of RECORD,
    against that, and all its files against RECORD; one beside the project against the sha256 in the lock. `wheelhouse`
    is the root folder of the site's layers, None where the site has none; what is not on this machine is not read.
    """
    for need, wheel in survey.here:
        if (problem := _problem(wheel.path, sha256=wheel.sha256)) is not None:
            yield Damage(need.name, need.version, wheel.path, problem, problem.code in _BRINGS_AGAIN)
    for step in survey.plan.wheels:
        match step.artefact:
            case WheelhouseArtefact(layer, file, record) if file and wheelhouse is not None:
                path = wheelhouse / layer / file
                problem = _problem(path, record=record) if path.exists() else None
            case PathArtefact(path=where, sha256=sha256) if not step.build:
                path = survey.plan.root / where
                problem = _problem(path, sha256=sha256) if path.exists() else None
            case _:
                continue
        if problem is not None:
            yield Damage(step.name, step.version, path, problem, mendable=False)


def _problem(path: Path, *, sha256: str = "", record: str = "") -> Problem | None:
    try:
        with open_wheel(path, sha256=sha256, record=record) as wheel:
            if not sha256:
                for _, stream, _ in wheel.get_contents():
                    while stream.read():
                        pass
    except TumplineError as error:
        return error.problems[0]
    return None
