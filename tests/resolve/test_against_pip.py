"""Real pip, on the same files: whether there is an answer, and which versions it has where pip's choice is determined.

pip takes the newest it can, package by package, in an order of its own. Where some answer has, of every package, the
newest version that any answer has, every order leads there: then the versions must be the same. Not so with
pre-releases: pip looks for them specifier by specifier, this resolver among all that still fits.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.resolve.worlds import MemoryIndex, pins, solve, target
from tests.wheelmaker import make_wheel
from tumpline.errors import NoResolution

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1.0", "1.5", "2.0", "2.1+local.1", "3.0rc1")
LIMITS = ("", "", "", "<2", ">=1.5", "!=2.0", "==1.*", "~=1.0", "<3", ">=2", ">=3.0rc1")
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class World:
    """Wheels by (name, version) with what they require; `asks` are the project's."""

    wheels: Mapping[tuple[str, str], tuple[str, ...]]
    asks: tuple[str, ...]


def world(seed: int) -> World:
    dice = random.Random(seed)
    wheels = {}
    for place, name in enumerate(NAMES):
        for version in dice.sample(VERSIONS, dice.choice((2, 3, 4))):
            lines = []
            for other in NAMES[place + 1 :]:
                if dice.random() < 0.45:
                    marker = dice.choice(("", "", "", '; python_version < "3"', '; extra == "x"', '; os_name != ""'))
                    extra = dice.choice(("", "", "", "[x]"))
                    lines.append(f"{other}{extra}{dice.choice(LIMITS)}{marker}")
            wheels[name, version] = tuple(lines)
    asks = [f"{name}{dice.choice(('', '', '[x]'))}{dice.choice(LIMITS)}" for name in dice.sample(NAMES, 2)]
    return World(wheels, tuple(asks))


def reached(world: World, choice: Mapping[str, str]) -> dict[str, str] | None:
    """What the project reaches with these versions, by the packaging library alone; None where a demand is not met."""
    pending = [(ask, "") for ask in world.asks]
    seen: set[tuple[str, str]] = set()
    found: dict[str, str] = {}
    while pending:
        line, extra = pending.pop()
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        version = choice[wanted.name]
        if (wanted.name, version) not in world.wheels or not wanted.specifier.contains(version, prereleases=True):
            return None
        found[wanted.name] = version
        for part in ("", *wanted.extras):
            if (wanted.name, part) not in seen:
                seen.add((wanted.name, part))
                pending += [(need, part) for need in world.wheels[wanted.name, version]]
    return found


def answers(world: World) -> Iterator[dict[str, str]]:
    """Every answer once: the versions of what it reaches."""
    told = set()
    for versions in product(VERSIONS, repeat=len(NAMES)):
        found = reached(world, dict(zip(NAMES, versions, strict=True)))
        if found is not None and (key := tuple(sorted(found.items()))) not in told:
            told.add(key)
            yield found


def determined(world: World) -> dict[str, str] | None:
    """The answer that is the best for every package, if there is one and no answer has a pre-release."""
    every = list(answers(world))
    if any(Version(version).is_prerelease for found in every for version in found.values()):
        return None
    best: dict[str, str] = {}
    for found in every:
        for name, version in found.items():
            best[name] = max(best.get(name, version), version, key=Version)
    return best if best in every else None


def ours(world: World) -> dict[str, str] | None:
    index = MemoryIndex()
    for (name, version), lines in world.wheels.items():
        index.add(f"{name}-{version}-py3-none-any.whl", lines, extras=["x"])
    try:
        resolution = solve(world.asks, [target(python=MINOR)], index=index)
    except NoResolution:
        return None
    return pins(resolution, "laptop")


@pytest.mark.parametrize("seed", range(300))
def test_trying_everything(seed: int) -> None:
    asked = world(seed)
    found = ours(asked)
    every = list(answers(asked))
    assert (found is None) == (not every)
    if found is not None:
        assert found in every
        assert determined(asked) in (None, found)


DETERMINED = (6, 7, 8, 10, 23, 24, 34, 40, 41, 47, 48, 54, 71, 72, 73, 84)
WITHOUT_ANSWER = (0, 4, 17, 22, 35, 38)
"""Worlds in which pip has no choice, since each takes half a second of pip."""


@pytest.mark.parametrize("seed", [*DETERMINED, *WITHOUT_ANSWER])
def test_pip(seed: int, tmp_path: Path) -> None:
    asked = world(seed)
    for (name, version), lines in asked.wheels.items():
        make_wheel(tmp_path / "links", name, version, requires=lines, extras=["x"])
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed", "--no-index"]
    command += ["--isolated", "--find-links", str(tmp_path / "links"), "--report", "-", *asked.asks]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if seed in WITHOUT_ANSWER:
        assert done.returncode != 0
        assert ours(asked) is None
        return
    assert done.returncode == 0, done.stderr
    theirs = {each["metadata"]["name"]: each["metadata"]["version"] for each in json.loads(done.stdout)["install"]}
    best = determined(asked)
    assert best is not None
    assert theirs == best == ours(asked)
