"""``tumpline add``: ask for packages in pyproject.toml, in versions that all targets can have, and lock them."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tumpline.cli.lock_making import make_lock
from tumpline.cli.lock_report import outcome_data, tell_outcome
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, find_project
from tumpline.errors import InputError
from tumpline.project.dependencies import DependencyEdit
from tumpline.project.read import read_project
from tumpline.project.settings import is_group_name
from tumpline.project.spelling import spell
from tumpline.values import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tumpline.project import Project
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "requirements",
        nargs="+",
        metavar="REQ",
        help="a name, which gets a tilde requirement on the version found; or a requirement, which is kept as written: "
        "'numpy>=1.26,<3', 'mylib[plot]; sys_platform == \"linux\"', 'tool @ git+https://…@v1', 'lib @ ./packages/lib'",
    )
    parser.add_argument(
        "--group",
        metavar="NAME",
        default="",
        help="into this dependency group or extra, which is made if need be, and locked (default: the main "
        "dependencies, or the pypi-group where a cluster can have it from the index only)",
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        dest="targets",
        metavar="NAME",
        help="for this target only, in a group of its own (default: of the target's name); can be repeated",
    )
    parser.add_argument(
        "--source",
        choices=("wheelhouse", "pypi", "mixed"),
        help="the policy for these packages, written under [tool.tumpline.packages]",
    )
    parser.add_argument("--dry-run", action="store_true", help="resolve and show what would be written, write nothing")
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Find versions, edit, lock; both files are written, or none."""
    root = find_project(options)
    edit = ProjectEdit.start(root)
    targets = tuple(dict.fromkeys(options.targets))
    group = options.group or "-".join(targets)
    asked = tuple(map(_asked, options.requirements))
    _check(asked, group, targets, read_project(root))
    adding = _Adding(edit, asked, group, targets, options.source or "")
    edit.after = adding.first()
    edit.decide = adding.decide
    project = read_project(root, edit.after)
    adding.pypi_group = project.settings.pypi_group
    for note in project.notes:
        terminal.note(note)
    outcome = make_lock(project, edit, options, terminal)
    if terminal.json:
        rows = [
            {
                "name": normalise(one.name),
                "requirement": text,
                "group": group,
                "targets": list(targets),
                "replaced": replaced or None,
            }
            for one, text, group, replaced in adding.rows
        ]
        lock = outcome_data(outcome)
        data = {"schema": "tumpline.add/1", "written": outcome.written, "added": rows, "lock": lock}
        terminal.data(json.dumps(data, indent=2))
        return 0
    for _, text, group, replaced in adding.rows:
        place = f" in the group {group}" if group else ""
        place += f", for {', '.join(targets)} only" if targets else ""
        verb = "would write" if options.dry_run else "wrote"
        terminal.say(f"{verb} {text}{place}{f' for {replaced}' if replaced and replaced != text else ''}")
    tell_outcome(outcome, options, terminal)
    return 0


@dataclass(slots=True)
class _Adding:
    """Adds requirements to the file of an edit; how they are written is known once they are resolved.

    `rows` are, for each: what is asked for, how it is written, in which group, and what it replaces.
    """

    edit: ProjectEdit
    asked: tuple[Requirement, ...]
    group: str
    targets: tuple[str, ...]
    source: str
    pypi_group: str = ""
    rows: tuple[tuple[Requirement, str, str, str], ...] = ()

    def first(self) -> bytes:
        """Return the file with the requirements as they were asked for, in the place that was named."""
        return self._with([(one, "") for one in self.asked])

    def decide(self, resolution: Resolution, targets: Sequence[Target]) -> bytes:
        """Return the file with the requirements as they are to stay."""
        from tumpline.resolve.belonging import belongs_to_index, lasting_requirement

        return self._with(
            [
                (
                    lasting_requirement(one, resolution),
                    self.pypi_group if belongs_to_index(normalise(one.name), resolution, targets) else "",
                )
                for one in self.asked
            ]
        )

    def _with(self, requirements: Iterable[tuple[Requirement, str]]) -> bytes:
        document = DependencyEdit(self.edit.before, str(self.edit.path))
        rows: list[tuple[Requirement, str, str, str]] = []
        for requirement, belongs in requirements:
            name = normalise(requirement.name)
            here = document.groups(name)
            # Without --group, what is asked for already stays where it is.
            group = self.group or (here[0] if here else belongs)
            replaced = document.written(name, group)
            document.add(requirement, group)
            if self.source:
                document.set_source(name, self.source)
            rows.append((requirement, document.written(name, group), group, replaced))
        if self.group:
            document.lock_group(self.group, self.targets)
        self.rows = tuple(rows)
        return document.content


def _check(asked: Iterable[Requirement], group: str, targets: Iterable[str], project: Project) -> None:
    """Raise InputError ``asks-for-itself``, ``bad-value``, ``unknown-target`` where something can not be meant."""
    for requirement in asked:
        if normalise(requirement.name) == project.name and not requirement.extras:
            raise InputError.of(
                "asks-for-itself",
                f"{requirement.name} is this project",
                where="REQ",
                why="it is installed with its environment anyway",
                hint=f"for what an extra of it asks: {requirement.name}[EXTRA]",
            )
    if group and not is_group_name(group):
        raise InputError.of(
            "bad-value", f"{group[:100]!r} is not the name of a group", where="--group", hint="write for example dev"
        )
    known = [target.name for target in project.settings.targets]
    for name in targets:
        if name not in known:
            raise InputError.of(
                "unknown-target",
                f"the project has no target {name}",
                where="--target",
                hint=f"choose one of: {', '.join(known)}" if known else f"add it: tumpline init --target {name}",
            )


def _asked(text: str) -> Requirement:
    """Read a requirement of the command line; raises InputError ``bad-requirement``."""
    try:
        return spell(text, paths=True).requirement
    except InputError as error:
        raise InputError(*(problem._replace(where="REQ") for problem in error.problems)) from error
