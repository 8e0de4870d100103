"""``tumpline catalogue scan`` of 40,000 wheels against the bare listing of their folders, and against `zipfile`.

    python bench/scan.py [--runs 5] [--folder DIR] [--json]

The tree is made once in ``.work/bench/synth`` by ``synth_wheelhouse.py`` from the folder of shared tools beside the
project; for it a few real wheels are fetched with pip. Times are those of whole processes, page cache warm, and
medians; the ways alternate. The listing (``os.scandir`` with ``stat``) is the least that any scan must do; `zipfile`,
one wheel after the other, is how METADATA is read without a reader of one's own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench._timing import clean_variables, peak_memory, seconds_of  # noqa: E402 - found by the line above

_WORK = _ROOT / ".work" / "bench"
_MAKER = _ROOT.parent / "shared" / "tools" / "synth_wheelhouse.py"
_LAYERS = ("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic")
_LENDERS = ("attrs", "flask", "numpy", "pandas", "pydantic", "pytest", "requests", "rich", "scikit-learn", "tqdm")

_LIST = """
import os, sys
for layer in sys.argv[1:]:
    with os.scandir(layer) as entries:
        for entry in entries:
            entry.stat()
"""
_ZIPFILE = """
import os, sys, zipfile
for layer in sys.argv[1:]:
    with os.scandir(layer) as entries:
        for entry in entries:
            with zipfile.ZipFile(entry.path) as wheel:
                names = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
                wheel.read(names[0])
"""
_GOALS = {
    "scan, file names only": ("listing", 3.0, "at most"),
    "scan, METADATA and RECORD": ("zipfile", 3.0, "at least"),
    "scan again, unchanged": ("listing", 5.0, "at most"),
}
_MEMORY_GOAL = 300.0


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=_WORK / "synth", help="where the tree is, or is made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root = synthetic_tree(options.folder.resolve()) / "wheelhouse"
    layers = [root / layer for layer in _LAYERS]
    out = _WORK / "scan"
    out.mkdir(parents=True, exist_ok=True)
    fresh, kept = out / "fresh.sqlite", out / "kept.sqlite"
    tumpline = Path(sys.executable).parent / "tumpline"
    # The layers are those that the profile of narval names; where they lie is said by the option.
    scan: list[str | Path] = [tumpline, "catalogue", "scan", "narval", "--quiet", "--wheelhouse", root, "--output"]
    ways: dict[str, list[str | Path]] = {
        "listing": [sys.executable, "-c", _LIST, *layers],
        "zipfile": [sys.executable, "-c", _ZIPFILE, *layers],
        "scan, file names only": [*scan, fresh, "--names-only"],
        "scan, METADATA and RECORD": [*scan, fresh],
        "scan again, unchanged": [*scan, kept],
    }
    variables = clean_variables(TUMPLINE_CACHE=str(out / "cache"), PYTHONDONTWRITEBYTECODE="")
    seconds_of([*scan, kept], variables)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(options.runs):
        for name, command in ways.items():
            if name in ("zipfile", "scan, METADATA and RECORD") and run >= max(3, options.runs // 2):
                continue
            fresh.unlink(missing_ok=True)
            times[name].append(seconds_of(command, variables))
    memory: dict[str, float] = {}
    for name, command in ways.items():
        fresh.unlink(missing_ok=True)
        memory[name] = peak_memory(command, variables)
    medians = {name: statistics.median(found) for name, found in times.items()}
    return _tell(times, medians, memory, as_json=options.json)


def _tell(times: dict[str, list[float]], medians: dict[str, float], memory: dict[str, float], *, as_json: bool) -> int:
    missed = [f"{name}: {value:.0f} MiB" for name, value in memory.items() if value > _MEMORY_GOAL]
    rows: list[dict[str, object]] = []
    for name, seconds in medians.items():
        row: dict[str, object] = {"way": name, "seconds": round(seconds, 3), "runs": len(times[name])}
        row["mib"] = round(memory[name])
        if name in _GOALS:
            peer, goal, kind = _GOALS[name]
            ratio = medians[peer] / seconds if kind == "at least" else seconds / medians[peer]
            row |= {"peer": peer, "ratio": round(ratio, 2), "goal": f"{kind} {goal:g}"}
            if (ratio < goal) if kind == "at least" else (ratio > goal):
                missed.append(f"{name}: {ratio:.2f}, goal {kind} {goal:g}")
        rows.append(row)
    if as_json:
        print(json.dumps({"rows": rows, "missed": missed}, indent=2))
        return 1 if missed else 0
    print(f"{'way':<27} {'median s':>9} {'runs':>5} {'MiB':>5}  ratio")
    for row in rows:
        compared = ""
        if "peer" in row:
            times_word = "x faster than" if str(row["goal"]).startswith("at least") else "x of"
            compared = f"{row['ratio']}{times_word} {row['peer']} (goal {row['goal']})"
        print(f"{row['way']:<27} {row['seconds']:>9} {row['runs']:>5} {row['mib']:>5}  {compared}")
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


def synthetic_tree(folder: Path) -> Path:
    """Return the folder of the synthetic wheelhouse, made on first use."""
    if (folder / "truth.json").is_file():
        return folder
    if not _MAKER.is_file():
        raise SystemExit(f"{folder} holds no synthetic wheelhouse, and {_MAKER} to make one is not there")
    lenders = _WORK / "real"
    if not lenders.is_dir():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", lenders, *_LENDERS]
        subprocess.run([str(word) for word in command], check=True)
    subprocess.run([sys.executable, str(_MAKER), str(folder), str(lenders)], check=True)
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
