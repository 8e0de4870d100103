"""``tumpline cache``: what it holds, and making it smaller; and that the limit holds while commands write."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import MINOR, World
from tests.environment.stageworld import noise
from tests.index.server import Server
from tests.wheelmaker import make_wheel
from tumpline.cli.amounts import amount

SYNC = ("sync", "--target", "laptop")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def world(tmp_path: Path, server: Server) -> World:
    """A project with three wheels of 300 kB on an index."""
    made = World(tmp_path / "world")
    wheels = [
        make_wheel(tmp_path / "served", name, "1", files={f"{name}.bin": noise(number, 300_000)})
        for number, name in enumerate(("alpha", "gamma", "pip"))
    ]
    for path in wheels:
        server.page(path.name.partition("-")[0], [server.file(path)])
    made.use_index(server.index)
    made.pyproject.write_text(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["alpha", "gamma", "pip"]\n'
        f'[tool.tumpline.targets.laptop]\nsite = "here"\npython = "{MINOR}"\n'
    )
    made.run("lock").ok()
    return made


def cached(world: World) -> list[str]:
    found = (world.root / "home" / ".cache" / "tumpline" / "index" / "files").glob("??/*/*")
    return sorted(path.name.partition("-")[0] for path in found)


def test_info(world: World) -> None:
    world.run(*SYNC).ok()
    data = world.run("cache", "info", "--json").ok().data
    folder = world.root / "home" / ".cache" / "tumpline"
    assert (data["schema"], data["folder"], data["chosen-by"]) == ("tumpline.cache/1", str(folder), "XDG_CACHE_HOME")
    assert data["limit"] == 20_000_000_000
    kinds = {row["kind"]: row for row in data["kinds"]}
    assert (kinds["index/files"]["files"], kinds["index/files"]["removable"]) == (3, True)
    assert kinds["catalogues"]["removable"] is False
    everything = [path for path in folder.rglob("*") if path.is_file()]
    assert (data["files"], data["bytes"]) == (len(everything), sum(path.stat().st_size for path in everything))
    shown = world.run("cache", "info", environ={"TUMPLINE_CACHE_SIZE": "5GB"}).ok().out
    assert f"{folder} (chosen by XDG_CACHE_HOME)" in shown
    assert "at most 5 GB without catalogues and stages" in shown
    assert f"       3 files  {amount(kinds['index/files']['bytes']):>10}" in shown


def test_on_a_cluster_home_is_remarked(world: World) -> None:
    profile = world.sites / "lake.toml"
    profile.write_text(profile.read_text() + '[quotas.home]\nspace = "50 GB"\nfiles = 500_000\n')
    cluster = {"CC_CLUSTER": "lake"}
    assert "note[cache-in-home]" in (said := world.run("cache", "info", environ=cluster).ok().err)
    assert "where you may have 500,000" in said
    assert "cache-in-home" not in world.run("cache", "info").ok().err
    (world.root / "scratch").mkdir()
    away = cluster | {"XDG_CACHE_HOME": "", "SCRATCH": str(world.root / "scratch")}
    done = world.run("cache", "info", environ=away).ok()
    assert done.out.startswith(str(world.root / "scratch" / "tumpline" / "cache"))
    assert done.err == ""


def test_the_limit_holds_when_commands_end(world: World) -> None:
    limit = {"TUMPLINE_CACHE_SIZE": "700 kB"}
    world.run(*SYNC, environ=limit).ok()
    assert len(cached(world)) == 2
    assert world.run("cache", "info", "--json", environ=limit).data["bytes"] <= 700_000
    # Though not all fit, all could be installed; and all are here again when they are needed again.
    world.run(*SYNC, "--env", str(world.root / "other"), environ=limit).ok()
    assert len(cached(world)) == 2


def test_prune(world: World) -> None:
    world.run(*SYNC).ok()
    (world.root / "home" / ".cache" / "tumpline" / "catalogues").mkdir(exist_ok=True)
    mine = world.root / "home" / ".cache" / "tumpline" / "catalogues" / "mine.sqlite"
    mine.write_text("x")
    (alpha,) = (world.root / "home" / ".cache" / "tumpline" / "index" / "files").glob("*/*/alpha*")
    os.utime(alpha, (time.time() - 9 * 86400, time.time() - 9 * 86400))
    assert "freed 0 bytes in 0 files" in world.run("cache", "prune").ok().err
    dry = world.run("cache", "prune", "--older-than", "8", "--dry-run", "--json").ok().data
    assert (dry["schema"], dry["files"], dry["bytes"]) == ("tumpline.cache-prune/1", 1, alpha.stat().st_size)
    assert len(cached(world)) == 3
    world.run("cache", "prune", "--older-than", "8").ok()
    assert cached(world) == ["gamma", "pip"]
    world.run("cache", "prune", "--size", "400kB").ok()
    assert len(cached(world)) == 1
    world.run("cache", "prune", "--size", "x").refuses("bad-size", 2, "--size")
    note = world.root / "home" / ".cache" / "tumpline" / "in-use" / "7-00"
    note.touch()
    os.utime(note, (time.time() - 3600, time.time() - 3600))
    assert "used since a command began that still runs: left" in world.run("cache", "prune", "--all").ok().err
    assert len(cached(world)) == 1
    note.unlink()
    world.run("cache", "prune", "--all").ok()
    assert cached(world) == []
    assert mine.is_file()
    world.run(*SYNC, "--env", str(world.root / "other")).ok()
