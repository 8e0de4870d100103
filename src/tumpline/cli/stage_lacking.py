"""What a job on nodes without internet would lack, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tumpline.cli.amounts import counted
from tumpline.errors import Problem

if TYPE_CHECKING:
    from tumpline.cli.terminal import Terminal
    from tumpline.environment.stage import Survey
    from tumpline.environment.stage_check import Damage
    from tumpline.environment.wheelstore import WheelStore

__all__ = ["damage_problems", "remark_listed", "staging_problems"]


def staging_problems(survey: Survey, stage: WheelStore) -> Iterator[Problem]:
    """Yield what a survey found: ``not-staged`` and ``lock-is-listed`` once, ``wheel-gone`` for each file."""
    from tumpline.environment.plan import listed_problem

    target = survey.plan.target
    if survey.lacking:
        lines = [f"{need}: {need.what}" for need in survey.lacking]
        yield Problem(
            "not-staged",
            f"{counted(len(lines), 'wheel')} that a job needs {'is' if len(lines) == 1 else 'are'} not staged",
            where=f"target {target.name}",
            why="\n".join(lines),
            hint=f"where there is internet, run: tumpline stage --target {target.name}; the stage is {stage.folder}",
        )
    for name, version, path in survey.gone:
        yield Problem(
            "wheel-gone",
            f"the file of {name} {version} is not there",
            where=f"target {target.name}",
            why=f"there is no {path}",
            hint="lock again: tumpline lock; for the wheelhouse first tumpline catalogue scan",
        )
    yield from listed_problem(target, [f"{step.name} {step.version}" for step in survey.plan.listed])


def damage_problems(survey: Survey, damaged: Iterable[Damage]) -> Iterator[Problem]:
    """Yield what was found when everything was read: ``stage-damaged`` once, what is elsewhere as it is."""
    damaged = tuple(damaged)
    lines = [f"{one.name} {one.version}".strip() + f": {one.path}" for one in damaged if one.mendable]
    if lines:
        target = survey.plan.target.name
        yield Problem(
            "stage-damaged",
            f"{counted(len(lines), 'wheel')} in the stage {'is' if len(lines) == 1 else 'are'} not as locked",
            where=f"target {target}",
            why="\n".join(lines),
            hint=f"where there is internet, run: tumpline stage --target {target}; it brings them again",
        )
    yield from (one.problem._replace(where=str(one.path)) for one in damaged if not one.mendable)


def remark_listed(survey: Survey, terminal: Terminal) -> None:
    """Say which wheels are taken to be in the wheelhouse since a list says so, and what has to be done there (R24)."""
    from tumpline.environment.plan import some

    if not survey.plan.listed:
        return
    site = survey.plan.target.site
    count = counted(len(survey.plan.listed), "wheel")
    terminal.note(
        Problem(
            "lock-is-listed",
            f"{count} taken to be in the wheelhouse of {site}, since a public list has them",
            where=f"target {survey.plan.target.name}",
            why=some([f"{step.name} {step.version}" for step in survey.plan.listed]),
            hint=f"before the first job there, on {site} run: tumpline catalogue scan, then tumpline lock, and "
            "tumpline stage for what that changes",
        )
    )
