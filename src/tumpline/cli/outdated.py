"""That a lock is not what the project asks for any more: as a remark, and as problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tumpline.errors import Problem

if TYPE_CHECKING:
    from tumpline.cli.terminal import Terminal
    from tumpline.lock import Lock
    from tumpline.lock.check import Staleness
    from tumpline.project import Project

__all__ = ["outdated_problems", "remark_outdated"]

_MOST_DETAILS = 12


def remark_outdated(lock: Lock, project: Project, terminal: Terminal) -> None:
    """Say so where the project's requirements changed since the lock was made; what is locked still holds."""
    if lock.inputs != project.inputs:
        terminal.note(
            Problem(
                "lock-outdated",
                "the project asks for something else since the lock was made",
                where="pyproject.toml",
                hint="bring the lock up to date: tumpline lock",
            )
        )


def outdated_problems(changes: Sequence[Staleness], file: str) -> tuple[Problem, ...]:
    """Return what makes a lock out of date, one problem for each change; the last says what to do."""
    outdated = [change for change in changes if change.outdated]
    return tuple(
        Problem(
            "lock-outdated",
            change.message,
            where=f"target {change.target}" if change.target else file,
            why="\n".join(_first(change.details)),
            hint="bring it up to date: tumpline lock" if change is outdated[-1] else "",
        )
        for change in outdated
    )


def _first(details: tuple[str, ...]) -> tuple[str, ...]:
    rest = len(details) - _MOST_DETAILS
    return (*details[:_MOST_DETAILS], f"… and {rest} more (--json has all)") if rest > 0 else details
