"""A snapshot of 40,000 wheels: its size; and opening a catalogue to answer a thousand names in process.

    python -m bench.snapshot [--runs 5] [--folder DIR] [--json]

The tree is that of `bench.scan`. Sizes are of the whole file, all dependencies and digests included; times are medians
within one process, page cache warm. Opening includes everything but starting Python and importing tumpline.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import tumpline.catalogue
from bench._timing import clean_variables
from bench.scan import synthetic_tree
from tumpline.catalogue.snapshot import content_of, pack, unpack
from tumpline.catalogue.store import open_catalogue
from tumpline.catalogue.writer import write_catalogue

_WORK = Path(__file__).resolve().parent.parent / ".work" / "bench"
_MOST_BYTES = 40.0
"""For each wheel."""

_MOST_SECONDS = 0.1
_NAMES = 1000


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=_WORK / "synth", help="where the tree is, or is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    path = _scanned(synthetic_tree(options.folder.resolve()) / "wheelhouse")
    with open_catalogue(path) as catalogue:
        content = content_of(catalogue)
        names = random.Random(1).sample(catalogue.names(), _NAMES)
    raw = pack(content)
    back = path.with_name("back.sqlite")
    write_catalogue(back, *unpack(raw, "the snapshot"))
    if back.read_bytes() != path.read_bytes():
        raise SystemExit("the catalogue made from the snapshot is not the one that the snapshot was made from")

    def answer(ask: Callable[[tumpline.catalogue.OpenCatalogue, str], object]) -> None:
        with tumpline.catalogue.open(path) as catalogue:
            for name in names:
                ask(catalogue, name)

    ways: dict[str, Callable[[], object]] = {
        "open, all wheels of 1,000 names": lambda: answer(lambda catalogue, name: catalogue.wheels(name)),
        "open, the latest of 1,000 names": lambda: answer(
            lambda catalogue, name: catalogue.latest(name, python="3.11")
        ),
        "export (pack)": lambda: pack(content),
        "open a snapshot (unpack, check)": lambda: unpack(raw, ""),
        "import (unpack, check, write)": lambda: write_catalogue(back, *unpack(raw, "")),
    }
    medians = {name: _median(way, options.runs if name.startswith("open, ") else 3) for name, way in ways.items()}
    each = len(raw) / len(content.wheels)
    missed = [f"{each:.1f} bytes for each wheel, goal {_MOST_BYTES:g}"] if each > _MOST_BYTES else []
    missed += [
        f"{name}: {seconds * 1e3:.0f} ms, goal {_MOST_SECONDS * 1e3:.0f}"
        for name, (seconds, _) in medians.items()
        if name.startswith("open, ") and seconds > _MOST_SECONDS
    ]
    if options.json:
        rows = [
            {"way": name, "seconds": round(seconds, 4), "processor": round(processor, 4)}
            for name, (seconds, processor) in medians.items()
        ]
        print(
            json.dumps({"bytes": len(raw), "bytes-per-wheel": round(each, 2), "rows": rows, "missed": missed}, indent=2)
        )
        return 1 if missed else 0
    print(f"snapshot of {len(content.wheels):,} wheels: {len(raw):,} bytes, {each:.1f} for each (goal {_MOST_BYTES:g})")
    print(f"{'way':<33} {'median ms':>10} {'cpu ms':>8}")
    for name, (seconds, processor) in medians.items():
        goal = f" (goal {_MOST_SECONDS * 1e3:.0f})" if name.startswith("open, ") else ""
        print(f"{name:<33} {seconds * 1e3:>10.1f} {processor * 1e3:>8.1f}{goal}")
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


def _median(way: Callable[[], object], runs: int) -> tuple[float, float]:
    """Return the median seconds by the clock, and of processor time."""
    times: list[float] = []
    processor: list[float] = []
    for _ in range(runs):
        started, before = time.perf_counter(), time.process_time()
        way()
        times.append(time.perf_counter() - started)
        processor.append(time.process_time() - before)
    return statistics.median(times), statistics.median(processor)


def _scanned(root: Path) -> Path:
    path = _WORK / "snapshot" / "scanned.sqlite"
    tumpline_command = Path(sys.executable).parent / "tumpline"
    # The layers are those that the profile of narval names; where they lie is said by the option.
    command = [tumpline_command, "catalogue", "scan", "narval", "--quiet", "--wheelhouse", root, "--output", path]
    variables = clean_variables(TUMPLINE_CACHE=str(_WORK / "snapshot" / "cache"))
    subprocess.run([str(word) for word in command], check=True, env=variables)
    return path


if __name__ == "__main__":
    raise SystemExit(main())
