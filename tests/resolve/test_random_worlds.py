"""Random small worlds: the search agrees with trying everything, and what it finds is valid."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.resolve.worlds import CLUSTER, LAYERS, MemoryCatalogue, pins, solve, target
from tumpline.errors import NoResolution
from tumpline.project import Parity
from tumpline.resolve.model import Resolution
from tumpline.resolve.target import Target
from tumpline.sites import SoftwareEnvironment
from tumpline.values import parse_requirement

NAMES = "abcde"
PYTHONS = ("3.11", "3.12")
VERSIONS = ("1", "2", "3")


@dataclass(frozen=True)
class World:
    """`wheels` maps (name, version, Python) to requirement lines; `asks` are the project's."""

    wheels: Mapping[tuple[str, str, str], tuple[str, ...]]
    asks: tuple[str, ...]


requirement = st.builds(
    "{}{}{}".format,
    st.sampled_from(NAMES),
    st.sampled_from(["", ">=2", "<2", "==1", "!=2", ">=2,<3", "==3"]),
    st.sampled_from(["", "", "", '; python_version < "3.12"', '; extra == "x"']),
)
asked = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(NAMES),
    st.sampled_from(["", "", "[x]"]),
    st.sampled_from(["", ">=2", "<3", "==2"]),
    st.sampled_from(["", "", '; python_version >= "3.12"']),
)
worlds = st.builds(
    World,
    st.dictionaries(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(VERSIONS), st.sampled_from(PYTHONS)),
        st.lists(requirement, max_size=3).map(tuple),
        max_size=24,
    ),
    st.lists(asked, min_size=1, max_size=3).map(tuple),
)


MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PLACES = replace(
    CLUSTER, environments=(SoftwareEnvironment("2023", tuple(f"{minor}.1" for minor in MINORS), "3.11.1", LAYERS),)
)
"""A cluster where each target has a Python, and so wheels, of its own."""


def joint_world(seed: int) -> World:
    """A world where most names have some version on every Python, seldom the same ones, and depend on each other."""
    dice = random.Random(seed)
    wheels: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for place, name in enumerate(NAMES):
        for minor in MINORS:
            for version in dice.sample(VERSIONS, dice.choice((1, 2, 2, 3, 3))):
                # Mostly later names, so that most worlds have an answer.
                others = [other for other in NAMES if dice.random() < (0.4 if other > name else 0.05)]
                limits = ("", "", "<3", ">=2", "!=2", f"=={version}", f">={version}")
                wheels[name, version, minor] = tuple(f"{other}{dice.choice(limits)}" for other in others[:2])
        if place and dice.random() < 0.2:
            del wheels[next(key for key in wheels if key[0] == name)]
    asks = [f"{name}{dice.choice(('', '', '<3', '>=2'))}" for name in dice.sample(NAMES, dice.choice((1, 2, 3)))]
    return World(wheels, tuple(asks))


def reached(world: World, choice: Mapping[str, str], t: Target) -> set[str] | None:
    """What the project reaches on one target with these versions; None where a demand is not met."""
    environment = dict(t.markers)
    pending = [(line, "") for line in world.asks]
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while pending:
        line, extra = pending.pop()
        wanted = parse_requirement(line)
        if wanted.marker and not wanted.marker.evaluate({**environment, "extra": extra}):
            continue
        version = choice.get(wanted.name)
        if (
            version is None
            or not wanted.specifier.contains(version)
            or (wanted.name, version, t.minor) not in world.wheels
        ):
            return None
        names.add(wanted.name)
        for part in ("", *wanted.extras):
            if (wanted.name, part) not in seen:
                seen.add((wanted.name, part))
                pending += [(need, part) for need in world.wheels[wanted.name, version, t.minor]]
    return names


def answers(world: World, targets: list[Target]) -> Iterator[dict[str, str]]:
    """Every choice of one version per name that meets all demands on all targets."""
    for versions in product(VERSIONS, repeat=len(NAMES)):
        choice = dict(zip(NAMES, versions, strict=True))
        if all(reached(world, choice, t) is not None for t in targets):
            yield choice


def catalogue_of(world: World) -> MemoryCatalogue:
    """The world's wheels, each for its Python."""
    catalogue = MemoryCatalogue()
    for (name, version, python), lines in world.wheels.items():
        tag = f"cp{python.replace('.', '')}"
        catalogue.add(f"{name}-{version}+computecanada-{tag}-{tag}-linux_x86_64.whl", lines)
    return catalogue


def check(world: World, targets: list[Target], parity: Parity) -> Resolution | None:
    """Check that what is chosen is valid on each target; None where nothing is."""
    try:
        resolution = solve(world.asks, targets, catalogue=catalogue_of(world), parity=parity)
    except NoResolution:
        return None
    for t in targets:
        chosen = {name: version.removesuffix("+computecanada") for name, version in pins(resolution, t.name).items()}
        assert reached(world, chosen, t) == set(chosen)
    return resolution


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds)
def test_one_target_agrees_with_trying_everything(world: World) -> None:
    targets = [target("t0", CLUSTER, policy="wheelhouse")]
    assert (check(world, targets, "prefer") is None) == (next(answers(world, targets), None) is None)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds)
def test_strict_parity_agrees_with_trying_everything(world: World) -> None:
    targets = [target(f"t{n}", CLUSTER, policy="wheelhouse", python=python) for n, python in enumerate(PYTHONS)]
    resolution = check(world, targets, "strict")
    assert (resolution is None) == (next(answers(world, targets), None) is None)
    assert resolution is None or not resolution.diverging


def fewest(world: World, targets: list[Target]) -> int | None:
    """The least number of names that differ between targets, over all that can be chosen; None where nothing can.

    Target by target, whatever the versions of names seen so far: for each choice the fewest names in conflict.
    """
    # What earlier targets chose: for each name the set of versions seen.
    states: dict[tuple[frozenset[str], ...], None] = {tuple(frozenset() for _ in NAMES): None}
    for t in targets:
        here = {
            tuple(choice[name] if name in names else "" for name in NAMES)
            for choice in answers(world, [t])
            if (names := reached(world, choice, t)) is not None
        }
        states = dict.fromkeys(
            tuple(seen | {version} if version else seen for seen, version in zip(state, choice, strict=True))
            for state in states
            for choice in here
        )
    return min((sum(len(seen) > 1 for seen in state) for state in states), default=None)


@pytest.mark.parametrize("seed", range(200))
def test_the_fewest_packages_diverge(seed: int) -> None:
    world, count = joint_world(seed), 2 + seed % 4
    targets = [target(f"t{n}", PLACES, policy="wheelhouse", python=MINORS[n]) for n in range(count)]
    resolution = check(world, targets, "prefer")
    least = fewest(world, targets)
    assert (resolution is None) == (least is None)
    if resolution is not None:
        differing = [package for package in resolution.packages if len({c.offer.version for c in package.choices}) > 1]
        assert len(differing) == least
        assert tuple(differing) == resolution.diverging
        assert all(package.divergence for package in differing)


SOME = ("1.0", "1.1", "1.1.1", "1.2", "1.2.3", "2.0", "2.0.1", "2.1", "3.0", "3.0.1")
some = st.sets(st.sampled_from(SOME), min_size=1, max_size=4)


def distance(one: str, other: str) -> int:
    """How far apart two versions are: by patch, minor or major version."""
    first, second = one.split("."), other.split(".")
    return 0 if one == other else 1 if first[:2] == second[:2] else 2 if first[0] == second[0] else 3


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(some, min_size=2, max_size=3))
def test_what_diverges_is_near(offered: list[set[str]]) -> None:
    wheels: dict[tuple[str, str, str], tuple[str, ...]] = {
        ("a", version, minor): () for minor, versions in zip(MINORS, offered, strict=False) for version in versions
    }
    targets = [
        target(f"t{n}", PLACES, policy="wheelhouse", python=minor)
        for n, minor in zip(range(len(offered)), MINORS, strict=False)
    ]
    resolution = solve(["a"], targets, catalogue=catalogue_of(World(wheels, ())))
    chosen = [pins(resolution, t.name)["a"].removesuffix("+computecanada") for t in targets]
    if len(targets) == 2:
        assert distance(*chosen) == min(distance(*pair) for pair in product(*offered))
    # The last is as near to the others as it can be, and the newest of those that are.
    ranked = {version: sum(distance(version, other) for other in chosen[:-1]) for version in offered[-1]}
    nearest = [version for version in SOME if ranked.get(version) == min(ranked.values())]
    assert chosen[-1] == nearest[-1]
