"""The account of an import: what becomes of every line, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from tumpline.cli.terminal import Terminal
    from tumpline.errors import Problem
    from tumpline.project.foreign import Foreign
    from tumpline.resolve.import_plan import Addition, ImportPlan
    from tumpline.resolve.imports import Judgement, Verdict

__all__ = ["ImportOutcome", "outcome_data", "tell_account", "tell_outcome"]

_WIDTH = 100

_TITLES = {
    "kept": "kept",
    "module": "from modules",
    "transitive": "needed by others: the lock will choose them",
    "padding": "not asked for: it was there with something else",
    "repeated": "named before",
    "present": "asked for already",
    "constraint": "limits of versions: write them as constraints under [tool.tumpline] if they still hold",
    "folder": "folders",
    "conda": "only conda has it",
    "python": "the Python",
    "option": "options",
    "include": "other files",
    "heading": "headings",
    "refused": "refused",
    "not-looked-at": "not looked at",
}
"""Verdict -> how its group is headed, in the order of the account."""

_BRIEF = frozenset({"transitive", "padding", "repeated", "present"})
"""What is told by names alone, unless more is wanted."""

_SILENT = frozenset({"include", "heading", "refused", "not-looked-at"})
"""What is only counted: it is told elsewhere, or there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The lists, the judgement on each, what is added, and whether it was written."""

    lists: tuple[Foreign, ...]
    judgements: tuple[Judgement, ...]
    plan: ImportPlan
    written: bool = False

    @property
    def whole(self) -> bool:
        """Whether every line was looked at: a file of many mistakes is perhaps not what it was taken for."""
        return all(row.kind != "not-looked-at" for found in self.lists for row in found.rows)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """Remarks on the lists and on modules."""
        return (*(note for found in self.lists for note in found.notes), *self.plan.notes)


def outcome_data(outcome: ImportOutcome) -> dict[str, object]:
    """Return the account as plain data; its form is documented in ``docs/reference/import.md``."""
    plan = outcome.plan
    return {
        "schema": "tumpline.import/1",
        "written": outcome.written,
        "files": [
            {
                "file": str(found.path),
                "form": found.form,
                "made-by": judgement.made_by,
                "python": found.python or None,
                "needs-unknown": list(judgement.unknown),
                "counts": dict(_counts(judgement)),
                "rows": [_row_data(verdict) for verdict in judgement.verdicts],
            }
            for found, judgement in zip(outcome.lists, outcome.judgements, strict=True)
        ],
        "requirements": [
            {
                "requirement": str(one.requirement),
                "origin": one.origin,
                "group": one.group or None,
                "modules": dict(one.modules),
            }
            for one in plan.additions
        ],
        "constraints": [str(one) for one in plan.constraints],
        "modules": {target: list(modules) for target, modules in plan.modules.items()},
        "problems": [problem._asdict() for found in outcome.lists for problem in found.problems],
        "notes": [note._asdict() for note in outcome.notes],
    }


def tell_outcome(outcome: ImportOutcome, terminal: Terminal) -> None:
    """Print what is kept to stdout, and the account of everything else to stderr."""
    for one in outcome.plan.additions:
        terminal.data(str(one.requirement))
    tell_account(outcome, terminal)
    if outcome.written:
        terminal.say("wrote pyproject.toml; next: tumpline lock")
    else:
        terminal.say("nothing was written" if outcome.whole else "nothing was written, since not every line was read")


def tell_account(outcome: ImportOutcome, terminal: Terminal) -> None:
    """Print what becomes of every line to stderr."""
    additions = {(normalise(one.requirement.name), one.origin): one for one in outcome.plan.additions}
    for found, judgement in zip(outcome.lists, outcome.judgements, strict=True):
        terminal.say(f"{found.path.name}: {_nature(found, judgement)}")
        for kind, title in _TITLES.items():
            verdicts = [verdict for verdict in judgement.verdicts if verdict.kind == kind]
            if verdicts and kind not in _SILENT:
                terminal.say(f"{title} ({len(verdicts)})")
                for line in _group(kind, verdicts, additions, brief=terminal.verbosity < 1):
                    terminal.say(f"  {line}")
        for problem in found.problems:
            terminal.problem(problem)
        if judgement.unknown:
            unknown = ", ".join(judgement.unknown)
            terminal.say(f"what these need is not known, and may be among what is kept: {unknown}")
        told = ", ".join(f"{count} {kind}" for kind, count in _counts(judgement).items())
        count = len(judgement.verdicts)
        terminal.say(f"{count} {'line' if count == 1 else 'lines'}: {told}")
    for note in outcome.notes:
        terminal.note(note)
    for target, modules in outcome.plan.modules.items():
        terminal.say(f"modules of {target}: {', '.join(modules)}")
    if outcome.plan.constraints:
        terminal.say(f"constraints: {', '.join(map(str, outcome.plan.constraints))}")


def _counts(judgement: Judgement) -> Counter[str]:
    """Count the verdicts, in the order of the account."""
    counts = Counter[str](verdict.kind for verdict in judgement.verdicts)
    return Counter({kind: counts[kind] for kind in _TITLES if counts[kind]})


def _row_data(verdict: Verdict) -> dict[str, object]:
    row = verdict.row
    return {
        "origin": row.origin,
        "text": row.written,
        "verdict": verdict.kind,
        "name": row.name,
        "requirement": str(row.requirement) if row.requirement is not None else None,
        "why": verdict.why or None,
        "hint": verdict.hint or None,
        "needed-by": list(verdict.by),
        "module": verdict.module or None,
    }


def _nature(found: Foreign, judgement: Judgement) -> str:
    """Say how a list was taken, which decides what is kept of it."""
    if judgement.made_by == "person":
        return "taken as written by a person: all that it names is asked for"
    if any(row.asked is not None for row in found.rows):
        return "it says itself what was asked for"
    return "taken as a list of all that was installed: kept is what nothing else in it needs"


def _group(
    kind: str, verdicts: Sequence[Verdict], additions: Mapping[tuple[Name, str], Addition], *, brief: bool
) -> Iterator[str]:
    if brief and kind in _BRIEF:
        for why, counts in _by_reason(kind, verdicts).items():
            names = ", ".join(name if count == 1 else f"{name} ({count} times)" for name, count in counts.items())
            words = f"{why}: {names}" if why else names
            yield from textwrap.wrap(words, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        return
    for verdict in verdicts:
        row = verdict.row
        addition = additions.get((row.name, row.origin)) if row.name is not None and kind == "kept" else None
        shown = str(addition.requirement) if addition is not None else row.written
        reasons = [verdict.why] if verdict.why else []
        if addition is not None:
            reasons += [f"{module} on {target}" for target, module in addition.modules.items()]
        told = f"{shown}  ({row.origin})" + (f": {'; '.join(reasons)}" if reasons else "")
        yield told
        if verdict.hint:
            yield f"  hint: {verdict.hint}"


def _by_reason(kind: str, verdicts: Sequence[Verdict]) -> dict[str, Counter[str]]:
    """Return the names of packages by why they are left out; who needs them is told one by one only."""
    found: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        reason = verdict.why if kind == "padding" else ""
        found.setdefault(reason, Counter())[verdict.row.name or verdict.row.written] += 1
    return found
