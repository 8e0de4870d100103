"""``tumpline catalogue scan`` of 40,000 wheels against listing their folders, `zipfile`, and a plain reader of tails.

    python bench/scan.py [--runs 5] [--folder DIR] [--cold] [--json]

The tree is made once in ``.work/bench/synth`` by ``synth_wheelhouse.py`` from the folder of shared tools beside the
project; for it a few real wheels are fetched with pip. Times are those of whole processes, page cache warm, and
medians; the ways alternate. The listing (``os.scandir`` with ``stat``) is the least that any scan must do; `zipfile`,
one wheel after the other, is how METADATA is read without a reader of one's own; the tail reader is the shortest one of
one's own, without any check, and reads RECORD as well. ``--cold`` also compares with it while nothing is cached: for
that the caches of the whole computer are emptied before each run, which only root may do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
if str(_ROOT) not in sys.path:
    sys.path.insert(0, str(_ROOT))

from bench._timing import Run, clean_variables, peak_memory, run_once  # noqa: E402 - found by the line above

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
_TAILS = """
import hashlib, os, struct, sys, zlib
for layer in sys.argv[1:]:
    with os.scandir(layer) as entries:
        for entry in entries:
            with open(entry.path, "rb", buffering=0) as wheel:
                size = wheel.seek(0, 2)
                wheel.seek(-min(size, 65557), 2)
                tail = wheel.read()
                end = tail.rfind(b"PK\\x05\\x06")
                length, at = struct.unpack_from("<2L", tail, end + 12)
                wheel.seek(at)
                directory = wheel.read(length)
                place = 0
                while place < length:
                    head = struct.unpack_from("<4s4B4HL2L5H2L", directory, place)
                    name = directory[place + 46 : place + 46 + head[12]]
                    place += 46 + sum(head[12:15])
                    if name.endswith((b".dist-info/METADATA", b".dist-info/RECORD")):
                        wheel.seek(head[18])
                        local = wheel.read(30 + len(name) + 256 + head[10])
                        start = 30 + sum(struct.unpack_from("<2H", local, 26))
                        content = local[start : start + head[10]]
                        if head[6]:
                            content = zlib.decompress(content, -15)
                        if name.endswith(b"RECORD"):
                            hashlib.sha256(content).digest()
"""
_SCAN = "scan, METADATA and RECORD"
_GOALS = {
    "scan, file names only": ("listing", 3.0, "at most"),
    _SCAN: ("zipfile", 4.0, "at least"),
    "scan again, unchanged": ("listing", 2.0, "at most"),
    f"{_SCAN}, cold": ("tail reader, cold", 1.5, "at most"),
}
_MEMORY_GOAL = 150.0
_DROP = Path("/proc/sys/vm/drop_caches")


def main() -> int:
    """Measure, print the figures, and return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=_WORK / "synth", help="where the tree is, or is made")
    parser.add_argument("--cold", action="store_true", help="also measure with the computer's caches emptied")
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
        "tail reader": [sys.executable, "-c", _TAILS, *layers],
        "scan, file names only": [*scan, fresh, "--names-only"],
        _SCAN: [*scan, fresh],
        "scan again, unchanged": [*scan, kept],
    }
    variables = clean_variables(TUMPLINE_CACHE=str(out / "cache"), PYTHONDONTWRITEBYTECODE="")
    memory: dict[str, float] = {}
    # This unmeasured turn fills the caches, and makes what is then scanned again.
    for name, command in {"": [*scan, kept], **ways}.items():
        fresh.unlink(missing_ok=True)
        memory[name] = peak_memory(command, variables)
    del memory[""]
    found: dict[str, list[Run]] = {name: [] for name in ways}
    for run in range(options.runs):
        for name, command in ways.items():
            if name in ("zipfile", "tail reader", _SCAN) and run >= max(3, options.runs // 2):
                continue
            fresh.unlink(missing_ok=True)
            found[name].append(run_once(command, variables))
    if options.cold and _cold():
        for _ in range(min(3, options.runs)):
            for name in ("tail reader", _SCAN):
                fresh.unlink(missing_ok=True)
                _cold()
                found.setdefault(f"{name}, cold", []).append(run_once(ways[name], variables))
    elif options.cold:
        print(f"the rows with empty caches are left out: {_DROP} can not be written", file=sys.stderr)
    return _tell(found, memory, as_json=options.json)


def _cold() -> bool:
    """Empty the computer's caches of files, names and attributes; False where that is not allowed."""
    os.sync()
    try:
        _DROP.write_text("3\n")
    except OSError:
        return False
    return True


def _tell(found: dict[str, list[Run]], memory: dict[str, float], *, as_json: bool) -> int:
    missed = [f"{name}: {value:.0f} MiB" for name, value in memory.items() if value > _MEMORY_GOAL]
    medians = {name: statistics.median(run.seconds for run in runs) for name, runs in found.items()}
    rows: list[dict[str, object]] = []
    for name, seconds in medians.items():
        row: dict[str, object] = {"way": name, "seconds": round(seconds, 3)}
        row["processor"] = round(statistics.median(run.processor for run in found[name]), 3)
        row["runs"] = len(found[name])
        row["mib"] = round(memory[name]) if name in memory else None
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
    print(f"{'way':<31} {'median s':>9} {'cpu s':>7} {'runs':>5} {'MiB':>5}  ratio")
    for row in rows:
        compared = ""
        if "peer" in row:
            times_word = "x faster than" if str(row["goal"]).startswith("at least") else "x of"
            compared = f"{row['ratio']}{times_word} {row['peer']} (goal {row['goal']})"
        held = "" if row["mib"] is None else row["mib"]
        print(f"{row['way']:<31} {row['seconds']:>9} {row['processor']:>7} {row['runs']:>5} {held:>5}  {compared}")
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
