"""Quotas of files, as a person meets them: told and remarked on by sync, and a reason for stage to refuse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.world import MINOR, World
from tests.wheelmaker import make_wheel

LAKE = ("--target", "lake")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A cluster whose home has a quota of files; the project is in home, and has one wheel of the index."""
    made = World(tmp_path / "world")
    made.environ |= {"HOME": str(made.root), "CC_CLUSTER": "lake"}
    for name, version in (("gamma", "1.0"), ("pip", "99.0")):
        make_wheel(made.links, name, version, files={f"{name}/{number}.py": "" for number in range(20)})
    made.pyproject.write_text(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["alpha", "gamma", "pip"]\n'
        f'[tool.tumpline.targets.lake]\nsite = "lake"\npython = "{MINOR}"\n'
    )
    made.run("catalogue", "scan", "lake").ok()
    made.run("lock").ok()
    return made


def quota(world: World, files: int, space: str = "50 GB") -> None:
    """State what may be in home, in the words of a profile."""
    profile = world.sites / "lake.toml"
    text = profile.read_text().partition("[quotas]")[0]
    profile.write_text(f'{text}[quotas]\nhome = {{ files = {files}, space = "{space}" }}\n')


@pytest.mark.parametrize("dry", [True, False])
def test_sync_tells_and_remarks(world: World, dry: bool) -> None:
    quota(world, 100_000)
    words = ("sync", *LAKE, *(["--dry-run"] if dry else []))
    done = world.run(*words).ok()
    found = re.search(r"(\d+) files and folders, \d+ MiB: ([\d.]+)% of the files and", done.err)
    assert found, done.err
    assert float(found[2]) == pytest.approx(int(found[1]) / 1000, abs=0.06)
    assert "of the quota of home on lake" in done.err
    assert "may-not-fit" not in done.err
    quota(world, int(found[1]) - 1)
    done = world.run("sync", *LAKE, "--renew", *(["--dry-run"] if dry else [])).ok()
    assert "note[may-not-fit]: there is hardly room for the environment: the quota of home on lake is " in done.err
    assert "hint: free some, or choose another place with --env" in done.err
    quota(world, 10)  # what is not here any more is estimated
    data = world.run("sync", *LAKE, "--renew", "--dry-run", "--json").ok().data
    assert data["quota"]["files"] == 10
    assert data["too_small"] == [{"room": "the quota of home on lake", "files": 10, "bytes": 50_000_000_000}]


def test_what_is_elsewhere_does_not_count(world: World, tmp_path: Path) -> None:
    quota(world, 10)
    done = world.run("sync", *LAKE, "--env", str(tmp_path / "elsewhere")).ok()
    assert "quota" not in done.err


def test_stage_refuses_what_does_not_fit(world: World, tmp_path: Path) -> None:
    stage = world.root / "stage"
    words = ("stage", *LAKE, "--stage", str(stage))
    quota(world, 5)
    world.run(*words).refuses("no-room", 4, "in 6 files and folders are needed; the quota of home on lake is 5 files")
    assert not stage.exists(), "nothing was fetched"
    elsewhere = world.run("stage", *LAKE, "--stage", str(tmp_path / "elsewhere")).ok()
    assert "gets 2 wheels: " in elsewhere.err
    assert "in at most 6 files and folders" in elsewhere.err
    quota(world, 6)
    world.run(*words).ok()
    assert len([path for path in stage.rglob("*") if path.name != "partial"]) <= 6 + 1, "and the folder of all files"
    # What is there need not fit again.
    quota(world, 5)
    world.run(*words).ok()
    quota(world, 100, "1 KB")
    (next(stage.glob("files/*/*/gamma*"))).unlink()
    world.run(*words).refuses("no-room", 4, "the quota of home on lake is ")
