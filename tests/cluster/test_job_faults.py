"""What becomes of jobs when something goes wrong under them, and what their output says then."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from cluster.model import Node
from cluster.processes import crash, processes
from cluster.running import on_node, start_node
from tests.cluster.conftest import PROJECT, Submitted, World, until
from tests.cluster.interpreter import Interpreter
from tests.cluster.test_job_scripts import VERSIONS, ranks
from tests.wheelmaker import make_wheel

# The first run waits for a signal, the second ends.
WAITS = 'python tell.py; touch "$1/$SLURM_JOB_ID"; until [ -n "${SLURM_RESTART_COUNT:-}" ] || [ -e "$1/go" ]; '
WAITS += "do sleep 0.1; done"
ANEW = "tumpline: Slurm has started this job anew, on "


def waiting(world: World, folder: Path, *words: str) -> Submitted:
    folder.mkdir(exist_ok=True)
    return world.submit(*words, "--", "bash", "-ec", WAITS, "bash", str(folder))


def idle(world: World) -> bool:
    said = world.login("sinfo", "--noheader", "--Node", "--format=%T").stdout.split()
    return said == ["idle"] * world.cluster.count


def test_requeued_while_the_command_runs(world: World, interpreter: Interpreter) -> None:
    folder = world.cluster.scratch / "waiting"
    job = waiting(world, folder, "--option=--nodelist=n1")
    array = waiting(world, folder, "--option=--nodelist=n2", "--array", "1-3", "--memory", "50M")
    until(lambda: len(list(folder.iterdir())) == 4, say=lambda: job.everything() + array.everything())
    for each in (job.number, f"{array.number}_2"):
        world.login("scontrol", "requeue", each)
    until(lambda: job.facts()["JobState"] == array.facts("_2")["JobState"] == "PENDING")
    (folder / "go").touch()
    job.wait()
    array.wait()
    for said, record in [(job.said(), job.record()), (array.said("_2"), array.record("_2"))]:
        before, between, after = said.partition(ANEW)
        assert between, said
        assert [versions for _, _, versions in ranks(before)] == [VERSIONS], said
        assert [versions for _, _, versions in ranks(after)] == [VERSIONS], said
        assert (record["restarts"], record["status"]) == (1, 0)
    # The job has its environment made again, for its disk is gone; what an array shares outlasts a task.
    assert interpreter.starts().count(job.number) == 2
    assert len(interpreter.starts()) == 3, interpreter.starts()


def test_requeued_while_the_environment_is_made(world: World, interpreter: Interpreter) -> None:
    interpreter.hold()
    job = world.submit("--option=--nodelist=n1", "--", "python", "tell.py")
    array = world.submit("--option=--nodelist=n2", "--array", "1-2", "--memory", "50M", "--", "python", "tell.py")
    until(lambda: len(interpreter.starts()) == 2)
    for number in interpreter.starts():
        world.login("scontrol", "requeue", number)
    until(lambda: "PENDING" in world.login("squeue", "--noheader", "--format=%T", f"--jobs={job.number}").stdout)
    # The other task of the array takes over without waiting for a sign of life that does not come.
    until(lambda: len(interpreter.starts()) == 3)
    interpreter.release()
    job.wait()
    array.wait()
    anew = [said for said in (job.said(), array.said("_1"), array.said("_2")) if ANEW in said]
    assert len(anew) == 2
    for said in (job.said(), array.said("_1"), array.said("_2")):
        assert [versions for _, _, versions in ranks(said)] == [VERSIONS], said
    assert "is gone" not in array.everything()
    assert len(interpreter.starts()) == 4, interpreter.starts()


def kill(world: World, number: str, *names: str) -> None:
    """Kill the processes of a task of an array that run one of these programs (a script is run by its file)."""
    job, _, task = number.partition("_")
    marks = {f"SLURM_ARRAY_JOB_ID={job}".encode(), f"SLURM_ARRAY_TASK_ID={task}".encode()}
    for pid in processes(world.cluster):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            variables = set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
            if marks <= variables and any(name in word for name in names for word in words):
                os.kill(pid, signal.SIGKILL)


def test_who_makes_the_environment_is_killed(world: World, interpreter: Interpreter) -> None:
    interpreter.hold()
    array = world.submit("--option=--nodelist=n1", "--array", "1-3", "--memory", "50M", "--", "python", "tell.py")
    until(lambda: len(interpreter.starts()) == 1)
    # Only what makes it: the task says so, and another begins at once.
    kill(world, interpreter.starts()[0], "tumpline")
    until(lambda: len(interpreter.starts()) == 2)
    # The whole task: nobody can say anything any more, and the last one finds out.
    kill(world, interpreter.starts()[1], "slurm_script", "tumpline")
    until(lambda: len(interpreter.starts()) == 3)
    interpreter.release()
    array.wait()
    first, second, third = (number.removeprefix(array.number) for number in interpreter.starts())
    assert "Killed" in array.said(first)
    assert "tumpline: no environment on n1: what is written above says why" in array.said(first)
    assert array.record(first)["status"] == 1
    assert (array.record(second)["end"], array.record(second)["status"]) == (None, None)
    assert "on n1, whoever was making the environment is gone: making it anew" in array.said(third)
    assert [versions for _, _, versions in ranks(array.said(third))] == [VERSIONS]


def test_a_node_dies_while_it_makes_an_environment(world: World, interpreter: Interpreter) -> None:
    node = world.cluster.nodes[2]
    interpreter.hold()
    words = ("--option=--nodelist=n3", "--", "python", "tell.py")
    again, once = world.submit(*words), world.submit("--option=--no-requeue", *words)
    until(lambda: {again.number, once.number} == set(interpreter.starts()))
    try:
        crash(node, world.cluster)
        interpreter.release()
        until(lambda: once.facts()["JobState"] == "NODE_FAIL", 90, lambda: str(once.facts()))
        assert again.facts()["JobState"] == "PENDING"
    finally:
        start_node(node, world.cluster)
    # What was half made is on the disk still when it begins again.
    again.wait()
    assert [versions for _, _, versions in ranks(again.said())] == [VERSIONS], again.said()
    assert f"{ANEW}n3 (time 1)" in again.said()
    assert (again.record()["restarts"], again.record()["status"]) == (1, 0)
    assert once.record()["end"] is None
    until(lambda: idle(world))


@contextlib.contextmanager
def small_disk(world: World, node: Node, size: str) -> Iterator[None]:
    until(lambda: idle(world))
    mounted = on_node(node, world.cluster, "mount", "-t", "tmpfs", "-o", f"size={size}", "disk", world.cluster.local)
    assert mounted.returncode == 0, mounted.stderr
    try:
        yield
    finally:
        until(lambda: idle(world))
        on_node(node, world.cluster, "umount", "--lazy", world.cluster.local)


def test_the_disk_of_a_node_is_full(world: World) -> None:
    with small_disk(world, world.cluster.nodes[3], "4m"):
        here, task = ("--option=--nodelist=n4",), ("--array", "1")
        jobs = [
            (world.submit(*here, "--", "true"), ""),
            (world.submit(*here, *task, "--", "true"), "_1"),
            (world.submit("--option=--nodelist=n3,n4", "--nodes", "2", "--", "true"), ""),
            (world.submit(*here, "--plain", "--", "true"), ""),
        ]
        for job, _ in jobs:
            job.wait()
    for job, suffix in jobs:
        said = job.said(suffix)
        assert job.record(suffix)["status"] != 0, said
        assert said.count("tumpline: no environment on n4: ") == 1, said
        assert "on n3" not in said
        if (job, suffix) == jobs[-1]:
            assert "No space left on device" in said
            assert "where the disk is full, ask for a node with more room: sbatch --tmp=20G" in said
        else:
            assert "error[disk-full]" in said
            assert "hint: " in said


def test_the_stage_is_emptied_after_submission(world: World) -> None:
    links = world.cluster.scratch / "links"
    links.mkdir()
    make_wheel(links, "alpha", "1.0", files={"alpha.py": "says = 'alpha'"})
    text = PROJECT.replace('"numpy", "pandas", "pyarrow"', '"numpy", "alpha"')
    index = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links)}
    study = world.elsewhere("staged", text, **index)
    stage = study.project / "stage"
    words = [f"{name}={value}" for name, value in index.items()]
    study.login("env", *words, f"TUMPLINE_STAGE={stage}", "tumpline", "stage")
    submit = ("--stage", str(stage), "--nodes", "2", "--option=--hold")
    code = ("--", "python", "-c", "import alpha; print(alpha.says)")
    good, bad, plain = (
        study.submit(*submit, *code),
        study.submit(*submit, *code),
        study.submit(*submit, "--plain", *code),
    )
    study.login("scontrol", "release", good.number)
    good.wait()
    assert good.said().count("alpha\n") == 2, good.said()
    for path in (stage, links):
        path.rename(path.with_name(f"old-{path.name}"))
    for kept in world.cluster.scratch.glob("tumpline/cache/wheels"):
        kept.rename(kept.with_name("old"))
    for job in (bad, plain):
        study.login("scontrol", "release", job.number)
        job.wait()
        assert job.record()["status"] == 1, job.said()
        assert job.said().count("tumpline: no environment on n") == 2, job.said()
        assert "alpha" in job.said()
    assert "tumpline stage" in bad.said()
    assert "where a wheel is gone, have this script written again: tumpline job script --plain" in plain.said()
