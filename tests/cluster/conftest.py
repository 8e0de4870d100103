"""A cluster that runs for all tests of this folder, and a project on it."""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cluster.kinds import KINDS
from cluster.model import Cluster
from cluster.needs import lacking
from cluster.running import down, run_job, up
from replica.build import Replica
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
    for left in (ROOT / ".work").glob("test-*/cluster.json"):
        if not Path("/proc", left.parent.name.split("-")[1]).exists():
            down(left.parent)  # of a run that was killed


def new_folder() -> Path:
    """A folder that no other run of the tests has; pytest's own paths are too long for sockets."""
    return ROOT / ".work" / f"test-{os.getpid()}-{uuid.uuid4().hex[:8]}"


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

    def job(self, *lines: str, nodes: int = 1, options: tuple[str, ...] = ()) -> Job:
        """Run a script as a job, in the project."""
        script = self.project / f"job-{uuid.uuid4().hex[:8]}.sh"
        script.write_text("\n".join(["#!/bin/bash", "set -euo pipefail", *lines, ""]))
        said = script.with_suffix(".out")
        words = (f"--nodes={nodes}", "--ntasks-per-node=1", "--time=3", f"--output={said}", *options, str(script))
        status = run_job(self.cluster, self.project, *words)
        return Job(status, said.read_text() if said.is_file() else "")


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
        down(root)
        assert not os.path.lexists(root)
