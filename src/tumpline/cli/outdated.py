"""The remark that a lock is not what the project asks for any more."""

from __future__ import annotations

from tumpline.cli.terminal import Terminal
from tumpline.errors import Problem
from tumpline.lock import Lock
from tumpline.project import Project

__all__ = ["remark_outdated"]


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
