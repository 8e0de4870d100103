"""``tumpline remove``: ask for packages no longer, and lock what is left."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tumpline.cli.lock_making import make_lock
from tumpline.cli.lock_report import outcome_data, tell_outcome
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, find_project
from tumpline.errors import InputError, Problem
from tumpline.lock import ModuleArtefact
from tumpline.project.dependencies import DependencyEdit
from tumpline.project.read import read_project
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from tumpline.lock import Lock

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="a package, in any spelling")
    parser.add_argument("--group", metavar="NAME", help="only from this group or extra (default: wherever it stands)")
    parser.add_argument("--dry-run", action="store_true", help="resolve and show what would be written, write nothing")
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Edit, lock; both files are written, or none. Raises InputError ``not-asked-for``."""
    root = find_project(options)
    edit = ProjectEdit.start(root)
    removed = list(_remove(edit, options))
    project = read_project(root, edit.after)
    for note in project.notes:
        terminal.note(note)
    outcome = make_lock(project, edit, options, terminal)
    if terminal.json:
        rows = [{"name": name, "group": group} for name, group in removed]
        lock = outcome_data(outcome)
        data = {"schema": "tumpline.remove/1", "written": outcome.written, "removed": rows, "lock": lock}
        terminal.data(json.dumps(data, indent=2))
        return 0
    for name, group in removed:
        verb = "would remove" if options.dry_run else "removed"
        terminal.say(f"{verb} {name}{f' from the group {group}' if group else ''}")
    tell_outcome(outcome, options, terminal)
    for target, modules in _idle(outcome.lock):
        terminal.say(f"nothing that is locked for {target} comes from {', '.join(modules)} (yet programs may need it)")
    return 0


def _remove(edit: ProjectEdit, options: argparse.Namespace) -> Iterator[tuple[Name, str]]:
    """Remove the names from the file in memory; yield them with the groups that they were in."""
    document = DependencyEdit(edit.before, str(edit.path))
    problems: list[Problem] = []
    for given in options.names:
        name = normalise(given)
        wanted = None if options.group is None else normalise(options.group)
        groups = [group for group in document.groups(name) if wanted is None or normalise(group) == wanted]
        if not groups:
            problems.append(_not_asked(name, document, options.group))
        for group in groups:
            document.remove(name, group)
            yield name, group
    if problems:
        raise InputError(*problems)
    edit.after = document.content


def _not_asked(name: Name, document: DependencyEdit, group: str | None) -> Problem:
    from difflib import get_close_matches

    elsewhere = [where or "the main dependencies" for where in document.groups(name)]
    near = get_close_matches(name, document.names(), n=3)
    if elsewhere:
        hint = f"it stands in: {', '.join(elsewhere)}"
    elif near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = f"if another package brings it: tumpline why {name}"
    place = f"the group {group}" if group else "the project"
    return Problem("not-asked-for", f"{place} does not ask for {name}", where="NAME", hint=hint)


def _idle(lock: Lock) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the targets with modules that bring nothing of what is locked."""
    for target in lock.targets:
        used = {
            pin.artefact.module
            for package in lock.packages
            for pin in package.pins
            if pin.target == target.name and isinstance(pin.artefact, ModuleArtefact)
        }
        if idle := tuple(module for module in target.modules if module not in used):
            yield target.name, idle
