"""Making an import: lists are read and judged, and what is kept of them goes into a project file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.import_report import ImportOutcome
from tumpline.cli.live import LiveLine
from tumpline.cli.wiring import cache, open_index, open_targets, site_asked
from tumpline.errors import InputError
from tumpline.host import variables
from tumpline.project.foreign.read import read_foreign
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from tumpline.catalogue import CatalogueReader
    from tumpline.project import Project
    from tumpline.project.foreign import Foreign
    from tumpline.resolve.imports import Judgement, Maker
    from tumpline.resolve.target import Target
    from tumpline.sites import ModulePackage

__all__ = ["judge_lists", "read_list", "with_import"]

_MOST_PACKAGES = 3000
"""No environment has as many; and each is looked up."""

_MAKERS: dict[str | None, Maker] = {"list": "person", "freeze": "program"}


def read_list(path: Path) -> Foreign:
    """Read a list, whatever its form; raises InputError ``too-many-packages`` and what `read_foreign` raises."""
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


def judge_lists(
    lists: Sequence[Foreign], project: Project | None, options: argparse.Namespace, live: LiveLine
) -> ImportOutcome:
    """Judge what lists name as the targets of the project are, else as the clusters are.

    `options` are those of the import. Raises what opening catalogues raises.
    """
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


def with_import(content: bytes, outcome: ImportOutcome, where: str) -> bytes:
    """Return the content of a project file with what is kept of the lists; their groups are locked.

    Raises InputError ``cannot-edit``.
    """
    from tumpline.project.dependencies import DependencyEdit
    from tumpline.project.editing import set_modules

    plan = outcome.plan
    document = DependencyEdit(content, where)
    for addition in plan.additions:
        document.add(addition.requirement, addition.group)
        if addition.group:
            document.lock_group(addition.group)
    for constraint in plan.constraints:
        document.add_constraint(constraint)
    return set_modules(document.content, plan.modules, where) if plan.modules else document.content
