"""The public scenario set: small worlds with the answer that another resolver's authors expect.

Where the packaging specifications and pip differ from that resolver's policy we follow the specifications; each such
scenario is listed in ``scenario_differences.toml`` with its reason, and the answer we give instead is checked.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.resolve.worlds import MemoryIndex, pins, solve, target
from tumpline.errors import NoResolution
from tumpline.project import PackageRule
from tumpline.values import normalise

DIFFERENCES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "scenario_differences.toml").read_text("utf-8")
)
SCENARIOS = sorted((ROOT.parent / "shared" / "scenarios").glob("*/*.toml"))


def answer(scenario: dict[str, Any]) -> dict[str, str] | None:
    """Run one scenario through the resolver; None where there is no resolution."""
    options = scenario.get("resolver_options", {})
    environment = scenario.get("environment", {})
    index = MemoryIndex()
    names = set()
    for name, package in scenario.get("packages", {}).items():
        names.add(normalise(name))
        no_binary = name in options.get("no_binary", ())
        for version, release in package["versions"].items():
            requires = list(release.get("requires", ()))
            for extra, lines in release.get("extras", {}).items():
                requires += [_for_extra(line, extra) for line in lines]
            details: dict[str, Any] = {
                "requires": requires,
                "requires_python": release.get("requires_python", ">=3.12"),
                "yanked": release.get("yanked", False),
            }
            if release.get("wheel", True) and not no_binary:
                for tag in release.get("wheel_tags") or ["py3-none-any"]:
                    index.add(f"{name.replace('-', '_')}-{version}-{tag}.whl", **details)
            if release.get("sdist", True):
                index.add(f"{name.replace('-', '_')}-{version}.tar.gz", **details)
    no_build = {normalise(name) for name in options.get("no_build", ())}
    rules = {name: PackageRule(build=name not in no_build) for name in names}
    python = options.get("python") or environment.get("python", "3.12")
    try:
        resolution = solve(scenario["root"]["requires"], [target(python=python)], index=index, rules=rules)
    except NoResolution:
        return None
    return pins(resolution, "laptop")


def _for_extra(line: str, extra: str) -> str:
    text, _, marker = line.partition(";")
    condition = f'extra == "{extra}"'
    return f"{text}; ({marker}) and {condition}" if marker else f"{text}; {condition}"


@pytest.mark.shared
@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    scenario = tomllib.loads(path.read_text("utf-8"))
    expected = scenario["expected"]
    found = answer(scenario)
    if (difference := DIFFERENCES.get(path.stem)) is not None:
        assert found == difference.get("packages"), difference["reason"]
        assert not _agrees(found, expected), "this scenario agrees now: take it off the list of differences"
        return
    assert _agrees(found, expected), f"found {found}, expected {expected}"


def _agrees(found: dict[str, str] | None, expected: dict[str, Any]) -> bool:
    if not expected["satisfiable"]:
        return found is None
    if found is None:
        return False
    wanted = expected.get("packages")
    return wanted is None or {normalise(name): version for name, version in wanted.items()} == found


@pytest.mark.shared
def test_at_least_nine_of_ten_scenarios_agree(shared: Path) -> None:
    present = {path.stem for path in SCENARIOS}
    assert set(DIFFERENCES) <= present
    assert len(DIFFERENCES) <= len(present) / 10
