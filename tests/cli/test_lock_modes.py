"""``tumpline lock`` where the command or the project steers it: upgrades, order of versions, dates, constraints."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest

from tests.cli.world import World
from tests.index.server import Server
from tests.wheelmaker import make_wheel
from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.lock.file import read_lock, write_lock


def versions(world: World) -> dict[str, str]:
    return {package.name: package.version for package in read_lock(world.lock).packages}


@pytest.fixture
def newer(world: World) -> World:
    """A world whose lock was made before beta 2.0 and gamma 2.0 came to the index."""
    world.edit('[tool.tumpline.targets.lake]\nsite = "lake"\n', '[tool.tumpline.targets.lake]\nsite = "here"\n')
    world.run("lock").ok()
    for name in ("beta", "gamma"):
        make_wheel(world.links, name, "2.0")
    return world


def test_nothing_changes_without_upgrade(newer: World) -> None:
    assert "tumpline.lock is unchanged" in newer.run("lock").ok().err
    newer.run("lock", "--upgrade", "--dry-run").ok()
    assert versions(newer) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (["--upgrade", "gamma"], {"gamma"}),
        (["--upgrade", "Beta"], {"beta"}),
        (["--upgrade", "beta", "gamma"], {"beta", "gamma"}),
        (["--upgrade", "beta", "--upgrade", "gamma"], {"beta", "gamma"}),
        (["--upgrade"], {"beta", "gamma"}),
    ],
)
def test_an_upgrade_changes_what_it_names(newer: World, words: list[str], changed: set[str]) -> None:
    done = newer.run("lock", "--json", *words).ok()
    assert {row["name"] for row in done.data["changes"]} == changed
    assert versions(newer) == {name: "2.0" if name in changed else "1.0" for name in ("alpha", "beta", "gamma")}


def test_an_upgrade_of_unknown_names_tells_near_ones(newer: World) -> None:
    before = newer.lock.read_bytes()
    done = newer.run("lock", "--upgrade", "gama", "zeta", "xyzzy")
    done.refuses("not-in-lock", 2, "no package gama", "did you mean gamma?", "did you mean beta?", "no package xyzzy")
    assert newer.lock.read_bytes() == before


def test_lowest_and_back(newer: World) -> None:
    newer.run("lock", "--upgrade").ok()
    done = newer.run("lock", "--resolution", "lowest").ok()
    assert "the lock was made for the highest versions: all are chosen anew" in done.err
    assert versions(newer) == {"alpha": "1.0", "beta": "1.0", "gamma": "1.0"}
    newer.run("lock", "--check", "--resolution", "lowest").ok()
    newer.run("lock", "--check").refuses("lock-outdated", 1, "resolved for the lowest versions", "highest now")
    newer.edit("[tool.tumpline.targets.lake]", '[tool.tumpline]\nresolution = "lowest"\n[tool.tumpline.targets.lake]')
    newer.run("lock", "--check").ok()
    newer.run("lock", "--resolution", "lowest-direct").ok()
    assert versions(newer) == {"alpha": "1.0", "beta": "2.0", "gamma": "1.0"}


def test_constraints_and_overrides(newer: World) -> None:
    steering = '[tool.tumpline]\nconstraints = ["gamma<2"]\noverrides = ["beta>1"]\n'
    newer.edit("[tool.tumpline.targets.lake]", f"{steering}[tool.tumpline.targets.lake]")
    newer.run("lock", "--check").refuses("lock-outdated", 1)
    newer.run("lock", "--upgrade").ok()
    assert versions(newer) == {"alpha": "1.0", "beta": "2.0", "gamma": "1.0"}
    newer.run("lock", "--check").ok()


def test_as_of_a_date(world: World, server: Server) -> None:
    """A wheelhouse has no dates; the index of the lake's laptop has gamma since two days."""
    paths = {name: world.links / f"{name}-1.0-py3-none-any.whl" for name in ("alpha", "beta", "gamma")}
    later = make_wheel(world.links, "gamma", "2.0")
    rows = {name: {**server.file(path), "upload-time": "2026-01-01T10:00:00.123456Z"} for name, path in paths.items()}
    for name, row in rows.items():
        more = [{**server.file(later), "upload-time": "2026-01-02T00:00:00Z"}] if name == "gamma" else []
        server.page(name, [row, *more])
    world.use_index(server.index)
    done = world.run("lock", "--upgrade", "--exclude-newer", "2026-01-01").ok()
    assert "exclude-newer does not concern the wheelhouse of lake: its wheels have no upload time" in done.err
    assert versions(world)["gamma"] == "1.0"
    assert 'exclude-newer = "2026-01-02T00:00:00Z"' in world.lock.read_text()
    world.run("lock", "--check").refuses("lock-outdated", 1, "exclude-newer was 2026-01-02T00:00:00Z and is not set")
    world.run("lock", "--check", "--exclude-newer", "2026-01-02T00:00:00Z").ok()
    world.run("lock", "--exclude-newer", "2026-01-01", "--upgrade").ok()
    assert "wheelhouse of" not in world.run("lock").ok().err
    assert versions(world)["gamma"] == "1.0"
    world.run("lock", "--upgrade").ok()
    assert versions(world)["gamma"] == "2.0"
    world.run("lock", "--exclude-newer", "2025-12-31").refuses(
        "not-available", 3, "gamma", "since 2026-01-01, which exclude-newer leaves out"
    )


def test_explain_and_why_know_what_steers(newer: World) -> None:
    newer.run("lock", "--upgrade").ok()
    steering = '[tool.tumpline]\nconstraints = ["gamma<2"]\noverrides = ["beta==2.0"]\n'
    newer.edit("[tool.tumpline.targets.lake]", f"{steering}[tool.tumpline.targets.lake]")
    assert "gamma 2.0 -> 1.0" in newer.run("explain").ok().out
    done = newer.run("explain", "gamma>=2", "--json")
    assert done.status == 3
    (lack,) = done.data["lacks"]
    chain = {(row["requirement"], row["constraint"]) for row in lack["chain"]}
    assert chain == {("gamma", False), ("gamma>=2", False), ("gamma<2", True)}
    newer.run("lock").ok()
    assert "the project allows only gamma<2" in newer.run("why", "gamma").ok().out
    newer.edit('"beta==2.0"', '"beta==9"')
    newer.edit('"gamma"', '"beta"')
    done = newer.run("explain")
    assert done.status == 3
    assert "beta==9 (tool.tumpline.overrides[0])" in done.out


def test_what_is_left_out_and_what_is_missed_is_told(world: World) -> None:
    make_wheel(world.layer, "jax", "0.8.2+computecanada")
    make_wheel(world.links, "jax", "0.8.2")
    make_wheel(world.links, "nvidia-cudnn-cu12", "9.1")
    make_wheel(world.links, "trainer", "1.0", requires=["nvidia-cublas-cu12"])
    make_wheel(world.links, "nvidia-cublas-cu12", "12.0")
    world.run("catalogue", "scan", "lake").ok()
    world.edit('"gamma"', '"gamma", "jax", "trainer", "nvidia-cudnn-cu12>=9"')
    said = world.run("lock").ok().err
    assert "  nvidia-cudnn-cu12>=9 is left out: the site's CUDA stands for it" in said
    assert '  approximate: dependencies of 1 package, see "approximate" in tumpline.lock' in said
    assert said.count("  jax comes without jax-cuda12-plugin or jax-cuda13-plugin: it runs on CPUs only") == 1
    assert world.run("lock", "--json").ok().data["left-out"] == [
        {"target": "lake", "requirement": "nvidia-cudnn-cu12>=9"}
    ]
    make_wheel(world.layer, "jax-cuda12-plugin", "0.8.2+computecanada")
    make_wheel(world.links, "jax-cuda12-plugin", "0.8.2")
    make_wheel(world.layer, "jaxlib", "0.8.2+computecanada")
    make_wheel(world.links, "jaxlib", "0.8.2")
    world.run("catalogue", "scan", "lake").ok()
    world.edit('"jax"', '"jax", "jax-cuda12-plugin"')
    assert "comes without" not in world.run("lock").ok().err


def test_a_check_says_in_what_a_scan_disagrees_with_a_list(world: World) -> None:
    lock = read_lock(world.lock)
    listed = replace(lock, targets=tuple(replace(one, grade="listed" if one.grade else None) for one in lock.targets))
    write_lock(world.lock, listed)
    words = ("lake: it was locked from a list", "agrees with its versions")
    world.run("lock", "--check").refuses("lock-outdated", 1, *words)
    (world.layer / "beta-1.0+computecanada-py3-none-any.whl").unlink()
    make_wheel(world.layer, "alpha", "1.0+computecanada", requires=["beta", "gamma>=2", "delta"])
    world.run("catalogue", "scan", "lake").ok()
    told = (
        "alpha 1.0 needs gamma>=2, and 1.0 is locked there",
        "alpha 1.0 needs delta, which is not locked there",
        "beta 1.0 is not there, nor any other version",
    )
    world.run("lock", "--check").refuses("lock-outdated", 1, "which disagrees with it", *told)
    (change,) = world.run("lock", "--check", "--json").data["changes"]
    assert (change["code"], change["details"]) == ("catalogue-upgraded", list(told))


def test_a_date_that_is_none(world: World) -> None:
    world.run("lock", "--exclude-newer", "last week").refuses("bad-date", 2, "--exclude-newer", "last week")


def test_decisions_are_told_as_they_fall(world: World) -> None:
    world.lock.unlink()
    lines = world.run("lock", "-v").ok().err.splitlines()
    assert "  trying alpha 1.0 on lake, laptop" in lines
    assert "  trying gamma 1.0 on lake, laptop" in lines
    world.lock.unlink()
    assert "  trying alpha 1.0 on lake, laptop" not in world.run("lock").ok().err.splitlines()


def test_conflicts_are_told_as_they_fall(newer: World) -> None:
    newer.edit('"gamma"', '"gamma<2", "delta"')
    make_wheel(newer.links, "delta", "1.0", requires=["epsilon"])
    make_wheel(newer.links, "epsilon", "1.0", requires=["gamma>=2"])
    done = newer.run("lock", "-v", "--upgrade")
    assert done.status == 3
    assert any(line.startswith("  conflict: ") and "epsilon" in line for line in done.err.splitlines())
    make_wheel(newer.links, "epsilon", "0.9")
    lines = newer.run("lock", "-v", "--upgrade").ok().err.splitlines()
    assert lines.index("  trying epsilon 1.0 on lake, laptop") < lines.index("  trying epsilon 0.9 on lake, laptop")


class Screen(io.StringIO):
    """What a person watches."""

    def isatty(self) -> bool:
        return True


def test_a_live_line_starts_by_itself_and_says_what_is_being_done() -> None:
    screen = Screen()
    with LiveLine(Terminal(io.StringIO(), screen), alone=True) as live:
        live("waiting for [an index]")
        deadline = time.monotonic() + 30
        while "waiting for [an index]" not in screen.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert "waiting for [an index]" in screen.getvalue()


@pytest.mark.parametrize("verbosity", [-1, 1])
def test_no_live_line_where_it_would_be_in_the_way(verbosity: int) -> None:
    screen = Screen()
    with LiveLine(Terminal(io.StringIO(), screen, verbosity=verbosity), alone=True) as live:
        live._started -= 10
        live("reading")
        live.step("a step")
    assert screen.getvalue() == ("reading\n" if verbosity > 0 else "")


def test_a_live_line_ends_with_what_it_tells_of() -> None:
    screen = Screen()
    with LiveLine(Terminal(io.StringIO(), screen)) as live:
        live._started -= 10
        live("reading")
    shown = screen.getvalue()
    assert "reading" in shown
    live._draw()
    assert screen.getvalue() == shown
