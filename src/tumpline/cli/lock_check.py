"""``tumpline lock --check``: whether the lock still is what the project asks for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.lock_report import extent
from tumpline.cli.outdated import outdated_problems
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import open_targets
from tumpline.errors import NotSo
from tumpline.lock.check import check_lock
from tumpline.lock.file import read_lock

if TYPE_CHECKING:
    from tumpline.project import Project

__all__ = ["check"]


def check(project: Project, path: Path, options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare the lock with the project; return 1, or raise NotSo, where it is out of date."""
    lock = read_lock(path)
    targets, catalogues = open_targets(project, options)
    known = {
        target.name: catalogue.info if catalogue is not None else None
        for target, catalogue in zip(targets, catalogues, strict=True)
    }
    here = {target.name: (target, catalogue) for target, catalogue in zip(targets, catalogues, strict=True)}

    def compare(name: str) -> tuple[str, ...]:
        from tumpline.lock.disagreement import disagreements

        target, catalogue = here[name]
        return disagreements(lock, target, catalogue) if catalogue is not None else ()

    found = check_lock(lock, project, known, compare)
    outdated = [change for change in found if change.outdated]
    if terminal.json:
        rows = [
            {
                "code": c.code,
                "message": c.message,
                "target": c.target or None,
                "outdated": c.outdated,
                "details": list(c.details),
            }
            for c in found
        ]
        terminal.data(
            json.dumps({"schema": "tumpline.lock-check/1", "current": not outdated, "changes": rows}, indent=2)
        )
        return 1 if outdated else 0
    for change in found:
        if not change.outdated:
            terminal.say(f"note: {f'{change.target}: ' if change.target else ''}{change.message}")
    if outdated:
        raise NotSo(*outdated_problems(found, path.name))
    terminal.say(f"{path.name} is current: {extent(lock)}")
    return 0
