"""The rules of the resolution, each as data: a small world, what is asked, and what every target must get.

A case is one TOML file in ``cases/``, named after its rule; a bug report becomes one more file (``cases/README.md``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.resolve.casefile import read_catalogue, read_index, read_rules, read_sources, read_steering, read_targets
from tests.resolve.worlds import pins, solve, sources
from tumpline.errors import TumplineError

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = tomllib.loads(path.read_text("utf-8"))
    targets, rules = read_targets(case), read_rules(case)
    expected = case["expected"]
    index = read_index(case)
    world: dict[str, Any] = {
        "index": index,
        "catalogue": read_catalogue(case),
        "rules": rules,
        "preferred": case.get("preferred"),
        "parity": case.get("parity", "prefer"),
        "sources": read_sources(case),
        "steering": read_steering(case),
    }
    if "problem" in expected:
        with pytest.raises(TumplineError) as caught:
            solve(case["requires"], targets, **world)
        error = caught.value
        assert (error.code, error.exit_status) == (expected["problem"], expected.get("status", 3))
        told = "\n".join(f"{p.message}\n{p.why}\n{p.hint}" for p in error.problems)
        for words in expected["told"]:
            assert words in told
        for words in expected.get("untold", ()):
            assert words not in told
        return
    resolution = solve(case["requires"], targets, **world)
    for t in targets:
        got = {
            name: f"{version} {sources(resolution, t.name)[name]}" for name, version in pins(resolution, t.name).items()
        }
        assert got == expected[t.name], t.name
    assert {package.name: package.divergence for package in resolution.diverging} == expected.get("diverging", {})
    assert [f"{name}: {words}" for name, words in resolution.left_out] == expected.get("left_out", [])
    for name, words in expected.get("approximate", {}).items():
        choices = next(package.choices for package in resolution.packages if package.name == name)
        assert [choice.approximate for choice in choices if choice.approximate] == [words]
    for name, layer in expected.get("layers", {}).items():
        choices = next(package.choices for package in resolution.packages if package.name == name)
        assert [getattr(choice.offer.artefact, "layer", "") for choice in choices] == [layer]
    if index is not None and "asked" in expected:
        assert sorted(set(index.asked)) == expected["asked"]
