"""What a sync changes: each package before and after, and how large it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumpline.environment.footprint import Footprint
from tumpline.environment.install import Overlap
from tumpline.environment.plan import Plan
from tumpline.environment.record import EnvironmentRecord, Expected
from tumpline.host.room import Room

__all__ = ["Change", "SyncReport", "report_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """A package and what becomes of it: `before` and `after` are versions, empty where it is not there.

    `source` is where it comes from (a `Source`), empty for what goes. Where both versions are the same, it is kept, or,
    if `differs`, it is another file, another build or from elsewhere.
    """

    name: str
    before: str
    after: str
    source: str = ""
    differs: bool = True


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with `dry_run` would do.

    `changed` is False where the environment already was what the lock says. `changes` are what became different,
    `kept` the rest. `files` and `size` (bytes) are those of the wheels written; `footprint` is what the whole
    environment has, or would have, `rooms` those that are too small for it, and `quota` what may be there in all, where
    that is known: only where one was to be made.
    `expected` are packages that modules must bring. `overlaps` are files that several packages bring with different
    contents. `compiled` says whether there is bytecode.
    """

    place: Path
    target: str
    python: str
    changed: bool
    dry_run: bool
    packages: int
    changes: tuple[Change, ...]
    kept: tuple[Change, ...]
    expected: tuple[Expected, ...]
    project: str
    compiled: bool = False
    files: int = 0
    size: int = 0
    overlaps: tuple[Overlap, ...] = ()
    footprint: Footprint | None = None
    rooms: tuple[Room, ...] = ()
    quota: Room | None = None


def report_of(
    plan: Plan, place: Path, before: EnvironmentRecord | None, python: str, *, changed: bool, dry_run: bool
) -> SyncReport:
    """Return what a sync to a plan changes, or changed, where `before` is the record of what was there."""
    rows = _compared(plan, before)
    return SyncReport(
        place=place,
        target=plan.target.name,
        python=python,
        changed=changed,
        dry_run=dry_run,
        packages=len(plan.wheels),
        changes=tuple(row for row in rows if row.differs),
        kept=tuple(row for row in rows if not row.differs),
        expected=plan.expected,
        project=plan.project_name,
    )


def _compared(plan: Plan, before: EnvironmentRecord | None) -> list[Change]:
    """Return what becomes of each package, sorted by name."""
    old = dict(before.packages) if before is not None else {}
    marks = {name: mark for (name, _), mark in zip(before.packages, before.marks)} if before is not None else {}  # noqa: B905 - older records have none
    rows = [
        Change(
            step.name,
            old.get(step.name, ""),
            step.version,
            step.source,
            old.get(step.name) != step.version or marks.get(step.name, step.mark) != step.mark,
        )
        for step in plan.wheels
    ]
    new = {step.name for step in plan.wheels}
    rows += [Change(name, version, "") for name, version in old.items() if name not in new]
    return sorted(rows, key=lambda row: row.name)
