"""``tumpline explain``: whether the project resolves, if not why, and what would make it."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import (
    add_index_options,
    add_project_option,
    find_project,
    open_index,
    open_targets,
    source_reader,
)
from tumpline.cli.words import change_rows, change_words
from tumpline.errors import InputError, NoResolution, NotSo
from tumpline.lock import ModuleArtefact
from tumpline.lock.file import LOCK_NAME, read_lock
from tumpline.lock.kept import kept_artefacts, kept_versions
from tumpline.project.read import read_project
from tumpline.values import normalise, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tumpline.addresses import SourceReader
    from tumpline.index import IndexFile
    from tumpline.lock import Lock, Pin
    from tumpline.lock.changes import Change
    from tumpline.project import Declared
    from tumpline.resolve.advice import Advice
    from tumpline.resolve.explanation import Explanation
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.question import Question
    from tumpline.resolve.reporter import Reporter

__all__ = ["configure", "execute"]

_MOST_CONFLICTS = 3_000
"""Conflicts after which a change that is tried does not count as one that helps."""

_MOST_CHANGES = 15


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "requirements",
        nargs="*",
        metavar="REQ",
        help="explain as if the project asked for this too ('numpy>=2'); nothing is written",
    )
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument(
        "--request",
        action="store_true",
        help="print a request to the site's support for the wheels that are lacking, in English and in French",
    )
    parser.add_argument("--json", action="store_true", help="print the explanation as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the explanation; return 3 where there is no resolution."""
    from tumpline.cli.lock_progress import LockProgress, TimedReporter
    from tumpline.lock.build import build_lock
    from tumpline.lock.changes import lock_changes
    from tumpline.resolve.advice import nearest_changes
    from tumpline.resolve.explanation import Unresolved
    from tumpline.resolve.question import Question, check_pythons
    from tumpline.resolve.resolution import resolve
    from tumpline.resolve.simplify import simplified
    from tumpline.resolve.solver import MAX_CONFLICTS
    from tumpline.resolve.steering import Steering
    from tumpline.resolve.trial import Trials
    from tumpline.resolve.unbuilt import Unbuilt

    asked = _asked(options.requirements)
    root = find_project(options)
    project = read_project(root)
    declared = (*project.requirements, *asked)
    before = _lock_before(root / LOCK_NAME)
    kept = before.packages if before is not None else ()
    preferred = kept_versions(kept)
    with (
        LiveLine(terminal, alone=True) as live,
        open_index(options) as index,
        source_reader(replace(project, requirements=declared), options, index, kept_artefacts(kept), live) as sources,
    ):
        live("reading the catalogues")
        # That a target has a Python which the project does not admit is explained, and no error here.
        targets, catalogues = open_targets(replace(project, requires_python=""), options)
        by_target = dict(zip((target.name for target in targets), catalogues, strict=True))
        settings = project.settings
        steering = Steering.of(settings)
        question = Question(
            declared,
            targets,
            settings.packages,
            settings.parity,
            project.requires_python,
            steering,
            implied=not settings.targets,
        )

        def answer(question: Question, sources: SourceReader, reporter: Reporter, max_conflicts: int) -> Resolution:
            check_pythons(question)
            return resolve(
                question.declared,
                question.targets,
                [by_target[target.name] for target in question.targets],
                index,
                rules=question.rules,
                preferred={**preferred, **question.near},
                parity=question.parity,
                sources=sources,
                steering=question.steering,
                reporter=reporter,
                max_conflicts=max_conflicts,
            )

        unbuilt = Unbuilt(sources)

        def attempt(question: Question, look_at_clock: Callable[[], None]) -> Resolution:
            live("trying what would help")
            return answer(question, unbuilt, TimedReporter(look_at_clock), _MOST_CONFLICTS)

        live(f"resolving for {', '.join(target.name for target in targets)}")
        try:
            resolution = answer(question, sources, LockProgress(terminal, live), MAX_CONFLICTS)
        except Unresolved as failure:
            trials = Trials(attempt, time.monotonic)
            explanation = simplified(question, failure.explanation, trials)
            advice = nearest_changes(question, explanation, trials)
            return _explain(question, explanation, advice, options, terminal)

        def with_hash(file: IndexFile) -> IndexFile:
            live(f"reading {file.file}, for which the index states no hash")
            return index.with_hash(file)

        lock = build_lock(replace(project, requirements=question.declared), resolution, catalogues, with_hash=with_hash)
    if options.request:
        raise NotSo.of(
            "no-wheel-lacking",
            "no wheel is lacking: the requirements resolve",
            hint="run tumpline explain without --request to see what would be taken",
        )
    changes = lock_changes(before, lock)
    if terminal.json:
        terminal.data(json.dumps(_data(lock, changes, asked), indent=2))
    else:
        terminal.data("\n".join(_told(lock, changes, asked, terminal.verbosity)))
    return 0


def _asked(lines: list[str]) -> tuple[Declared, ...]:
    """Return the requirements on the command line."""
    from tumpline.project import Declared
    from tumpline.resolve.explanation import COMMAND_LINE

    found = []
    for line in lines:
        try:
            found.append(Declared(parse_requirement(line), COMMAND_LINE))
        except ValueError as error:  # InvalidRequirement is one; so is a number of too many digits
            raise InputError.of(
                "bad-requirement",
                f"{line[:200]!r} is not a requirement",
                where="REQ",
                why=str(error).partition("\n")[0],
                hint="write NAME or NAME with a bound, in quotes: 'numpy>=2'",
            ) from error
    return tuple(found)


def _lock_before(path: Path) -> Lock | None:
    """Return the lock, whose versions a new one would keep; None where there is none that can be read."""
    try:
        return read_lock(path)
    except InputError:
        return None


def _explain(
    question: Question, explanation: Explanation, advice: Advice, options: argparse.Namespace, terminal: Terminal
) -> int:
    """Print why there is no resolution and what would help."""
    from tumpline.cli.explain_text import explanation_data, render_explanation
    from tumpline.cli.wheel_request import wheel_request

    rest = advice.rest if advice.rest is not None and advice.rest.lacks else explanation
    request = wheel_request(question.targets, (*rest.lacks, *rest.needs), tried=not advice.options and advice.complete)
    if terminal.json:
        data = {"schema": "tumpline.explain/1", "resolves": False, **explanation_data(explanation, advice)}
        terminal.data(json.dumps({**data, "request": request or None}, indent=2, ensure_ascii=False))
    elif options.request:
        if not request:
            raise NotSo.of(
                "no-wheel-lacking",
                "no wheel is lacking on a target that has a wheelhouse",
                hint="run tumpline explain without --request to see what is wrong",
            )
        terminal.data("\n\n".join(request.values()))
    else:
        terminal.data(render_explanation(question, explanation, advice, bool(request)))
    return NoResolution.exit_status


def _told(lock: Lock, changes: Sequence[Change], asked: Sequence[Declared], verbosity: int) -> Iterator[str]:
    """Say what would be locked: of what was asked about in full, of the rest what changes."""
    targets = ", ".join(target.name for target in lock.targets)
    names = {normalise(declared.requirement.name) for declared in asked}
    yield f"it resolves for {targets}: {len(lock.packages)} packages"
    for package in lock.packages:
        if package.name in names:
            same: dict[tuple[str, str], list[str]] = {}
            for pin in package.pins:
                same.setdefault((pin.version, _source(pin)), []).append(pin.target)
            for (version, source), places in same.items():
                yield f"  {package.name} {version} ({source}) on {', '.join(places)}"
        if package.divergence:
            yield f"  {package.name} differs: {package.divergence}"
    for name in sorted(names - {package.name for package in lock.packages}):
        yield f"  {name} is needed on no target: its markers are true on none"
    if not changes:
        yield f"{LOCK_NAME} would not change"
        return
    yield f"what would change in {LOCK_NAME}:"
    shown = changes if verbosity > 0 else changes[:_MOST_CHANGES]
    yield from (f"  {change_words(change)}" for change in shown)
    if len(shown) < len(changes):
        yield f"  … and {len(changes) - len(shown)} more (-v shows all)"


def _source(pin: Pin) -> str:
    return pin.artefact.module if isinstance(pin.artefact, ModuleArtefact) else pin.source


def _data(lock: Lock, changes: Sequence[Change], asked: Sequence[Declared]) -> dict[str, object]:
    """Return what would be locked as plain data; its form is documented in ``docs/reference/explain.md``."""
    names = {normalise(declared.requirement.name) for declared in asked}
    return {
        "schema": "tumpline.explain/1",
        "resolves": True,
        "packages": [
            {"name": package.name, "target": pin.target, "version": pin.version, "source": pin.source}
            for package in lock.packages
            if package.name in names or not names
            for pin in package.pins
        ],
        "diverging": {package.name: package.divergence for package in lock.packages if package.divergence},
        "changes": change_rows(changes),
    }
