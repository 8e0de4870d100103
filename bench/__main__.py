"""Run all benchmarks one after the other: ``python -m bench``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHES = (
    "bench.startup",
    "bench.lock",
    "bench.resolve",
    "bench.scan",
    "bench.snapshot",
    "bench.pull",
    "bench.search",
    "bench.sync",
    "bench.pack",
)


def main() -> int:
    """Run each in a process of its own and return 1 where a goal is missed."""
    missed = False
    for bench in BENCHES:
        print(f"\n{bench}", flush=True)
        missed |= subprocess.run([sys.executable, "-m", bench], cwd=ROOT, check=False).returncode != 0
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
