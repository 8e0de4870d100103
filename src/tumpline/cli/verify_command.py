"""``tumpline verify``: say whether the environment is still what it should be, and make it right."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from tumpline.cli.environment_choice import Choice, add_environment_options, choose_environment
from tumpline.cli.live import LiveLine
from tumpline.cli.run_command import command_variables
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.sync_command import job_count, shown_place
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options
from tumpline.environment.check import check_environment, open_environment
from tumpline.environment.imports import NotImported, check_imports, modules_of
from tumpline.environment.inventory import read_distributions
from tumpline.environment.verify import Difference, VerifyReport, difference_words, verify
from tumpline.errors import InputError, NotSo, Problem
from tumpline.host import variables

__all__ = ["configure", "execute"]

_MOST = 20
"""Rows of one kind that are shown without ``-v``."""

_MENDED = (
    "environment-stale",
    "environment-moved",
    "python-gone",
    "no-environment",
    "environment-incomplete",
    "environment-unreadable",
)
"""Problems that a new environment solves."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_environment_options(parser)
    parser.add_argument("--import", dest="imports", action="store_true", help="import every top-level module too")
    parser.add_argument("--fix", action="store_true", help="make the environment anew where it differs, as sync does")
    parser.add_argument(
        "--jobs", type=job_count, metavar="N", help="processes that read (default: one a CPU, 4 at most)"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    add_index_options(parser)


@dataclass(frozen=True, slots=True)
class _Findings:
    """All that was found. `report` is None where there is no environment that could be read."""

    problems: tuple[Problem, ...]
    report: VerifyReport | None = None
    imports: tuple[NotImported, ...] | None = None

    @property
    def well(self) -> bool:
        return not (self.problems or self.imports or (self.report is not None and self.report.differences))

    @property
    def mendable(self) -> bool:
        differs = self.report is not None and bool(self.report.differences)
        return differs or any(problem.code in _MENDED for problem in self.problems)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Look, tell, and mend where that is asked for."""
    choice = choose_environment(options)
    found = _look(choice, options, terminal)
    fixed = False
    after = found
    if options.fix and found.mendable:
        if choice.plan is None:
            raise InputError.of(
                "no-lock",
                "there is no lock here from which the environment could be made",
                where=str(choice.place),
                hint="name the project with --project DIR; or unpack the image again: tumpline unpack --renew",
            )
        if not terminal.json:
            _tell(found, choice, terminal)
        _make_anew(options, terminal)
        fixed = True
        after = _look(choice, options, terminal)
    if terminal.json:
        terminal.data(json.dumps({**_data(found, choice), "fixed": fixed and after.well}, indent=2))
    else:
        _tell(after, choice, terminal)
    return 0 if after.well else 1


def _look(choice: Choice, options: argparse.Namespace, terminal: Terminal) -> _Findings:
    environ = variables()
    try:
        folder, record = open_environment(choice.place)
    except NotSo as error:
        return _Findings(error.problems)
    except InputError as error:
        if error.code != "environment-unreadable":
            raise
        return _Findings(error.problems)
    key = choice.plan.key if choice.plan is not None else None
    problems = check_environment(record, surroundings_here(environ), key, folder)
    report = verify(folder, record, environ=environ, jobs=options.jobs, reporter=SyncProgress(terminal))
    if not options.imports or any(problem.code == "python-gone" for problem in problems):
        return _Findings(problems, report)
    modules = modules_of(read_distributions(str(folder)))
    given = command_variables(folder, environ)
    guard, finished = threading.Lock(), 0
    with LiveLine(terminal) as line:

        def done() -> None:
            nonlocal finished
            with guard:
                finished += 1
                line.step(f"importing: {finished} of {len(modules)} modules")

        line.step(f"importing {len(modules)} modules")
        return _Findings(
            problems, report, check_imports(folder, record, modules, environ=given, jobs=options.jobs, done=done)
        )


def _make_anew(options: argparse.Namespace, terminal: Terminal) -> None:
    """Run the command ``sync --renew`` with the options that it shares with this one."""
    from tumpline.cli import sync_command

    parser = argparse.ArgumentParser()
    sync_command.configure(parser)
    shared = {name: getattr(options, name) for name in ("project", "target", "env", "jobs", "offline", "refresh")}
    wanted = argparse.Namespace(**{**vars(parser.parse_args([])), **shared, "catalogue": options.catalogue})
    wanted.renew = True
    sync_command.execute(wanted, terminal._replace(json=False))


def _data(found: _Findings, choice: Choice) -> dict[str, object]:
    """Return the findings as plain data; their form is documented in ``docs/reference/environments.md``."""
    report, imports = found.report, found.imports
    return {
        "schema": "tumpline.verify/1",
        "environment": str(choice.place),
        "well": found.well,
        "lock": choice.plan is not None,
        "packages": report.packages if report else 0,
        "files": report.files if report else 0,
        "bytes": report.size if report else 0,
        "differences": [
            {"kind": each.kind, "path": each.path or None, "package": each.package or None, "why": each.why or None}
            for each in (report.differences if report else ())
        ],
        "problems": [problem._asdict() for problem in (*found.problems, *(report.remarks if report else ()))],
        "imports": None
        if imports is None
        else [
            {"module": each.module, "package": each.package, "cause": each.cause, "why": each.why, "hint": each.hint}
            for each in imports
        ],
    }


def _tell(found: _Findings, choice: Choice, terminal: Terminal) -> None:
    report = found.report
    if report is not None:
        for row in _rows(report.differences, terminal):
            terminal.data(row)
    for each in found.imports or ():
        terminal.data(f"not imported  {each.module} ({each.package}): {each.cause}: {each.why}")
        if each.hint:
            terminal.say(f"  {each.hint}")
    for problem in found.problems:
        terminal.problem(problem)
    if report is None:
        return
    for remark in report.remarks:
        terminal.note(remark)
    if choice.plan is None:
        terminal.say("there is no lock for it here: the environment was not compared with one")
    place = shown_place(choice.place)
    size = f"{report.packages} packages, {report.files} files, {report.size / 2**20:.0f} MiB"
    if found.well:
        terminal.say(f"{place} is as it should be: {size}")
    elif report.differences:
        terminal.say(f"{place} differs in {len(report.differences)} points: {size} were read")
        cure = "tumpline verify --fix" if choice.plan is not None else "tumpline unpack --renew, with its image"
        terminal.say(f"make it right: {cure}")


def _rows(differences: Sequence[Difference], terminal: Terminal) -> list[str]:
    """Return the differences as lines, of each kind no more than are readable."""
    rows: list[str] = []
    for kind in dict.fromkeys(each.kind for each in differences):
        of_kind = [each for each in differences if each.kind == kind]
        shown = of_kind if terminal.verbosity > 0 else of_kind[:_MOST]
        rows += map(difference_words, shown)
        if len(shown) < len(of_kind):
            rows.append(f"{kind}  … and {len(of_kind) - len(shown)} more (-v shows all)")
    return rows
