"""The tasks of an array that run on a node: one makes the environment, all use it, whatever happens to one of them."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.jobs.jobworld import JobWorld

PREFIX = "import alpha, sys; print(sys.prefix)"


@pytest.fixture
def world(tmp_path: Path) -> JobWorld:
    world = JobWorld(tmp_path)
    world.stand_ins()
    return world


def task(number: int) -> dict[str, str]:
    return {"SLURM_ARRAY_JOB_ID": "100", "SLURM_ARRAY_TASK_ID": str(number), "SLURM_RESTART_COUNT": "0"}


def array(world: JobWorld, code: str = PREFIX) -> Path:
    return world.script("--array", "1-9", "--", "python", "-c", code)


def place(world: JobWorld) -> Path:
    """What the tasks share."""
    return next(Path(world.shared).glob("tumpline-*/100-*"))


def test_one_makes_it_and_the_last_removes_it(world: JobWorld) -> None:
    script = array(world, f"import time; {PREFIX}; time.sleep(3)")
    processes = [world.start(script, number, **task(number)) for number in range(1, 6)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, outputs
    assert len({out for out, _ in outputs}) == 1
    assert not list(Path(world.shared).glob("tumpline-*/100-*"))
    assert world.asked("squeue") == 2


def test_what_other_arrays_left_is_removed(world: JobWorld) -> None:
    script = array(world)
    left = Path(world.shared) / f"tumpline-{os.getuid()}" / "99-0123456789ab"
    left.mkdir(parents=True)
    left.parent.chmod(0o700)
    (world.root / "queue").write_text("still there\n")
    world.runs(script, 1, task(1)).ok()
    assert left.is_dir()
    (world.root / "queue").write_text("")
    world.runs(script, 2, task(2) | {"SLURM_ARRAY_JOB_ID": "101"}).ok()
    assert not left.exists()


def test_it_stays_while_tasks_are_waiting(world: JobWorld) -> None:
    (world.root / "queue").write_text("100_[2-9]\n")
    script = array(world)
    first = world.runs(script, 1, task(1)).ok()
    assert place(world).is_dir()
    # Without the stage nothing could be made: the second uses what the first has made.
    world.lose_wheels()
    assert world.runs(script, 2, task(2)).ok().out == first.out
    assert world.runs(script, 1, task(1) | {"SLURM_RESTART_COUNT": "1"}).ok().out == first.out


def test_it_stays_while_a_task_has_started_that_did_not_come_yet(world: JobWorld) -> None:
    program = world.root / "programs" / "squeue"
    program.write_text('#!/bin/bash\ncase "$*" in *RUNNING*) cat "$QUEUE";; esac\n')
    script = array(world)
    # The first runs still while it leaves, and so does one that has left; the third is on its way.
    (world.root / "queue").write_text("1\n2\n3\n")
    world.runs(script, 1, task(1)).ok()
    assert (place(world) / "environment").exists()
    world.lose_wheels()
    world.runs(script, 2, task(2)).ok()
    assert (place(world) / "environment").exists()
    world.runs(script, 3, task(3)).ok()
    assert not list(Path(world.shared).glob("tumpline-*/100-*"))


def test_who_is_killed_while_making_it_is_replaced(world: JobWorld) -> None:
    (world.root / "queue").write_text("100_[2-9]\n")
    script = array(world)
    world.runs(script, 1, task(1)).ok()
    (place(world) / "environment").unlink()
    building = place(world) / "building"
    building.mkdir()
    long_ago = time.time() - 100
    os.utime(building, (long_ago, long_ago))
    done = world.runs(script, 2, task(2)).ok()
    assert "whoever was making the environment is gone" in done.err
    assert not building.exists()


def test_others_wait_for_who_is_at_work(world: JobWorld) -> None:
    (world.root / "queue").write_text("100_[2-9]\n")
    script = array(world)
    made = world.runs(script, 1, task(1)).ok().out
    environment, building = place(world) / "environment", place(world) / "building"
    environment.rename(place(world) / "later")
    building.mkdir()
    process = world.start(script, 2, **task(2))
    time.sleep(3)
    assert process.poll() is None
    (place(world) / "later").rename(environment)
    building.rmdir()
    assert process.communicate(timeout=60)[0] == made


def test_who_comes_while_the_last_one_leaves_shares_it(world: JobWorld) -> None:
    real = shutil.which("touch")
    program = world.root / "programs" / "touch"
    leaves = 'if [ ! -e "$DIARY.left" ]; then : >"$DIARY.left"; rmdir "${1%/*}"; fi'
    program.write_text(f'#!/bin/bash\n{leaves}\nexec {real} "$@"\n')
    program.chmod(0o755)
    done = world.runs(array(world), 1, task(1)).ok()
    assert done.out.startswith(f"{world.shared}/")
    assert done.err == ""


def test_a_failure_is_told_by_each(world: JobWorld) -> None:
    script = array(world)
    world.lose_wheels()
    for number in (1, 2):
        done = world.runs(script, number, task(number))
        assert done.status == 1
        assert "tumpline stage" in done.err
        assert not list(Path(world.shared).glob("tumpline-*/100-*/building"))


def test_a_folder_of_another_is_not_used(world: JobWorld) -> None:
    elsewhere = world.root / "elsewhere"
    elsewhere.mkdir()
    (Path(world.shared) / f"tumpline-{os.getuid()}").symlink_to(elsewhere)
    done = world.runs(array(world), 1, task(1)).ok()
    assert str(world.root / "disk.1") in done.out
    assert not list(elsewhere.iterdir())
