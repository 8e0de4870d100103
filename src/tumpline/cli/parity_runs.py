"""``tumpline parity --record``: two runs side by side."""

from __future__ import annotations

import argparse
import json

from tumpline.cli.terminal import Terminal
from tumpline.jobs.compare import Difference, compare_runs
from tumpline.jobs.record import RunRecord, read_run_record

__all__ = ["compare_records"]


def compare_records(options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare and print; return 1 where something differs that can change what a program computes."""
    first, second = map(read_run_record, options.record)
    found = compare_runs(first, second)
    deciding = any(difference.decides for difference in found)
    if terminal.json:
        terminal.data(json.dumps(_data(first, second, found), indent=2))
        return int(deciding)
    for difference in found:
        terminal.data(f"{difference.what}: {difference.first or 'none'} -> {difference.second or 'none'}")
    same = len(dict(first.packages)) - sum(each.package and bool(each.first) for each in found)
    terminal.say(f"{same} packages are the same; {len(found)} differences")
    return int(deciding)


def _data(first: RunRecord, second: RunRecord, found: tuple[Difference, ...]) -> dict[str, object]:
    """Return the answer as plain data; its form is documented in ``docs/reference/jobs.md``."""
    return {
        "schema": "tumpline.parity-runs/1",
        "runs": [{"record": str(run.path), "target": run.target, "start": run.start} for run in (first, second)],
        "same": not any(difference.decides for difference in found),
        "differences": [
            {
                "what": each.what,
                "kind": "package" if each.package else "fact",
                "first": each.first or None,
                "second": each.second or None,
                "decides": each.decides,
            }
            for each in found
        ],
    }
