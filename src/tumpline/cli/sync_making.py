"""The long way of ``tumpline sync``: the lock is read, compared, and made so."""

from __future__ import annotations

import argparse
from pathlib import Path

from tumpline.cli.chosen_environment import Question, note_current
from tumpline.cli.outdated import remark_outdated
from tumpline.cli.recorded import lock_of_record
from tumpline.cli.stage_place import find_stage, without_internet
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    cache,
    cache_use,
    choose_target,
    load_site_of,
    open_index,
    read_lock_of,
)
from tumpline.environment.generations import current_generation
from tumpline.environment.quotas import stated_quota
from tumpline.environment.sync import SyncReport, SyncSettings, default_place, sync
from tumpline.environment.wheelstore import WheelStore
from tumpline.host import variables
from tumpline.project.read import read_project

__all__ = ["make"]


def make(options: argparse.Namespace, terminal: Terminal, question: Question) -> SyncReport:
    """Make the environment what the lock says, and remember that it is."""
    if options.record is not None:
        root, lock, target, place = lock_of_record(options, terminal)
        project = read_project(root)
    else:
        root, lock = read_lock_of(options)
        target = choose_target(lock, options)
        place = default_place(root, target.name)
        project = read_project(root)
        remark_outdated(lock, project, terminal)
    site = load_site_of(target)
    environ = variables()
    if not options.offline and without_internet(site):
        terminal.say(f"the nodes of {site.name} have no internet: nothing is fetched", level=1)
        options.offline = True
    stage = find_stage(options)
    settings = SyncSettings(
        options.offline, options.dry_run, options.jobs, options.compile, options.installer, options.renew
    )
    place = options.env or place
    surroundings = surroundings_here(environ)
    with cache_use() as use, open_index(options, use=use) as index:
        report = sync(
            lock,
            target.name,
            place,
            project=project,
            wheelhouse=Path(site.wheelhouse) if site.wheelhouse else None,
            index=index,
            environ=environ,
            here=surroundings,
            settings=settings,
            reporter=SyncProgress(terminal),
            cache=cache() / "built",
            stage=WheelStore(stage) if stage is not None else None,
            use=use,
            quota=stated_quota(site, place, environ) if surroundings.site == site.name else None,
        )
    if options.record is None and not report.dry_run and (folder := current_generation(report.place)) is not None:
        note_current(question, lock, target, project, folder)
    return report
