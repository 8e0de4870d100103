"""Filling a stage: how much comes, that it fits, and then fetching and building."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tumpline.cli.amounts import amount, counted
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, cache_use, open_index
from tumpline.environment.make import SyncSettings
from tumpline.environment.quotas import stated_quota
from tumpline.environment.stage import Survey
from tumpline.environment.staging import Load, Stager, check_room, load_of, without_damaged
from tumpline.environment.sync import build_settings
from tumpline.environment.wheelstore import BuiltWheel, WheelStore
from tumpline.errors import Problem
from tumpline.host import variables
from tumpline.host.room import room_in
from tumpline.project import Project
from tumpline.sites import Site

__all__ = ["fill"]


def fill(
    options: argparse.Namespace,
    terminal: Terminal,
    stage: WheelStore,
    surveys: Sequence[Survey],
    sites: Sequence[Site],
    project: Project,
) -> list[tuple[BuiltWheel, ...]]:
    """Bring what is lacking for each target, and return it."""
    environ = variables()
    surroundings = surroundings_here(environ)
    looked = [without_damaged(survey, stage) for survey in surveys]
    sound = [survey for survey, _ in looked]
    if damaged := sum(removed for _, removed in looked):
        terminal.note(
            Problem(
                "stage-damaged",
                f"{counted(damaged, 'wheel')} in the stage {'was' if damaged == 1 else 'were'} not as locked, "
                "and removed",
                where=str(stage.folder),
                hint="they are fetched or built again now",
            )
        )
    load = load_of(sound)
    if load.wheels:
        terminal.say(_words(load, stage.folder))
    stated = (stated_quota(site, stage.folder, environ) for site in sites if site.name == surroundings.site)
    check_room(load, (*room_in(stage.folder, environ), *filter(None, stated)), stage.folder)
    settings = SyncSettings(offline=options.offline)
    brought: list[tuple[BuiltWheel, ...]] = []
    with (
        cache_use() as use,
        open_index(options, use=use) as index,
        open_index(options, files=stage.folder / "files") as into,
        Stager(stage, index, into, surroundings, SyncProgress(terminal)) as stager,
    ):
        for survey, site in zip(sound, sites, strict=True):
            wheelhouse = Path(site.wheelhouse) if site.wheelhouse else None
            builds = build_settings(survey.plan, project, wheelhouse, environ, settings, cache() / "built", None, use)
            brought.append(stager.fill(survey, builds))
    return brought


def _words(load: Load, folder: Path) -> str:
    built = f", {load.built} of them to be built" if load.built else ""
    size = f"{amount(load.size)} and what is built" if load.built else amount(load.size)
    return (
        f"{folder} gets {counted(load.wheels, 'wheel')}{built}: {size}, in at most {load.entries:,} files and folders"
    )
