"""From the start of a job to the end of its first heavy import, on the test cluster: the documented way and ours.

    python -m bench.cluster [--runs 3] [--nodes 4] [--json]

Needs root, Slurm and Lmod (`make services`). The environment holds every project of the replica's wheelhouse. Times are
taken in the job's own script, from its first line until the import is done on all its nodes; medians. Each way is tried
on one node and on all nodes in turn.

All nodes are on this machine, with its processors and its disk: work that every node has to do takes N times as long on
N nodes where one alone kept the machine busy. The column `a node` is the time of all nodes divided by their number, to
be held against the time of one; what is read from the shared file system per node is told below.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
from pathlib import Path

from cluster.kinds import KINDS
from cluster.model import Cluster
from cluster.running import down, run_job, up
from replica.build import make_replica
from tumpline.wheels import parse_wheel_name

ROOT = Path(__file__).resolve().parent.parent
_IMPORTS = "import numpy, scipy, pandas, sklearn, matplotlib.pyplot"
_MODULES = "module load StdEnv/2023 python/3.11 arrow/23.0.1"
_DOCUMENTED = "virtualenv, pip --no-index"
_IMAGE = "tumpline unpack"
_GOALS = {"tumpline sync": 4.0, _IMAGE: 8.0}
"""How many times as fast as the documented way, on one node."""


def main() -> int:
    """Measure and print the figures; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--nodes", type=int, choices=range(2, 17), default=4, metavar="N")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root = ROOT / ".work" / "bench-cluster"
    try:
        cluster = up(root, KINDS["narval"], options.nodes)
        project = _make_project(cluster)
        ways = _ways(project)
        times: dict[str, dict[int, list[float]]] = {name: {1: [], options.nodes: []} for name in ways}
        for _ in range(options.runs):
            for name, lines in ways.items():
                for nodes, found in times[name].items():
                    found.append(_job(cluster, project, lines, nodes))
        packages = len(_projects())
        image = _image(project).stat().st_size
        wheels = _wheel_bytes(project)
    finally:
        down(root)
    return _tell(times, packages, image, wheels, as_json=options.json)


def _projects() -> list[str]:
    """Return the projects of the wheelhouse that are no dummies; one name each."""
    replica = make_replica(ROOT / ".work" / "replica")
    names = {parse_wheel_name(wheel.name).name for wheel in replica.wheels if "+dummy" not in wheel.name}
    return sorted(names - {"pip", "setuptools", "wheel"})


def _make_project(cluster: Cluster) -> Path:
    project = cluster.scratch / "bench"
    project.mkdir()
    names = _projects()
    (project / "requirements.txt").write_text("\n".join([*names, ""]))
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "bench"\nversion = "1"\ndependencies = {json.dumps(names)}\n\n'
        '[tool.tumpline.targets.narval]\nsite = "narval"\npython = "3.11"\nmodules = ["arrow/23.0.1"]\n'
    )
    steps = ("tumpline catalogue scan narval", "tumpline lock", f"{_MODULES} && tumpline sync && tumpline pack")
    for step in steps:
        _login(cluster, project, "bash", "-c", step)
    shutil.rmtree(project / ".tumpline")
    return project


def _image(project: Path) -> Path:
    return next(project.glob("narval-*.tar*"))


def _ways(project: Path) -> dict[str, str]:
    """Return what each way runs on every node; the import follows."""
    by_hand = 'virtualenv --no-download -q "$SLURM_TMPDIR/narval" && . "$SLURM_TMPDIR/narval/bin/activate" && '
    by_hand += "pip install -q --no-index --upgrade pip && pip install -q --no-index -r requirements.txt"
    return {
        _DOCUMENTED: by_hand,
        "the same, --no-compile": by_hand.replace("-r ", "--no-compile -r "),
        "tumpline sync": 'tumpline sync -q --env "$SLURM_TMPDIR/narval"',
        _IMAGE: f'tumpline unpack -q {_image(project).name} "$SLURM_TMPDIR/narval"',
    }


def _login(cluster: Cluster, folder: Path, *words: str) -> None:
    command = [str(cluster.login), "env", f"--chdir={folder}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with status {done.returncode}\n{done.stdout}{done.stderr}")


def _job(cluster: Cluster, project: Path, lines: str, nodes: int) -> float:
    """Run a job and return how many seconds its script took."""
    (project / "node.sh").write_text(f'set -e\n{lines}\n"$SLURM_TMPDIR/narval/bin/python" -c "{_IMPORTS}"\n')
    script = ("#!/bin/bash", "set -e", "begun=$(date +%s%N)", _MODULES, "srun --ntasks-per-node=1 bash node.sh")
    (project / "job.sh").write_text("\n".join([*script, 'echo "took $(($(date +%s%N) - begun))"', ""]))
    words = (f"--nodes={nodes}", "--ntasks-per-node=1", "--cpus-per-task=2", "--mem-per-cpu=1000", "--output=out.txt")
    if status := run_job(cluster, project, *words, "job.sh"):
        raise SystemExit(f"the job ended with status {status}\n{(project / 'out.txt').read_text()}")
    return int((project / "out.txt").read_text().rpartition("took ")[2]) / 1e9


def _wheel_bytes(project: Path) -> int:
    """Return the size of the wheels that the lock names."""
    text = (project / "tumpline.lock").read_text(encoding="utf-8")
    replica = make_replica(ROOT / ".work" / "replica")
    return sum(wheel.stat().st_size for wheel in replica.wheels if f'"{wheel.name}"' in text)


def _tell(times: dict[str, dict[int, list[float]]], packages: int, image: int, wheels: int, *, as_json: bool) -> int:
    medians = {way: {n: statistics.median(found) for n, found in by.items()} for way, by in times.items()}
    by_hand = min(medians[_DOCUMENTED].items())[1]
    missed = [
        f"{way}: {by_hand / min(medians[way].items())[1]:.1f} times as fast, goal {goal:g}"
        for way, goal in _GOALS.items()
        if by_hand / min(medians[way].items())[1] < goal
    ]
    if as_json:
        data = {"packages": packages, "seconds": medians, "image_bytes": image, "wheel_bytes": wheels, "missed": missed}
        print(json.dumps(data, indent=2))
        return 1 if missed else 0
    print(f"{packages} projects; {len(times[_DOCUMENTED][1])} runs; seconds until the import is done")
    for way, by in medians.items():
        (_, one), (count, many) = sorted(by.items())
        faster = f"({by_hand / one:.1f}x)"
        print(f"{way:<28} 1 node {one:6.1f} {faster:>8}   {count} nodes {many:6.1f}, a node {many / count:6.1f}")
    megabytes = {"wheels": wheels / 1e6, "an image": image / 1e6}
    told = (f"{size:.0f} MB of {what}, by 1,000 nodes {size:.0f} GB" for what, size in megabytes.items())
    print(f"read from the shared file system by a node: {'; '.join(told)}; with sbcast the image once in all")
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
