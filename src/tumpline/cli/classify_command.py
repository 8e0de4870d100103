"""``tumpline classify``: which dependencies the clusters have and which only the index, each where it belongs."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tumpline.cli.lock_making import make_lock
from tumpline.cli.lock_report import Outcome, outcome_data, tell_outcome
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.tables import render
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, find_project, open_targets
from tumpline.errors import NoResolution
from tumpline.lock import ModuleArtefact, WheelhouseArtefact
from tumpline.project.dependencies import DependencyEdit
from tumpline.project.read import read_project
from tumpline.values import Name, normalise, parse_version, public_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tumpline.lock import Lock, Pin
    from tumpline.project import Policy, Project
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--strategy",
        choices=("wheelhouse", "pypi", "mixed"),
        help="where packages are to come from, written as the project's policy: the wheelhouse and modules only, the "
        "index only, or the wheelhouse where it will do (default: the policy as it is)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where anything is to change")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show where each dependency comes from and belongs, and put it there; both files are written, or none.

    Where only the wheelhouse is to be used and lacks something, the request for it is printed with the error.
    """
    root = find_project(options)
    edit = ProjectEdit.start(root)
    project = read_project(root)
    classifying = _Classifying(edit, project, options.strategy)
    edit.after = classifying.first()
    edit.decide = classifying.decide
    options.dry_run = options.dry_run or options.check
    project = read_project(root, edit.after)
    for note in project.notes:
        # A site's own version is what this command mends, and shows.
        if note.code != "site-local-dropped":
            terminal.note(note)
    try:
        outcome = make_lock(project, edit, options, terminal)
    except NoResolution as failure:
        request = _request(failure, project, options)
        if not request:
            raise
        if terminal.json:
            problems = [problem._asdict() for problem in failure.problems]
            terminal.data(json.dumps({"problems": problems, "request": request}, indent=2, ensure_ascii=False))
            return failure.exit_status
        terminal.data("\n\n".join(request.values()))
        raise
    rows = classifying.rows
    if terminal.json:
        terminal.data(json.dumps(_data(outcome, rows, edit), indent=2))
    else:
        _tell(outcome, rows, terminal)
        tell_outcome(outcome, options, terminal)
        if not edit.changed:
            terminal.say("every dependency is where it belongs")
    return 1 if options.check and edit.changed else 0


@dataclass(frozen=True, slots=True)
class _Row:
    """A dependency: how it is written before and after, and in which group, where empty is the main section."""

    name: Name
    before: str
    after: str
    was: str
    belongs: str

    @property
    def changed(self) -> bool:
        return (self.before, self.was) != (self.after, self.belongs)


@dataclass(slots=True)
class _Classifying:
    """Puts what is asked for in the main section and in the group of the index where it belongs."""

    edit: ProjectEdit
    project: Project
    strategy: Policy | None
    rows: list[_Row] = field(default_factory=list)

    def first(self) -> bytes:
        """Return the file with the policy that was chosen."""
        return self._document().content

    def _document(self) -> DependencyEdit:
        document = DependencyEdit(self.edit.before, str(self.edit.path))
        if self.strategy is not None and self.strategy != self.project.settings.policy:
            document.set_policy(self.strategy)
        return document

    def decide(self, resolution: Resolution, targets: Sequence[Target]) -> bytes:
        """Return the file with everything in its place; nothing else is touched."""
        from tumpline.resolve.belonging import belongs_to_index, without_local_pin

        document = self._document()
        index_group = self.project.settings.pypi_group
        policy = self.strategy or self.project.settings.policy
        self.rows = []
        declared = [one for one in self.project.requirements if one.group in ("", normalise(index_group), index_group)]
        for one in declared:
            name = normalise(one.requirement.name)
            here = [group for group in document.groups(name) if normalise(group) in ("", normalise(index_group))]
            if not here or sum(normalise(each.requirement.name) == name for each in declared) > 1:
                # Written elsewhere, or in several places for several targets: that is a person's choice.
                continue
            before = document.written(name, here[0])
            requirement = without_local_pin(one.requirement, before)
            belongs = index_group if policy != "pypi" and belongs_to_index(name, resolution, targets) else ""
            moves = bool(here[0]) != bool(belongs) and not (one.requirement.url or "").startswith("file:")
            if moves:
                document.remove(name, here[0])
            if moves or requirement != one.requirement:
                document.add(requirement, belongs if moves else here[0])
            place = belongs if moves else here[0]
            self.rows.append(_Row(name, before, document.written(name, place), here[0], place))
        return document.content


def _request(failure: NoResolution, project: Project, options: argparse.Namespace) -> dict[str, str]:
    """Return the request for the wheels that the wheelhouse lacks, by language; empty where that is not the matter."""
    from tumpline.cli.wheel_request import wheel_request
    from tumpline.resolve.explanation import Unresolved

    if project.settings.policy != "wheelhouse" or not isinstance(failure, Unresolved):
        return {}
    targets, _ = open_targets(project, options)
    return wheel_request(targets, (*failure.explanation.lacks, *failure.explanation.needs), tried=False)


def _tell(outcome: Outcome, rows: Sequence[_Row], terminal: Terminal) -> None:
    lock = outcome.lock
    columns = ["dependency", *(target.name for target in lock.targets), "belongs to"]
    lines = [[row.after, *_cells(row.name, lock), _place(row)] for row in rows]
    for line in render(lines, columns):
        terminal.data(line)


def _place(row: _Row) -> str:
    place = row.belongs or "main"
    if row.was != row.belongs:
        return f"{place}, moved from {row.was or 'main'}"
    return f"{place}, was {row.before}" if row.changed else place


def _cells(name: Name, lock: Lock) -> Iterator[str]:
    package = next((package for package in lock.packages if package.name == name), None)
    for target in lock.targets:
        pin = package.pin(target.name) if package is not None else None
        yield f"{public_version(parse_version(pin.version))} {_origin(pin)}" if pin is not None else "-"


def _origin(pin: Pin) -> str:
    match pin.artefact:
        case WheelhouseArtefact(layer=layer):
            return layer or "wheelhouse"
        case ModuleArtefact(module=module):
            return module
        case _:
            return pin.source


def _data(outcome: Outcome, rows: Sequence[_Row], edit: ProjectEdit) -> dict[str, object]:
    """Return the outcome as plain data; its form is documented in ``docs/reference/project.md``."""
    lock = outcome.lock
    packages = {package.name: package for package in lock.packages}
    return {
        "schema": "tumpline.classify/1",
        "changed": edit.changed,
        "written": outcome.written,
        "dependencies": [
            {
                "name": row.name,
                "requirement": row.after,
                "group": row.belongs,
                "was": {"requirement": row.before, "group": row.was},
                "targets": {
                    pin.target: {"version": pin.version, "source": pin.source, "from": _origin(pin)}
                    for pin in (packages[row.name].pins if row.name in packages else ())
                },
            }
            for row in rows
        ],
        "lock": outcome_data(outcome),
    }
