"""How long tumpline takes to start, against a Python that does nothing.

    python bench/startup.py [--runs 15] [--json]

Times are those of whole processes and medians; the ways take turns, after one unmeasured turn that writes the bytecode
and, for the example, the lock (which needs the index once). Both use bytecode, as installed programs do.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench._projects import example, index_variables  # noqa: E402 - found by the line above
from bench._report import Row, tell  # noqa: E402
from bench._timing import Run, in_turn, run_once  # noqa: E402

_PEER = "python -c pass"
_GOALS = {"tumpline --version": 2.5}


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    project = example("startup")
    variables = index_variables(TUMPLINE_CACHE=str(project.parent / "cache"))
    tumpline = Path(sys.executable).parent / "tumpline"
    run_once([tumpline, "lock", "--quiet", "--project", project], variables)
    commands: dict[str, list[str | Path]] = {
        _PEER: [sys.executable, "-c", "pass"],
        "tumpline --version": [tumpline, "--version"],
        "tumpline --help": [tumpline, "--help"],
        "tumpline parity": [tumpline, "parity", "--project", project],
        "tumpline lock --check": [tumpline, "lock", "--check", "--project", project],
    }

    def way(name: str) -> Run:
        return run_once(commands[name], variables)

    found = in_turn(way, commands, options.runs)
    rows = [Row(name, runs, "" if name == _PEER else _PEER, _GOALS.get(name)) for name, runs in found.items()]
    return tell(rows, as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
