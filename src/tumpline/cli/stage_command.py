"""``tumpline stage``: fetch and build ahead what nodes without internet can not reach, and say whether all is there."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.amounts import amount, counted
from tumpline.cli.late import LateParser
from tumpline.cli.stage_lacking import damage_problems, remark_listed, staging_problems
from tumpline.cli.stage_place import add_stage_option, open_stage, without_internet
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_network_options, add_project_option, choose_target, load_site_of, read_lock_of
from tumpline.errors import InputError

if TYPE_CHECKING:
    from tumpline.environment.stage import Need, Survey
    from tumpline.environment.stage_check import Damage
    from tumpline.environment.stage_copy import Copied
    from tumpline.environment.wheelstore import BuiltWheel, WheelStore
    from tumpline.lock import Lock, LockedTarget
    from tumpline.project import Project
    from tumpline.sites import Site

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command, and its one action."""
    add_project_option(parser)
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="stage for this target (default: the one for this machine; with --to, those for that machine); "
        "can be repeated",
    )
    add_stage_option(parser)
    parser.add_argument(
        "--check", action="store_true", help="only say whether a job without internet would have everything"
    )
    parser.add_argument(
        "--digests", action="store_true", help="with --check: also read every file, and say which are not as locked"
    )
    parser.add_argument(
        "--to",
        metavar="HOST:PATH",
        help="copy it there afterwards, over ssh; the name of a site stands for its login host",
    )
    parser.add_argument(
        "--ssh", default="ssh", metavar="COMMAND", help="the ssh to use, with its options (default: ssh)"
    )
    parser.add_argument(
        "--python", default="python3", metavar="COMMAND", help="the Python there, 3.6 or newer (default: python3)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_network_options(parser)
    actions = parser.add_subparsers(dest="action", metavar="[prune]", parser_class=LateParser)
    purpose = "remove from a stage what no lock needs any more"
    actions.add_parser("prune", help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", declare=_declare_prune)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Stage, check or prune."""
    if options.action == "prune":
        from tumpline.cli import stage_pruning

        return stage_pruning.execute(options, terminal)
    from tumpline.cli.outdated import remark_outdated
    from tumpline.project.read import read_project

    if options.digests and not options.check:
        raise InputError.of(
            "options-exclusive",
            "--digests can not be used without --check",
            hint="to say what is damaged: tumpline stage --check --digests; to bring it again: tumpline stage, which "
            "reads every file by itself",
        )
    root, lock = read_lock_of(options)
    project = read_project(root)
    remark_outdated(lock, project, terminal)
    targets = _targets(lock, options)
    sites = [load_site_of(target) for target in targets]
    stage = open_stage(options)
    surveys = _survey(lock, targets, sites, stage, project)
    if options.check:
        damaged = _damaged(surveys, sites, terminal) if options.digests else None
        if terminal.json:
            terminal.data(json.dumps(_data(stage, surveys, sites, [()] * len(surveys), damaged=damaged), indent=2))
        else:
            _tell_check(surveys, stage, damaged or [()] * len(surveys), terminal)
        return 0 if all(survey.complete for survey in surveys) and not any(damaged or ()) else 1
    from tumpline.cli.stage_filling import fill

    if any(map(without_internet, sites)):
        options.offline = True
    brought = fill(options, terminal, stage, surveys, sites, project)
    surveys = _survey(lock, targets, sites, stage, project)
    copied = _copy(options, terminal, stage, surveys) if options.to else None
    if terminal.json:
        terminal.data(json.dumps(_data(stage, surveys, sites, brought, copied), indent=2))
    else:
        _tell(surveys, sites, stage, copied, options, terminal)
    return 0


def _declare_prune(parser: argparse.ArgumentParser) -> None:
    from tumpline.cli import stage_pruning

    stage_pruning.configure(parser)


def _targets(lock: Lock, options: argparse.Namespace) -> list[LockedTarget]:
    if options.to and not options.target:
        place = options.to.partition(":")[0].rpartition("@")[2]
        fitting = [target for target in lock.targets if place in (target.site, load_site_of(target).login_host)]
        if fitting:
            return fitting
    names = list(dict.fromkeys(options.target)) or [""]
    return [choose_target(lock, argparse.Namespace(target=name)) for name in names]


def _survey(
    lock: Lock, targets: Iterable[LockedTarget], sites: Iterable[Site], stage: WheelStore, project: Project
) -> list[Survey]:
    from tumpline.environment.plan import plan_environment
    from tumpline.environment.stage import survey_stage

    return [
        survey_stage(
            plan_environment(lock, target.name, project, listed=True),
            stage,
            Path(site.wheelhouse) if site.wheelhouse else None,
        )
        for target, site in zip(targets, sites, strict=True)
    ]


def _damaged(surveys: Sequence[Survey], sites: Iterable[Site], terminal: Terminal) -> list[tuple[Damage, ...]]:
    """Read everything that the targets need; what several of them need is read for each."""
    from tumpline.cli.live import LiveLine
    from tumpline.environment.stage_check import damage_of

    with LiveLine(terminal) as live:
        live("reading all that is there")
        return [
            tuple(damage_of(survey, Path(site.wheelhouse) if site.wheelhouse else None))
            for survey, site in zip(surveys, sites, strict=True)
        ]


def _copy(options: argparse.Namespace, terminal: Terminal, stage: WheelStore, surveys: list[Survey]) -> Copied:
    from tumpline.cli.stage_sending import send

    return send(options, terminal, stage, surveys)


def _tell_check(
    surveys: Sequence[Survey], stage: WheelStore, damaged: Iterable[tuple[Damage, ...]], terminal: Terminal
) -> None:
    for survey, broken in zip(surveys, damaged, strict=True):
        target = survey.plan.target
        if survey.complete and not broken:
            terminal.say(f"{target.name}: {_where(survey)}; a job needs no internet")
            continue
        for problem in (*staging_problems(survey, stage), *damage_problems(survey, broken)):
            terminal.problem(problem)


def _where(survey: Survey) -> str:
    """Say where everything is that a target needs."""
    from tumpline.environment.stage import stage_needs

    staged = len(stage_needs(survey.plan))
    projects = 1 if survey.plan.project is not None else 0
    listed = len(survey.plan.listed)
    rest = len(survey.plan.wheels) + projects - staged - listed
    parts = [f"{counted(staged, 'wheel')} in the stage"] if staged or not (rest or listed) else []
    parts += [f"{rest} in the wheelhouse or beside the project"] if rest else []
    parts += [f"{listed} taken to be in the wheelhouse"] if listed else []
    parts += [f"{len(survey.plan.expected)} in modules"] if survey.plan.expected else []
    return ", ".join(parts)


def _tell(
    surveys: Sequence[Survey],
    sites: Iterable[Site],
    stage: WheelStore,
    copied: Copied | None,
    options: argparse.Namespace,
    terminal: Terminal,
) -> None:
    for survey, site in zip(surveys, sites, strict=True):
        terminal.say(f"{survey.plan.target.name}: {_where(survey)}")
        if site.kind == "cluster" and site.compute_internet == "full":
            terminal.say(f"the nodes of {site.name} have internet: sync fetches what is not staged", level=1)
        for name, version, path in survey.gone:
            terminal.say(f"  {name} {version} is to be had from {path}, where there is nothing")
        remark_listed(survey, terminal)
        size = sum(wheel.size for _, wheel in survey.here)
        terminal.say(f"  {stage.folder} has {amount(size)} for it", level=1)
    if copied is not None:
        terminal.say(
            f"copied to {options.to}: {counted(copied.sent, 'file')} with {amount(copied.size)} by {copied.by}, "
            f"{copied.there} had been there"
        )
    elif all(not survey.plan.listed for survey in surveys):
        given = ("--stage", str(stage.folder)) if options.stage else ()
        chosen = ("--target", options.target[0]) if len(options.target) == 1 else ()
        terminal.say(f"in a job: {shlex.join(['tumpline', 'sync', '--offline', *chosen, *given])}")


def _data(
    stage: WheelStore,
    surveys: Sequence[Survey],
    sites: Iterable[Site],
    brought: Iterable[tuple[BuiltWheel, ...]],
    copied: Copied | None = None,
    damaged: Sequence[tuple[Damage, ...]] | None = None,
) -> dict[str, object]:
    """Return the report as plain data; its form is documented in ``docs/reference/stage.md``."""
    rows = [
        {
            "target": survey.plan.target.name,
            "site": site.name,
            "internet": site.compute_internet,
            "complete": survey.complete and not broken,
            "staged": [_row(need) | {"file": wheel.path.name, "bytes": wheel.size} for need, wheel in survey.here],
            "missing": [_row(need) | {"bytes": need.size} for need in survey.lacking],
            "gone": [{"name": name, "version": version, "path": path} for name, version, path in survey.gone],
            "listed": [{"name": step.name, "version": step.version} for step in survey.plan.listed],
            "damaged": None if damaged is None else [_broken(one) for one in broken],
            "modules": [package.module for package in survey.plan.expected],
            "brought": [{"file": wheel.path.name, "bytes": wheel.size} for wheel in new],
        }
        for survey, site, new, broken in zip(surveys, sites, brought, damaged or [()] * len(surveys), strict=True)
    ]
    sent = copied and {
        "folder": copied.folder,
        "files": copied.sent,
        "bytes": copied.size,
        "there": copied.there,
        "by": copied.by,
    }
    return {"schema": "tumpline.stage/1", "stage": str(stage.folder), "targets": rows, "copied": sent}


def _row(need: Need) -> dict[str, object]:
    return {"name": need.name, "version": need.version or None, "kind": need.kind, "from": need.what}


def _broken(damage: Damage) -> dict[str, object]:
    problem = damage.problem
    row: dict[str, object] = {"name": damage.name, "version": damage.version or None, "path": str(damage.path)}
    return row | {"code": problem.code, "why": problem.why}
