"""``tumpline parity --env`` and ``--freeze``: an environment, or a list of one, against a target of the lock."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import choose_target, read_lock_of
from tumpline.errors import InputError, Problem
from tumpline.host import variables
from tumpline.lock.against import Comparison, Installed, InstalledRow, State, compare

if TYPE_CHECKING:
    from tumpline.lock import Lock
    from tumpline.project.foreign import Row
    from tumpline.values import Name

__all__ = ["compare_installed"]

_WORDS: dict[State, str] = {
    "same": "the same",
    "local": "the same, built elsewhere",
    "module": "of modules, not compared",
    "unknown": "in a version that is not stated",
    "missing": "missing",
    "extra": "not in the lock",
    "patch": "another patch",
    "minor": "another minor version",
    "major": "another major version",
}

_TOLD: tuple[State, ...] = ("major", "minor", "patch", "missing", "extra", "unknown", "module")
"""The states whose packages are listed, the worst first."""


def compare_installed(options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare and print; return 1 where anything differs, or could not be read."""
    root, lock = read_lock_of(options)
    if len(options.target) > 1:
        raise InputError.of(
            "target-needed", "an environment is compared with one target", hint="give --target only once"
        )
    installed, python, notes, problems = _freeze(options.freeze) if options.freeze else _environment(options.env)
    target = _target(lock, options)
    found = compare(lock, target, installed, python=python, own=_own(root))
    what = options.freeze or options.env
    for note in notes:
        terminal.note(note)
    if terminal.json:
        terminal.data(json.dumps(_data(found, what, notes, problems), indent=2))
    else:
        _tell(found, what, terminal)
        for problem in problems:
            terminal.problem(problem)
    return 1 if found.different or problems else 0


def _environment(folder: Path) -> tuple[list[Installed], str, tuple[Problem, ...], tuple[Problem, ...]]:
    from tumpline.environment.installed import read_installed

    found = read_installed(folder)
    return [Installed(each.name, each.version) for each in found.packages], found.python, found.notes, ()


def _freeze(file: Path) -> tuple[list[Installed], str, tuple[Problem, ...], tuple[Problem, ...]]:
    from tumpline.project.foreign.read import read_foreign

    found = read_foreign(file, variables())
    installed = [
        Installed(row.name, _version(row), row.kind == "module")
        for row in found.rows
        if row.name is not None and row.kind in ("package", "module")
    ]
    return installed, found.python, found.notes, found.problems


def _version(row: Row) -> str:
    """Return the version that a row states in full, empty where it states none."""
    from tumpline.project.spelling import drop_site_local

    _, dropped = drop_site_local(row.written)
    if row.site_local and dropped:
        return dropped[0]
    clauses = list(row.requirement.specifier) if row.requirement is not None else []
    pinned = len(clauses) == 1 and clauses[0].operator in ("==", "===") and not clauses[0].version.endswith(".*")
    return clauses[0].version if pinned else ""


def _target(lock: Lock, options: argparse.Namespace) -> str:
    """Return the target that is named, else the environment's own, else the one for this machine."""
    if options.target:
        return str(options.target[0])
    if options.env is not None:
        from tumpline.environment.record import read_record

        try:
            record = read_record(options.env)
        except InputError:
            record = None  # it says nothing that could be followed
        if record is not None and lock.target(record.target) is not None:
            return record.target
    return choose_target(lock, argparse.Namespace(target=None)).name


def _own(root: Path) -> Name | None:
    """Return the name of the project itself; a project that can not be read does not matter here."""
    from tumpline.project.read import read_project

    try:
        return read_project(root).name
    except InputError:
        return None


def _tell(found: Comparison, what: Path, terminal: Terminal) -> None:
    if found.other_python:
        terminal.data(f"Python is {found.python}, and {found.target.python} for {found.target.name}")
    for state in _TOLD:
        rows = [row for row in found.rows if row.state == state]
        if state == "module" and terminal.verbosity < 1:
            continue
        for row in rows:
            terminal.data(_line(row))
    counted = ", ".join(f"{count} {_WORDS[state]}" for state, count in found.counts.items())
    verdict = "differs from" if found.different else "is"
    terminal.say(f"{what} {verdict} what is locked for {found.target.name}: {counted or 'no packages'}")


def _line(row: InstalledRow) -> str:
    match row.state:
        case "missing":
            return f"{row.name} {row.locked} is missing"
        case "extra":
            return f"{row.name} {row.found} is not in the lock".replace("  ", " ")
        case "module":
            return f"{row.name} {row.locked or row.found} is a module's".replace("  ", " ")
        case "unknown":
            return f"{row.name} is there in {row.found or 'a version that is not stated'}; locked is {row.locked}"
        case _:
            return f"{row.name} is {row.found}, locked is {row.locked} ({row.state})"


def _data(
    found: Comparison, what: Path, notes: tuple[Problem, ...], problems: tuple[Problem, ...]
) -> dict[str, object]:
    return {
        "schema": "tumpline.parity-installed/1",
        "compared": str(what),
        "target": found.target.name,
        "python": {"locked": found.target.python, "found": found.python or None, "different": found.other_python},
        "different": found.different,
        "packages": [
            {
                "name": row.name,
                "locked": row.locked or None,
                "found": row.found or None,
                "state": row.state,
                "different": row.different,
            }
            for row in found.rows
        ],
        "summary": dict(found.counts),
        "notes": [note._asdict() for note in notes],
        "problems": [problem._asdict() for problem in problems],
    }
