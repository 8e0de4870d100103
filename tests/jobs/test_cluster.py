"""Jobs on a real Slurm: four nodes or more, each with a disk of its own.

The variable ``TUMPLINE_TEST_SLURM`` names its ``slurm.conf``; ``TUMPLINE_TEST_NODE_DISK`` the folder, the same on all
nodes, that is each node's own disk and outlasts a job (by default ``/localscratch``). Prologs have to make
``$SLURM_TMPDIR``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.jobs.jobworld import JobWorld

pytestmark = pytest.mark.cluster

PLACE = "import alpha, socket, sys; print(socket.gethostname(), sys.prefix, alpha.says)"


class Cluster(JobWorld):
    """The project of `JobWorld`, whose jobs go to the Slurm at hand."""

    def __init__(self, root: Path, configuration: str) -> None:
        super().__init__(root, shared=os.environ.get("TUMPLINE_TEST_NODE_DISK", "/localscratch"))
        self.environ |= {"SLURM_CONF": configuration, "USER": os.environ.get("USER", "root")}
        # The venv's own programs but Python, for plain scripts.
        programs = root / "programs"
        programs.mkdir()
        if virtualenv := shutil.which("virtualenv"):
            (programs / "virtualenv").symlink_to(virtualenv)
        self.environ["PATH"] += f":{programs}"
        # A folder of any name may be where the output goes.
        self.output = self.odd / "o #1%j;x"

    def slurm(self, *words: str) -> str:
        return subprocess.run(words, env=self.environ, capture_output=True, text=True, check=True, timeout=60).stdout

    def submit(self, *words: str) -> str:
        return self.run("job", "submit", "--output", str(self.output), *words).ok().out.strip()

    def wait(self) -> None:
        deadline = time.monotonic() + 120
        while self.slurm("squeue", "--noheader", "--name=toy-project").strip():
            assert time.monotonic() < deadline, self.slurm("squeue")
            time.sleep(0.5)

    def said(self, job: str) -> str:
        return (self.output / f"toy-project-{job}.out").read_text()

    def status(self, job: str) -> int:
        return int(json.loads((self.output / f"toy-project-{job}.json").read_text())["status"])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    configuration = os.environ.get("TUMPLINE_TEST_SLURM", "")
    if not configuration:
        pytest.skip("no Slurm is named by TUMPLINE_TEST_SLURM")
    return Cluster(tmp_path_factory.mktemp("cluster"), configuration)


@pytest.mark.parametrize("flavour", ["tumpline", "plain", "image"])
def test_each_of_four_nodes_has_its_own(cluster: Cluster, flavour: str) -> None:
    if flavour == "plain" and not (Path(cluster.root) / "programs" / "virtualenv").exists():
        pytest.skip("there is no virtualenv on PATH")
    words = ["--plain"] if flavour == "plain" else []
    if flavour == "image":
        cluster.run("sync").ok()
        cluster.run("pack").ok()
    job = cluster.submit(
        "--nodes", "4", "--tasks", "8", "--option=--ntasks-per-node=2", *words, "--", "python", "-c", PLACE
    )
    cluster.wait()
    for image in cluster.project.glob("pond-*"):
        image.unlink()
    assert cluster.status(job) == 0, cluster.said(job)
    ranks = [line.split() for line in cluster.said(job).splitlines() if line.endswith(" alpha")]
    assert len(ranks) == 8
    assert len({host for host, _, _ in ranks}) == 4
    assert all(prefix.startswith(cluster.shared) for _, prefix, _ in ranks)


def test_an_array_makes_one_a_node(cluster: Cluster) -> None:
    job = cluster.submit(
        "--array", "1-40", "--memory", "50M", "--", "python", "-c", f"{PLACE}; import time; time.sleep(2)"
    )
    cluster.wait()
    said = [cluster.said(f"{job}_{task}").split() for task in range(1, 41)]
    places = {(host, prefix) for host, prefix, _ in said}
    assert len(places) == len({host for host, _ in places})


def test_a_stage_that_was_emptied(cluster: Cluster) -> None:
    job = cluster.submit("--nodes", "2", "--option=--hold", "--", "true")
    stage, links = cluster.odd / "stage", cluster.links
    kept = [(folder, folder.with_name(f"kept-{folder.name}")) for folder in (stage, links)]
    for folder, aside in kept:
        folder.rename(aside)
    shutil.rmtree(cluster.root / "home" / ".cache", ignore_errors=True)
    try:
        cluster.slurm("scontrol", "release", job)
        cluster.wait()
    finally:
        for folder, aside in kept:
            aside.rename(folder)
    assert cluster.status(job) == 1
    assert "tumpline stage" in cluster.said(job)
    assert cluster.said(job).count("tumpline: no environment on ") == 2
