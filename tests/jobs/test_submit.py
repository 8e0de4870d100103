"""``tumpline job submit``: what is checked, what Slurm is handed, and what is kept; with stand-ins of Slurm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs.jobworld import JobWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> JobWorld:
    world = JobWorld(tmp_path_factory.mktemp("submit"))
    world.stand_ins()
    return world


def test_a_job_is_checked_shown_and_submitted(world: JobWorld) -> None:
    done = world.run("job", "submit", "--output", "runs", "--gpus", "a100:2", "--", "python", "x.py", "a b").ok()
    assert done.out == "4711\n"
    assert "--gpus-per-node=a100:2" in done.err
    assert "Job 5 to start" in done.err
    folder = world.project / "runs"
    text = (folder / "toy-project-4711.sh").read_text()
    assert Path(f"{world.diary}.sh").read_text() == text
    assert "#SBATCH --account=def-toy\n" in text
    assert text.rstrip().endswith("python x.py 'a b'")
    names = sorted(path.name for path in folder.iterdir())
    assert [name.partition("-")[0] for name in names] == ["lock", "toy"]
    assert (folder / names[0]).read_bytes() == world.lock.read_bytes()


def test_a_dry_run_submits_nothing(world: JobWorld) -> None:
    world.diary.unlink(missing_ok=True)
    done = world.run("job", "submit", "--dry-run", "--output", "dry", "--json", "--", "true").ok()
    assert done.data["job"] is None
    assert "set -euo pipefail" in done.err
    assert "--test-only" in world.diary.read_text()
    assert "--parsable" not in world.diary.read_text()
    assert list((world.project / "dry").iterdir()) == []


def test_what_slurm_says_is_told(world: JobWorld) -> None:
    done = world.run("job", "submit", "--output", "no", "--", "true", environ={"REFUSE": "Invalid account"})
    done.refuses("job-refused", 1, "Invalid account")
    assert list((world.project / "no").iterdir()) == []


def test_everything_that_speaks_against_it_is_told_at_once(world: JobWorld) -> None:
    text = world.pyproject.read_text()
    world.pyproject.write_text(text.replace('account = "def-toy"\n', "").replace('"alpha"', '"alpha>=0"'))
    stage = world.odd / "stage"
    stage.rename(world.odd / "kept")
    try:
        done = world.run("job", "submit", "--gpus", "h100:1", "--time", "11:00:00", "--", "true")
    finally:
        (world.odd / "kept").rename(stage)
        world.pyproject.write_text(text)
    done.refuses("no-account", 1, "lock-outdated", "gpus-not-offered", "outside-time-limits", "not-staged")


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("--",), "no-command", 2),
        (("--environment", "image", "--", "true"), "no-image", 2),
        (("--plain", "--environment", "image", "--", "true"), "not-for-plain", 2),
        (("--environment", "login-node", "--", "true"), "no-environment", 1),
    ],
)
def test_refused(world: JobWorld, words: tuple[str, ...], code: str, status: int) -> None:
    world.run("job", "submit", *words).refuses(code, status)


def test_another_site_and_no_slurm(world: JobWorld, tmp_path: Path) -> None:
    world.run("job", "submit", "--target", "pond", "--", "true", environ={"TUMPLINE_SITE": "fir"}).refuses(
        "wrong-site-for-job", 1
    )
    path = world.environ["PATH"].partition(":")[2]
    outside = ":".join(folder for folder in path.split(":") if not (Path(folder) / "sbatch").exists())
    world.run("job", "submit", "--", "true", environ={"PATH": outside}).refuses("no-slurm", 4)


def test_home_is_read_only_in_jobs(world: JobWorld) -> None:
    profile = world.sites / "pond.toml"
    text = profile.read_text()
    profile.write_text(f"home-writable-in-jobs = false\n{text}")
    try:
        done = world.run("job", "submit", "--output", str(world.root / "home" / "runs"), "--", "true")
    finally:
        profile.write_text(text)
    done.refuses("output-not-writable", 1)


@pytest.mark.parametrize("value", ["a b", "$(touch harm)", "x;y", "1\n2"])
@pytest.mark.parametrize("option", ["--account", "--time", "--gpus", "--array", "--name"])
def test_values_that_are_none_are_refused(world: JobWorld, option: str, value: str) -> None:
    done = world.run("job", "script", option, value, "--", "true")
    assert done.status == 2
    assert "is not" in done.err


def test_values_in_the_project_are_refused(world: JobWorld) -> None:
    text = world.pyproject.read_text()
    world.pyproject.write_text(
        text.replace('time = "0:10:00"', 'time = "1;2"\ntimes = 3\noptions = ["-x"]\nnodes = 1.5')
    )
    try:
        done = world.run("job", "script", "--", "true")
    finally:
        world.pyproject.write_text(text)
    assert done.status == 2
    for key in ("time is '1;2'", "times is not a known key", "options[0]", "nodes is a number"):
        assert f"tool.tumpline.job.{key}" in done.err


def test_a_script_for_another_machine_names_none_of_this_one(world: JobWorld) -> None:
    done = world.run("job", "script", "--target", "pond", "--json", "--", "true", environ={"TUMPLINE_SITE": "fir"}).ok()
    assert str(world.root) not in done.data["script"]
    assert list(done.data) == ["schema", "target", "way", "flavour", "modules", "options", "script"]
    json.dumps(done.data)
