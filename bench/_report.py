"""The table of a benchmark: medians, ratios to the named peer, peak memory, and what was not reached."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench._timing import Run

__all__ = ["Row", "tell"]

_MOST_MIB = 300.0
"""What no process of ours may exceed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A way that was tried; `goal` is the most times the median of `peer` (the name of another row) it may take."""

    way: str
    runs: tuple[Run, ...]
    peer: str = ""
    goal: float | None = None

    @property
    def seconds(self) -> float:
        """The median by the clock."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def mib(self) -> float:
        """The highest peak."""
        return max(run.mib for run in self.runs)


def tell(rows: Sequence[Row], limits: Sequence[tuple[str, float, float | None]] = (), *, as_json: bool) -> int:
    """Print the rows, then the limits (what, seconds, most seconds or None); return 1 where a goal is missed."""
    by_name = {row.way: row for row in rows}
    missed = [f"{row.way}: {row.mib:.0f} MiB, goal {_MOST_MIB:.0f}" for row in rows if row.peer and row.mib > _MOST_MIB]
    data: list[dict[str, object]] = []
    for row in rows:
        processor = statistics.median(run.processor for run in row.runs)
        facts: dict[str, object] = {"way": row.way, "seconds": round(row.seconds, 4), "processor": round(processor, 4)}
        facts |= {"runs": len(row.runs), "mib": round(row.mib)}
        if row.peer:
            ratio = row.seconds / by_name[row.peer].seconds
            facts |= {"peer": row.peer, "ratio": round(ratio, 2), "goal": row.goal}
            if row.goal is not None and ratio > row.goal:
                missed.append(f"{row.way}: {ratio:.2f} times {row.peer}, goal {row.goal:g}")
        data.append(facts)
    missed += [f"{what}: {seconds:.3f} s, goal {most:g} s" for what, seconds, most in limits if most and seconds > most]
    if as_json:
        times = [{"what": what, "seconds": round(seconds, 4), "goal": most} for what, seconds, most in limits]
        print(json.dumps({"rows": data, "limits": times, "missed": missed}, indent=2))
        return 1 if missed else 0
    wide = max(len(row.way) for row in rows)
    print(f"{'way':<{wide}} {'median ms':>10} {'cpu ms':>8} {'runs':>5} {'MiB':>5}")
    for row, facts in zip(rows, data, strict=True):
        line = f"{row.way:<{wide}} {row.seconds * 1e3:>10.1f} {float(str(facts['processor'])) * 1e3:>8.1f}"
        line += f" {len(row.runs):>5} {row.mib:>5.0f}"
        if row.peer:
            line += f"  {facts['ratio']} times {row.peer}" + (f" (goal {row.goal:g})" if row.goal is not None else "")
        print(line)
    for what, seconds, most in limits:
        print(f"{what}: {seconds * 1e3:.1f} ms" + (f" (goal {most * 1e3:.0f} ms)" if most else ""))
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0
