"""What a job on nodes without internet would lack, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tumpline.cli.amounts import counted
from tumpline.errors import Problem

if TYPE_CHECKING:
    from tumpline.environment.stage import Survey
    from tumpline.environment.wheelstore import WheelStore

__all__ = ["staging_problems"]


def staging_problems(survey: Survey, stage: WheelStore) -> Iterator[Problem]:
    """Yield what a survey found: ``not-staged`` once, ``wheel-gone`` for each file."""
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
