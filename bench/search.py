"""``tumpline search`` against avail_wheels on 40,000 wheels: the same questions, in the same run.

    python bench/search.py [--runs 7] [--json]

Both programs look into the synthetic wheelhouse that ``bench/scan.py`` makes, with the variables of a cluster. How to
obtain avail_wheels stands at the head of ``bench/search_agreement.py``. Times are those of whole processes, page cache
warm, and medians; the ways take turns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench import scan  # noqa: E402 - found by the line above
from bench._projects import WORK  # noqa: E402
from bench._report import Row, tell  # noqa: E402
from bench._timing import Run, clean_variables, in_turn, run_once  # noqa: E402
from bench.search_agreement import peer_command, place_of  # noqa: E402
from tests.catalogue.avail_tree import LAYERS  # noqa: E402
from tumpline.catalogue.query import Ask, Terms, search  # noqa: E402
from tumpline.catalogue.store import open_catalogue  # noqa: E402

_MOST_MIB = 60.0


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    peer = peer_command()
    root = scan.synthetic_tree(WORK / "synth") / "wheelhouse"
    with tempfile.TemporaryDirectory() as folder:
        place = place_of(root, LAYERS, Path(folder))
        variables = clean_variables(**place.variables, TUMPLINE_CATALOGUE=str(place.catalogue))
        listed = Path(folder) / "requirements.txt"
        # avail_wheels finds no names with dots.
        names = [name for name in place.names if "." not in name]
        listed.write_text("".join(f"{name}\n" for name in names[:: len(names) // 60][:60]), "utf-8")
        questions: dict[str, tuple[list[str], list[str], float]] = {
            "NAME": (["core_torch"], ["core_torch"], 1 / 4),
            "'*torch*'": (["*torch*"], ["*torch*"], 1 / 6),
            "all, latest": ([], [], 1 / 4),
            "all versions": (["--all_versions"], ["--all-versions"], 1 / 4),
            "-r, 60 names": (["-r", str(listed)], ["-r", str(listed), "--offline"], 1 / 15),
        }
        ways: dict[str, Callable[[], Run]] = {"python -c pass": _way([sys.executable, "-c", "pass"], variables)}
        tumpline = Path(sys.executable).parent / "tumpline"
        for what, (theirs, ours, _) in questions.items():
            ways[f"avail_wheels {what}"] = _way([*peer, *theirs], variables)
            ways[f"tumpline avail-wheels {what}"] = _way([tumpline, "avail-wheels", *theirs], variables)
            ways[f"tumpline search {what}"] = _way([tumpline, "search", *ours], variables)
        found = in_turn(lambda name: ways[name](), ways, options.runs)
        rows = [Row("python -c pass", found["python -c pass"])]
        for what, (_, _, goal) in questions.items():
            rows.append(Row(f"avail_wheels {what}", found[f"avail_wheels {what}"]))
            for command in ("avail-wheels", "search"):
                name = f"tumpline {command} {what}"
                rows.append(Row(name, found[name], f"avail_wheels {what}", goal if command == "search" else None))
        rows.append(Row("tumpline search NAME (start-up)", found["tumpline search NAME"], "python -c pass", 3.0))
        limits: list[tuple[str, float, float | None]] = [("1,000 names in process", _in_process(place.catalogue), 0.1)]
    status = tell(rows, limits, as_json=options.json)
    heavy = [row.way for row in rows if row.way.startswith("tumpline search") and row.mib > _MOST_MIB]
    for way in heavy:
        print(f"missed: {way}: more than {_MOST_MIB:.0f} MiB", file=sys.stderr)
    return 1 if heavy else status


def _way(command: Sequence[str | Path], variables: dict[str, str]) -> Callable[[], Run]:
    return lambda: run_once(command, variables)


def _in_process(path: Path) -> float:
    """Return the median seconds of opening the catalogue and looking up 1,000 names."""
    with open_catalogue(path) as catalogue:
        names = catalogue.names()[:1000]
    seconds: list[float] = []
    for _ in range(7):
        started = time.perf_counter()
        with open_catalogue(path) as catalogue:
            for name in names:
                list(search(catalogue, [Ask(name, name)], Terms(("3.11",))))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    raise SystemExit(main())
