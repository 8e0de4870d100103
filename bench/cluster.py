"""From the start of a job to the end of its first heavy import, on the test cluster: the documented way and ours.

    python -m bench.cluster [--runs 3] [--nodes 4] [--tasks 200] [--disk] [--json]

Needs root, Slurm and Lmod (`make services`). The wheelhouse is that of the replica and the wheels of `bench.sync`,
which are the environment. Times are taken in the job's own script, from its first line until the import is done on all
its nodes; medians. Each way is tried on one node and on all nodes in turn. The second import of the documented way, in
the same job, is the least that any way could take.

All nodes are on this machine, with its processors and its disk: work that every node has to do takes N times as long on
N nodes where one alone kept the machine busy. The column `a node` is the time of all nodes divided by their number, to
be held against the time of one; what is read from the shared file system per node is told below.

The nodes' own disks are memory, as on Trillium. With `--disk` they are folders of this machine's disk; there ext4 makes
files several times slower for minutes after a job's environment was removed, which the next way pays for.

At last an array of short tasks, one at a time on a node, with the script that ``tumpline job script`` writes: what each
of them waits from its first line until its command begins, in the mean, as a share of what the documented way takes
each of them.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.sync import fetch_wheels
from cluster.kinds import KINDS
from cluster.model import Cluster
from cluster.running import down, run_job, up
from replica.build import Replica, make_replica
from replica.configuration import write_configuration
from replica.retag import retag
from tumpline.wheels import WheelName, parse_wheel_name

ROOT = Path(__file__).resolve().parent.parent
_IMPORTS = "import numpy, scipy, pandas, sklearn, matplotlib.pyplot"
_MODULES = "module load StdEnv/2023 python/3.11 arrow/23.0.1"
_BY_MODULE = "pyarrow"
_DOCUMENTED, _SYNC, _IMAGE, _BROADCAST = (
    "virtualenv, pip --no-index",
    "tumpline sync",
    "tumpline unpack",
    "sbcast, unpack",
)
_FASTER = {_SYNC: 4.0, _IMAGE: 8.0}
"""How many times as fast as the documented way, on one node."""
_A_NODE = {_SYNC: 1.3, _IMAGE: 1.3, _BROADCAST: 1.3}
"""How much longer it may take for each of several nodes than for one alone."""
_TASK = 0.01
"""The most of the documented way's time that a task of the array may wait for its environment."""
_GENERIC = "generic"


@dataclass(frozen=True, slots=True)
class Way:
    """What runs on every node, the import aside; and in the job's script before."""

    lines: str
    before: str = ":"


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds by way and number of nodes, and of the second import; seconds that each task of the array waited, and how
    many environments they had; how many packages there are, and bytes of the image and of the wheels."""

    times: dict[str, dict[int, list[float]]]
    again: list[float]
    waits: list[float]
    made: int
    packages: int
    image: int
    wheels: int


def main() -> int:
    """Measure and print the figures; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--nodes", type=int, choices=range(2, 17), default=4, metavar="N")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--disk", action="store_true", help="nodes have a disk, not memory")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root = ROOT / ".work" / "bench-cluster"
    kind = KINDS["narval"]._replace(memory=not options.disk)
    replica, wheels = _make_wheelhouse()
    down(root)
    try:
        cluster = up(root, kind, options.nodes, replica=replica)
        project = _make_project(cluster, wheels)
        ways = _ways(project)
        times: dict[str, dict[int, list[float]]] = {name: {1: [], options.nodes: []} for name in ways}
        again = []
        for _ in range(options.runs):
            for name, way in ways.items():
                for nodes, seconds in times[name].items():
                    whole, second = _job(cluster, project, way, nodes)
                    print(f"{name}, nodes: {nodes}, seconds: {whole:.1f}", file=sys.stderr, flush=True)
                    seconds.append(whole)
                    if name == _DOCUMENTED and nodes == 1:
                        again.append(second)
        image = _image(project)
        size = image.stat().st_size
        image.unlink()
        waits, made = _array(cluster, project, options.tasks)
        read = sum(wheel.stat().st_size for wheel in wheels)
        found = Found(times, again, waits, made, len(wheels), size, read)
    finally:
        down(root)
    return _tell(found, as_json=options.json)


def _make_wheelhouse() -> tuple[Replica, list[Path]]:
    """Return a replica of which the wheels of `bench.sync` are part, and these wheels."""
    plain = make_replica(ROOT / ".work" / "replica")
    replica = Replica(ROOT / ".work" / "bench-replica", plain.pythons, plain.interpreters)
    shutil.rmtree(replica.root, ignore_errors=True)
    shutil.copytree(plain.root, replica.root, symlinks=True)
    write_configuration(replica.root, replica.pythons)
    wheels = [wheel for wheel in sorted(fetch_wheels().iterdir()) if _name(wheel).name != _BY_MODULE]
    folder = replica.wheelhouse / _GENERIC
    return replica, [retag(wheel, folder, _name(wheel).name.replace("-", "_")) for wheel in wheels]


def _name(wheel: Path) -> WheelName:
    return parse_wheel_name(wheel.name)


def _make_project(cluster: Cluster, wheels: list[Path]) -> Path:
    project = cluster.scratch / "bench"
    project.mkdir()
    # pip takes these very wheels for them, and so does tumpline.
    names = [f"{_name(wheel).name}=={_name(wheel).version.partition('+')[0]}" for wheel in wheels]
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


def _ways(project: Path) -> dict[str, Way]:
    by_hand = 'virtualenv --no-download -q "$SLURM_TMPDIR/narval" && . "$SLURM_TMPDIR/narval/bin/activate" && '
    by_hand += "pip install -q --no-index --upgrade pip && pip install -q --no-index -r requirements.txt"
    image = _image(project).name
    return {
        _DOCUMENTED: Way(by_hand),
        "the same, --no-compile": Way(by_hand.replace("-r ", "--no-compile -r ")),
        _SYNC: Way('tumpline sync -q --env "$SLURM_TMPDIR/narval"'),
        _IMAGE: Way(f'tumpline unpack -q {image} "$SLURM_TMPDIR/narval"'),
        _BROADCAST: Way(
            f'tumpline unpack -q "$SLURM_TMPDIR/{image}" "$SLURM_TMPDIR/narval"',
            before=f'sbcast {image} "$SLURM_TMPDIR/{image}"',
        ),
    }


def _login(cluster: Cluster, folder: Path, *words: str) -> None:
    command = [str(cluster.login), "env", f"--chdir={folder}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with status {done.returncode}\n{done.stdout}{done.stderr}")


def _job(cluster: Cluster, project: Path, way: Way, nodes: int) -> tuple[float, float]:
    """Run a job; return how many seconds its script took until the first import, and the longest second import."""
    program = f'"$SLURM_TMPDIR/narval/bin/python" -c "{_IMPORTS}"'
    clock = "$(date +%s%N)"
    lines = ("set -e", way.lines, program, f'echo "imported {clock}"', f"again={clock}", program)
    (project / "node.sh").write_text("\n".join([*lines, f'echo "again $(({clock} - again))"', ""]))
    script = ("#!/bin/bash", "set -e", f'echo "begun {clock}"', _MODULES, way.before)
    (project / "job.sh").write_text("\n".join([*script, "srun --ntasks-per-node=1 bash node.sh", ""]))
    words = (f"--nodes={nodes}", "--ntasks-per-node=1", "--cpus-per-task=2", "--mem-per-cpu=1000", "--output=out.txt")
    if status := run_job(cluster, project, *words, "job.sh"):
        raise SystemExit(f"the job ended with status {status}\n{(project / 'out.txt').read_text()}")
    said: dict[str, list[int]] = {"begun": [], "imported": [], "again": []}
    for word, number in re.findall(r"^(begun|imported|again) (\d+)$", (project / "out.txt").read_text(), re.MULTILINE):
        said[word].append(int(number))
    return (max(said["imported"]) - said["begun"][0]) / 1e9, max(said["again"]) / 1e9


def _array(cluster: Cluster, project: Path, tasks: int) -> tuple[list[float], int]:
    """Run an array; return the seconds that each task waited for its command, and how many environments were made."""
    folder = project / "array"
    folder.mkdir()
    script = folder / "array.sh"
    options = f"--array 1-{tasks} --output {folder} --option=--exclusive --time 10 --account def-bench"
    _login(cluster, project, "bash", "-c", f"{_MODULES} && tumpline job script {options} -o {script} -- bash tell.sh")
    text = script.read_text().replace("set -euo pipefail\n", "set -euo pipefail\nexport begun=$(date +%s%N)\n", 1)
    script.write_text(text)
    (project / "tell.sh").write_text(
        'echo "waited $(($(date +%s%N) - begun)) $(hostname) $(readlink -f "$VIRTUAL_ENV")"\n'
    )
    _login(cluster, project, "sbatch", "--wait", str(script))
    said = [path.read_text() for path in folder.glob("*.out")]
    found = [match for text in said if (match := re.search(r"^waited (\d+) (\S+) (\S+)$", text, re.MULTILINE))]
    if len(found) != tasks:
        raise SystemExit(f"{len(found)} of {tasks} tasks ran their command\n{said[:1]}")
    return [int(match[1]) / 1e9 for match in found], len({match.group(2, 3) for match in found})


def _tell(found: Found, *, as_json: bool) -> int:
    medians = {way: {n: statistics.median(times) for n, times in by.items()} for way, by in found.times.items()}
    nodes = max(medians[_DOCUMENTED])
    by_hand, least = medians[_DOCUMENTED][1], statistics.median(found.again)
    faster = {way: by_hand / by[1] for way, by in medians.items()}
    a_node = {way: by[nodes] / nodes / by[1] for way, by in medians.items()}
    task = statistics.mean(found.waits) / by_hand
    missed = [
        f"{way}: {faster[way]:.1f} times as fast, goal {goal:g}" for way, goal in _FASTER.items() if faster[way] < goal
    ]
    missed += [
        f"{way}: a node of {nodes} takes {a_node[way]:.2f} times as long as one alone, goal {goal:g}"
        for way, goal in _A_NODE.items()
        if a_node[way] > goal
    ]
    if task > _TASK:
        missed.append(f"array: a task waits {task:.1%} of the documented way's time, goal {_TASK:.0%}")
    if as_json:
        data = {"packages": found.packages, "seconds": medians, "second_import": least, "missed": missed}
        data |= {"image_bytes": found.image, "wheel_bytes": found.wheels}
        data |= {"task_seconds": statistics.mean(found.waits), "task_median": statistics.median(found.waits)}
        print(json.dumps(data, indent=2))
        return 1 if missed else 0
    runs = len(found.times[_DOCUMENTED][1])
    print(f"{found.packages} packages; {runs} runs; seconds until the import is done")
    for way, by in medians.items():
        print(
            f"{way:<28} 1 node {by[1]:6.1f} {f'({faster[way]:.1f}x)':>8}   {nodes} nodes {by[nodes]:6.1f}, "
            f"a node {by[nodes] / nodes:6.1f} ({a_node[way]:.2f} of one alone)"
        )
    print(f"the same import a second time: {least:.1f} s, which no way can be faster than")
    megabytes = {"wheels": found.wheels / 1e6, "an image": found.image / 1e6}
    told = (f"{size:.0f} MB of {what}, by 1,000 nodes {size:.0f} GB" for what, size in megabytes.items())
    print(f"read from the shared file system by a node: {'; '.join(told)}; with sbcast the image once in all")
    print(
        f"array of {len(found.waits)} tasks: {found.made} environments made; a task waits "
        f"{statistics.mean(found.waits):.2f} s in the mean ({task:.1%} of the documented way's time), "
        f"{statistics.median(found.waits):.2f} s in the median, {max(found.waits):.1f} s at most"
    )
    for text in missed:
        print(f"missed: {text}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
