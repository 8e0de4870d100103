"""A cluster that runs for all tests of this folder, and a project on it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.kinds import KINDS
from cluster.model import Cluster, read_cluster
from cluster.needs import lacking, system
from cluster.network import namespaces
from cluster.processes import processes
from cluster.running import LONGEST, down, run_job, up
from replica.build import Replica
from tests.cluster.interpreter import Interpreter
from tests.conftest import ROOT

PROJECT = """\
[project]
name = "study"
version = "1"
dependencies = ["numpy", "pandas", "pyarrow"]

[tool.tumpline.targets.narval]
site = "narval"
python = "3.11"
modules = ["arrow/23.0.1"]
"""

TELL = "import sys, numpy, pandas, pyarrow, os; print(os.uname().nodename, sys.prefix, numpy.__version__, "
TELL += "pandas.__version__, pyarrow.__version__)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is here needs a cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def can_run(replica: Replica) -> None:
    """Skips where no cluster can be started, with the reason."""
    if reason := lacking():
        pytest.skip(reason)
    prefix = new_folder().name.partition("test-")[0]
    for left in new_folder().parent.glob(f"{prefix}test-[0-9]*-????????/cluster.json"):
        if not Path("/proc", left.parent.name.split("-")[-2]).exists():
            down(left.parent)  # of a run that was killed


def new_folder() -> Path:
    """A folder that no other run of the tests has; pytest's own paths are too long for sockets."""
    name = f"test-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    path = ROOT / ".work" / name
    # So may be that of the checkout.
    return path if len(str(path)) <= LONGEST else Path(tempfile.gettempdir(), f"tumpline-{name}")


def assert_gone(cluster: Cluster) -> None:
    """Nothing stays of a cluster that was taken down: no process, no network, no mount, no file."""
    assert not processes(cluster)
    assert not namespaces(cluster)
    assert cluster.tag not in system("ip", "-o", "link", "show")
    assert str(cluster.root) not in Path("/proc/mounts").read_text()
    assert not os.path.lexists(cluster.root)
    assert not [path for path in cluster.root.parent.iterdir() if cluster.root.name in path.name]


@dataclass(frozen=True)
class Job:
    """A job that has ended: its exit status, what the script and its steps printed."""

    status: int
    said: str


@dataclass(frozen=True)
class World:
    """A cluster with a project in its scratch."""

    cluster: Cluster
    project: Path

    def login(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on the login node, in the project."""
        command = [str(self.cluster.login), "env", f"--chdir={self.project}", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def shell(self, code: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run some bash on the login node, in the project; `words` are its arguments."""
        return self.login("bash", "-euc", code, "bash", *words, check=check)

    def submit(self, *words: str, output: Path | None = None) -> Submitted:
        """Have ``tumpline job submit`` submit a job from the project."""
        folder = output or self.cluster.scratch / "runs"
        number = self.login("tumpline", "job", "submit", "--output", str(folder), *words).stdout.strip()
        return Submitted(self, number, folder)

    def elsewhere(self, folder: str, text: str, **environ: str) -> World:
        """Return the same cluster with another project, which is made and locked, with these variables."""
        project = self.cluster.scratch / folder
        project.mkdir()
        (project / "pyproject.toml").write_text(text)
        world = World(self.cluster, project)
        world.login("env", *(f"{name}={value}" for name, value in environ.items()), "tumpline", "lock")
        return world

    def job(self, *lines: str, nodes: int = 1, options: tuple[str, ...] = ()) -> Job:
        """Run a script as a job, in the project."""
        script = self.project / f"job-{uuid.uuid4().hex[:8]}.sh"
        script.write_text("\n".join(["#!/bin/bash", "set -euo pipefail", *lines, ""]))
        said = script.with_suffix(".out")
        words = (f"--nodes={nodes}", "--ntasks-per-node=1", "--time=3", f"--output={said}", *options, str(script))
        status = run_job(self.cluster, self.project, *words)
        return Job(status, said.read_text() if said.is_file() else "")


@dataclass(frozen=True)
class Submitted:
    """A job that ``tumpline job submit`` has submitted; `number` is that of the job or the array."""

    world: World
    number: str
    output: Path

    def facts(self, task: str = "") -> dict[str, str]:
        """What Slurm says of it, or of a task of it (``_1``)."""
        said = self.world.login("scontrol", "--oneliner", "show", "job", self.number + task).stdout
        return dict(word.partition("=")[::2] for word in said.split())

    def wait(self, seconds: float = 120) -> None:
        """Wait until nothing of it is in the queue."""
        left = ["?"]
        until(lambda: not left[0], seconds, lambda: f"{left}\n{self.everything()}", lambda: self._look(left))

    def _look(self, left: list[str]) -> None:
        left[0] = self.world.login("squeue", "--noheader", f"--jobs={self.number}", check=False).stdout

    def said(self, task: str = "") -> str:
        """What is in the file of its output so far."""
        (path,) = self.output.glob(f"*-{self.number}{task}.out")
        return path.read_text()

    def everything(self) -> str:
        """All that it and its tasks have said, each behind the name of its file."""
        files = sorted(self.output.glob(f"*-{self.number}*.out"))
        return "\n".join(f"{path.name}:\n{path.read_text()}" for path in files)

    def record(self, task: str = "") -> dict[str, Any]:
        """The record that it has left."""
        (path,) = self.output.glob(f"*-{self.number}{task}.json")
        record: dict[str, Any] = json.loads(path.read_text())
        return record


def until(
    true: Callable[[], object],
    seconds: float = 60,
    say: Callable[[], str] = str,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Wait until something holds, and fail after so many seconds, saying what there is instead."""
    end = time.monotonic() + seconds
    while True:
        look()
        if true():
            return
        assert time.monotonic() < end, say()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def world(can_run: None) -> Iterator[World]:
    """A cluster like Narval with four nodes; whatever happens it is taken down at the end."""
    root = new_folder()
    try:
        cluster = up(root, KINDS["narval"])
        project = cluster.scratch / "study"
        project.mkdir()
        (project / "pyproject.toml").write_text(PROJECT)
        (project / "tell.py").write_text(TELL + "\n")
        world = World(cluster, project)
        world.login("tumpline", "catalogue", "scan", "narval")
        world.login("tumpline", "lock")
        yield world
    finally:
        made = read_cluster(root)
        down(root)
        if made is not None:
            assert_gone(made)


@pytest.fixture
def interpreter(world: World) -> Iterator[Interpreter]:
    """The Python of the module, watched."""
    found = Interpreter(world.cluster)
    with found.watched():
        try:
            yield found
        finally:
            # A test that failed must not leave its jobs to the next one.
            world.login("scancel", "--user=root")
            until(lambda: not world.login("squeue", "--noheader").stdout)
