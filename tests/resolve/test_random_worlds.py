"""Random small worlds: the search agrees with trying everything, and what it finds is valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.resolve.worlds import CLUSTER, MemoryCatalogue, pins, solve, target
from tumpline.errors import NoResolution
from tumpline.resolve.target import Target
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


def check(world: World, targets: list[Target]) -> None:
    catalogue = MemoryCatalogue()
    for (name, version, python), lines in world.wheels.items():
        tag = f"cp{python.replace('.', '')}"
        catalogue.add(f"{name}-{version}+computecanada-{tag}-{tag}-linux_x86_64.whl", lines)
    try:
        resolution = solve(world.asks, targets, catalogue=catalogue)
    except NoResolution:
        assert next(answers(world, targets), None) is None
        return
    chosen = {str(package.name): str(package.version) for package in resolution.packages}
    for t in targets:
        names = reached(world, chosen, t)
        assert names is not None
        assert pins(resolution, t.name) == {name: f"{chosen[name]}+computecanada" for name in names}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds)
def test_one_target_agrees_with_trying_everything(world: World) -> None:
    check(world, [target("narval", CLUSTER, policy="wheelhouse")])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(worlds)
def test_two_targets_agree_with_trying_everything(world: World) -> None:
    check(
        world,
        [
            target("narval", CLUSTER, policy="wheelhouse"),
            target("fir", CLUSTER, policy="wheelhouse", python="3.12"),
        ],
    )
