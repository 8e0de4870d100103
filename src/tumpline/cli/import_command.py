"""``tumpline import FILE…``: what people and other tools have written down, as requirements of the project."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.import_report import ImportOutcome, outcome_data, tell_outcome
from tumpline.cli.live import LiveLine
from tumpline.cli.project_edit import ProjectEdit
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
    open_index,
    open_targets,
    site_asked,
)
from tumpline.errors import InputError
from tumpline.host import variables
from tumpline.project.foreign.read import read_foreign
from tumpline.project.pins import PIN_STYLES
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumpline.catalogue import CatalogueReader
    from tumpline.project import Project
    from tumpline.project.foreign import Foreign
    from tumpline.resolve.imports import Judgement, Maker
    from tumpline.resolve.target import Target
    from tumpline.sites import ModulePackage

__all__ = ["configure", "execute"]

_MOST_PACKAGES = 3000
"""No environment has as many; and each is looked up."""


_MAKERS: dict[str | None, Maker] = {"list": "person", "freeze": "program"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="a requirements file, what pip freeze or pip list printed, an environment.yml, a uv.lock, poetry.lock or "
        "pylock.toml",
    )
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument(
        "--pins",
        choices=PIN_STYLES,
        default="tilde",
        help="what becomes of exact versions: tilde: that release and its later patches (the default); exact; none",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="keep the exact versions of what others need as well, as constraints under [tool.tumpline]",
    )
    parser.add_argument(
        "--as",
        dest="made_by",
        choices=("list", "freeze"),
        help="how to take the files: list: all that they name is asked for; freeze: they name all that was installed, "
        "and what others in them need is left out (default: as they look)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be added, write nothing")
    parser.add_argument("--json", action="store_true", help="print the account of every line as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Import, and account for every line; return 1 where a line was refused."""
    project = _project(options)
    edit = ProjectEdit.start(project.root) if project is not None else None
    lists = [_read(path) for path in options.files]
    with LiveLine(terminal) as live:
        outcome = _judge(lists, project, options, live)
    if edit is not None and outcome.whole and not options.dry_run:
        outcome = replace(outcome, written=_write(outcome, edit))
    if terminal.json:
        terminal.data(json.dumps(outcome_data(outcome), indent=2))
    else:
        tell_outcome(outcome, options, terminal)
    return 1 if any(found.problems for found in lists) else 0


def _project(options: argparse.Namespace) -> Project | None:
    """Return the project; with ``--dry-run`` there need not be one."""
    from tumpline.project.read import read_project

    try:
        root = find_project(options)
    except InputError:
        if options.dry_run and options.project is None:
            return None
        raise
    return read_project(root)


def _read(path: Path) -> Foreign:
    found = read_foreign(path, variables())
    count = len({row.name for row in found.rows if row.name is not None})
    if count > _MOST_PACKAGES:
        raise InputError.of(
            "too-many-packages",
            f"{path.name} names {count:,} packages",
            where=str(path),
            why=f"{_MOST_PACKAGES:,} are the most that are looked up",
            hint="check that this is the right file, or import it in parts",
        )
    return found


def _judge(
    lists: Sequence[Foreign], project: Project | None, options: argparse.Namespace, live: LiveLine
) -> ImportOutcome:
    from tumpline.resolve.import_modules import ModuleKnowledge
    from tumpline.resolve.import_needs import ImportNeeds
    from tumpline.resolve.import_plan import plan_import
    from tumpline.resolve.imports import judge
    from tumpline.resolve.needs import NeedsReader
    from tumpline.resolve.offers import OfferBook

    live("reading the catalogues")
    own, catalogues = open_targets(project, options) if project is not None and project.settings.targets else ((), ())
    targets = own
    if all(catalogue is None for catalogue in catalogues):
        known, catalogue = _everywhere(lists, options)
        targets, catalogues = (*own, known), (*catalogues, catalogue)
    packages = {row: None for catalogue in catalogues if catalogue is not None for row in _modules(catalogue)}
    knowledge = ModuleKnowledge(targets, catalogues, packages)
    rules = project.settings.packages if project is not None else {}
    present = {normalise(declared.requirement.name) for declared in project.requirements} if project else set[Name]()
    judgements: list[Judgement] = []
    with open_index(options) as index:
        needs = ImportNeeds(OfferBook(targets, catalogues, index, rules), NeedsReader(index))
        for found in lists:
            live(f"looking at {found.path.name}")
            judgements.append(judge(found, knowledge, needs, present, _MAKERS.get(options.made_by)))
            present |= {wanted.name for wanted in judgements[-1].kept}
    constrained = {normalise(one.requirement.name) for one in project.settings.constraints} if project else set[Name]()
    plan = plan_import(judgements, knowledge, own, style=options.pins, keep_all=options.all, constrained=constrained)
    return ImportOutcome(tuple(lists), tuple(judgements), plan)


def _everywhere(lists: Sequence[Foreign], options: argparse.Namespace) -> tuple[Target, CatalogueReader]:
    """Return a target of no project: this site's, else the Alliance's, with the Python that a list names, if it has it.

    Most lists come from there; what modules bring and packages need is looked up as it is there.
    """
    from tumpline.catalogue.find import find_catalogue
    from tumpline.cli.wiring import cache
    from tumpline.project import TargetRequest
    from tumpline.resolve.target import make_target

    site = site_asked("")
    named = [found.python for found in lists if found.python]
    pythons = {python.rpartition(".")[0] for environment in site.environments for python in environment.pythons}
    python = next((python for python in named if python in pythons), "")
    target = make_target(TargetRequest(site.name, site.name, python), site, "mixed")
    return target, find_catalogue(site, cache(), options.catalogue)


def _modules(catalogue: CatalogueReader) -> Sequence[ModulePackage]:
    from tumpline.catalogue.store import Catalogue

    return catalogue.modules() if isinstance(catalogue, Catalogue) else ()


def _write(outcome: ImportOutcome, edit: ProjectEdit) -> bool:
    """Write what is added to the project file, all of it or nothing; return whether there was anything."""
    from tumpline.project.dependencies import DependencyEdit
    from tumpline.project.editing import set_modules

    plan = outcome.plan
    document = DependencyEdit(edit.before, str(edit.path))
    for addition in plan.additions:
        document.add(addition.requirement, addition.group)
    for constraint in plan.constraints:
        document.add_constraint(constraint)
    edit.after = document.content
    if plan.modules:
        edit.after = set_modules(edit.after, plan.modules, str(edit.path))
    with edit.written():
        return edit.changed
