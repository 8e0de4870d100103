"""Two runs, side by side: in what their records differ."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from tumpline.jobs.record import RunRecord

__all__ = ["Difference", "compare_runs"]


class Difference(NamedTuple):
    """One thing that is not the same: `what` is a fact or the name of a package; an empty value is one that is not
    there. `decides` says that it can change what a program computes.
    """

    what: str
    first: str
    second: str
    package: bool = False
    decides: bool = True


def compare_runs(first: RunRecord, second: RunRecord) -> tuple[Difference, ...]:
    """Return the differences: facts first, then packages by name. When and on which nodes they ran is no difference."""
    facts = [
        Difference(what, one, other, decides=decides)
        for (what, one, decides), (_, other, _) in zip(_facts(first), _facts(second), strict=True)
        if one != other
    ]
    before, after = dict(first.packages), dict(second.packages)
    packages = [
        Difference(name, before.get(name, ""), after.get(name, ""), package=True)
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    return (*facts, *packages)


def _facts(record: RunRecord) -> list[tuple[str, str, bool]]:
    version = record.version
    status = "did not end" if record.status is None else str(record.status)
    return [
        ("target", record.target, False),
        ("site", record.site, True),
        ("software environment", record.environment, True),
        ("CPU level", record.cpu_level, True),
        ("Python", record.python, True),
        ("modules", " ".join(record.modules), True),
        ("driver", record.driver, True),
        ("lock", record.lock[:12], False),
        ("commit", version.commit[:12] if version is not None else "", True),
        ("changed files", ("yes" if version.dirty else "no") if version is not None else "", True),
        ("command", shlex.join(record.command), True),
        ("exit status", status, False),
    ]
