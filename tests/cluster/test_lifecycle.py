"""Starting a cluster, and that nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.__main__ import main
from cluster.kinds import KINDS
from cluster.model import Cluster, read_cluster
from cluster.processes import daemons, processes
from cluster.running import down, on_node, up
from tests.cluster.conftest import World, assert_gone, new_folder
from tests.conftest import ROOT
from tumpline.errors import EnvironmentFailure, InputError


def test_two_at_once_and_nothing_stays(world: World) -> None:
    root = new_folder()
    try:
        second = up(root, KINDS["fir"], 1)
        assert up(root, KINDS["fir"], 1) == second  # runs already
        with pytest.raises(InputError) as caught:
            up(root, KINDS["fir"], 2)
        assert caught.value.code == "cluster-is-another"
        # A job's own processes end with it, those that left its session as well.
        batch = ["sbatch", "--output=/dev/null", "--wrap", "setsid sleep 500 & sleep 500"]
        subprocess.run([second.login, *batch], check=True, capture_output=True)
        end = time.monotonic() + 15
        while not any(Path(f"/proc/{pid}/comm").read_text() == "sleep\n" for pid in processes(second)):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        assert down(root)
    assert_gone(second)
    assert not down(root)
    assert len(daemons(world.cluster)) == 6
    assert len(world.login("srun", "--nodes=4", "hostname").stdout.split()) == 4


def test_what_outlives_its_daemon_ends_as_well(can_run: None) -> None:
    """A slurmstepd names no file of the cluster, and its slurmd, by whose mounts it would be found, is gone."""
    root = new_folder()
    try:
        cluster = up(root, KINDS["fir"], 1)
        subprocess.run([cluster.login, "sbatch", "--output=/dev/null", "--wrap", "sleep 500"], check=True)
        end = time.monotonic() + 15
        while not (steps := [pid for pid in processes(cluster) if _command(pid).startswith("slurmstepd")]):
            assert time.monotonic() < end
            time.sleep(0.05)
        daemon = int((root / "run" / f"slurmd-{cluster.nodes[0].name}.pid").read_text())
        os.kill(daemon, signal.SIGKILL)
        while _command(daemon):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert set(steps) <= processes(cluster)
    finally:
        down(root)
    assert not any(_command(pid).startswith("slurmstepd") for pid in steps)


def _command(pid: int) -> str:
    """The command line of a process; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.parametrize("moment", ["slurmctld", "munge", "network"])
def test_killed_half_way(can_run: None, moment: str) -> None:
    root = new_folder()
    mark = {"slurmctld": "run/slurmctld.pid", "munge": "run/munge", "network": "etc/profile.sh"}[moment]
    command = [sys.executable, "-m", "cluster", "up", "--folder", str(root), "--nodes", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (root / mark).exists():
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        left = read_cluster(root)
        assert left is not None
        if moment == "slurmctld":
            # A second start repairs it.
            said: list[str] = []
            assert up(root, KINDS["narval"], 1, say=said.append).count == 1
            assert "removing what is left of a cluster that was not taken down" in said
    finally:
        process.kill()
        down(root)
    assert_gone(left)


def test_a_failed_start_leaves_nothing(can_run: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(cluster: Cluster) -> None:
        raise EnvironmentFailure.of("cluster-failed", "no")

    root = new_folder()
    monkeypatch.setattr("cluster.running._wait", fail)
    with pytest.raises(EnvironmentFailure):
        up(root, KINDS["narval"], 1)
    assert not os.path.lexists(root)
    root.with_name(f".{root.name}.lock").unlink()


def test_other_folders_are_not_touched(can_run: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.tex").touch()
    assert main(["up", "--folder", str(tmp_path)]) == 2
    assert main(["down", "--folder", str(tmp_path)]) == 2
    assert "not-a-cluster" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").exists()


def test_why_there_can_be_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("cluster.needs.os.geteuid", lambda: 1000)
    with pytest.raises(EnvironmentFailure, match="no cluster") as caught:
        up(tmp_path / "c", KINDS["narval"])
    assert "needs root" in caught.value.problems[0].why


class TestKinds:
    def test_trillium(self, can_run: None) -> None:
        root = new_folder()
        try:
            cluster = up(root, KINDS["trillium"], 1)
            script = 'touch "$HOME/x" || echo home; touch "$PROJECT/x" || echo project; touch "$SCRATCH/x"; '
            script += 'df --output=fstype "$SLURM_TMPDIR" | tail -1; echo "${LOADEDMODULES:-none}"'
            done = subprocess.run(
                [cluster.login, "srun", "bash", "-c", script], capture_output=True, text=True, check=True, timeout=60
            )
            assert done.stdout.split() == ["home", "project", "tmpfs", "none"]
            assert (cluster.scratch / "x").exists()
            (cluster.home / "x").touch()  # on the login node it can be written
        finally:
            down(root)

    def test_vulcan(self, can_run: None) -> None:
        root = new_folder()
        program = (
            "import urllib.request as r, sys\ntry: r.urlopen(sys.argv[1], timeout=20)\nexcept OSError as e: print(e)"
        )
        try:
            cluster = up(root, KINDS["vulcan"], 1)
            (cluster.scratch / "fetch.py").write_text(program)
            fetch = f"python {cluster.scratch}/fetch.py https://host.invalid"
            script = f'module load python/3.11; {fetch}; echo "$XDG_CACHE_HOME"'
            done = subprocess.run(
                [cluster.login, "srun", "bash", "-c", script], capture_output=True, text=True, check=True, timeout=60
            )
            assert "403" in done.stdout
            assert done.stdout.rstrip().endswith("/cache")
            assert "/localscratch/" in done.stdout
        finally:
            down(root)


def test_nodes_have_disks_of_their_own(world: World) -> None:
    script = 'hostname >"$SLURM_TMPDIR/name"; sleep 0.3; cat "$SLURM_TMPDIR/name"'
    said = world.login("srun", "--nodes=4", "bash", "-c", script).stdout
    assert sorted(said.split()) == ["n1", "n2", "n3", "n4"]
    # The job's folders go with it.
    for node in world.cluster.nodes:
        end = time.monotonic() + 15
        while "root." in on_node(node, world.cluster, "ls", world.cluster.local).stdout:
            assert time.monotonic() < end
            time.sleep(0.1)
