"""``tumpline lock`` against ``uv pip compile``: the same names, in the same run.

    python bench/lock.py [--runs 7] [--cold 2] [--json]

The example project (3 targets) against uv for one of them, caches warm and cold. Times are those of whole processes,
and medians; the ways take turns. ``--offline`` stands beside because uv asks an index that states no lifetime of its
pages about each of them again, so that its warm figure holds the network, and tumpline's does not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench._projects import WORK, direct_names, example, index_variables, peers  # noqa: E402 - found by the line above
from bench._report import Row, tell  # noqa: E402
from bench._timing import Run, in_turn, run_once  # noqa: E402

_HERE = WORK / "lock"
_MOST_RESOLVING = 0.2

_ALONE = """
import sys, time
from argparse import Namespace
from pathlib import Path
from tumpline.cli.wiring import open_index, open_targets
from tumpline.project.read import read_project
from tumpline.resolve.resolution import resolve
options = Namespace(project=Path(sys.argv[1]), offline=True, refresh=False, catalogue=None)
project = read_project(options.project)
with open_index(options) as index:
    targets, catalogues = open_targets(project, options)
    started = time.perf_counter()
    resolve(project.requirements, targets, catalogues, index, rules=project.settings.packages)
    print(time.perf_counter() - started)
"""

Command = list[str | Path]


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cold", type=int, default=2, help="runs with empty caches")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, limits = _example(options.runs, options.cold)
    return tell(rows, limits, as_json=options.json)


def _example(runs: int, cold: int) -> tuple[list[Row], list[tuple[str, float, float | None]]]:
    project = example("lock")
    names = _names(_HERE / "example.txt", direct_names(project))
    ours, theirs = _HERE / "cache", _HERE / "uv-cache"
    variables = index_variables(TUMPLINE_CACHE=str(ours), UV_CACHE_DIR=str(theirs))
    compiled: Command = [peers() / "uv", "pip", "compile", "--quiet", "--python", sys.executable, names]
    locked: Command = [_tumpline(), "lock", "--json", "--project", project]
    lock = project / "tumpline.lock"

    def anew(*more: str) -> Run:
        lock.unlink(missing_ok=True)
        return run_once([*locked, *more], variables)

    def again() -> Run:
        if not lock.exists():
            anew("--offline")
        return run_once([*locked, "--offline"], variables)

    def emptied(folder: Path, command: Command) -> Run:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        return run_once(command, variables)

    ways: dict[str, Callable[[], Run]] = {
        "uv, cold": lambda: emptied(theirs, compiled),
        "tumpline, cold": lambda: emptied(ours, locked),
        "uv, warm": lambda: run_once(compiled, variables),
        "tumpline, warm": anew,
        "uv, --offline": lambda: run_once([*compiled, "--offline"], variables),
        "tumpline, --offline": lambda: anew("--offline"),
        "tumpline, nothing changed": again,
        "resolve() alone": lambda: run_once([sys.executable, "-c", _ALONE, project], variables),
    }
    found = in_turn(lambda name: ways[name](), [name for name in ways if "cold" in name], cold)
    found |= in_turn(lambda name: ways[name](), [name for name in ways if "cold" not in name], runs)
    alone = statistics.median(float(run.stdout) for run in found.pop("resolve() alone"))
    stated = statistics.median(float(json.loads(run.stdout)["seconds"]) for run in found["tumpline, --offline"])
    compared = {
        "tumpline, cold": ("uv, cold", None),
        "tumpline, warm": ("uv, warm", 3.0),
        "tumpline, --offline": ("uv, --offline", None),
        "tumpline, nothing changed": ("uv, --offline", None),
    }
    rows = [Row(name, each, *compared.get(name, ())) for name, each in found.items()]
    limits: list[tuple[str, float, float | None]] = [
        ("resolve() alone, 3 targets", alone, _MOST_RESOLVING),
        ("what lock --json states, which holds the opening of catalogues and index", stated, None),
    ]
    return rows, limits


def _tumpline() -> Path:
    return Path(sys.executable).parent / "tumpline"


def _names(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


if __name__ == "__main__":
    raise SystemExit(main())
