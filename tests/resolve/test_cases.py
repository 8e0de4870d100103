"""The rules of the resolution, each as data: a small world, what is asked, and what every target must get.

A case is one TOML file in ``cases/``, named after its rule; a bug report becomes one more file (``cases/README.md``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.resolve.worlds import (
    CLUSTER,
    LINUX,
    MemoryCatalogue,
    MemoryIndex,
    MemorySources,
    pins,
    solve,
    sources,
    target,
)
from tumpline.errors import TumplineError
from tumpline.project import PackageRule
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import normalise

CASES = sorted((Path(__file__).parent / "cases").glob("*.toml"))
SITES = {"cluster": CLUSTER, "linux": LINUX}


def _index(case: dict[str, Any]) -> MemoryIndex | None:
    if "index" not in case:
        return None
    index = MemoryIndex()
    for file, details in case["index"].items():
        index.add(file, **details)
    return index


def _catalogue(case: dict[str, Any]) -> MemoryCatalogue:
    catalogue = MemoryCatalogue(grade="listed" if "listed" in case else "scanned")
    for file, details in case.get("wheelhouse", {}).items():
        for layer in details.pop("layers", ["gentoo2023/generic"]):
            catalogue.add(file, layer=layer, **details)
    for name, versions in case.get("listed", {}).items():
        catalogue.list(name, *versions)
    catalogue.dummies += [Dummy(normalise(name), module) for name, module in case.get("dummies", {}).items()]
    catalogue.modules += [
        ModulePackage("2023", module, version, python, normalise(name), package_version)
        for module, version, python, name, package_version in case.get("modules", ())
    ]
    return catalogue


def _sources(case: dict[str, Any]) -> MemorySources:
    found = MemorySources()
    for address, details in case.get("addresses", {}).items():
        found.add(address, **details)
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = tomllib.loads(path.read_text("utf-8"))
    targets = []
    for name, details in case["targets"].items():
        site = SITES[details.pop("site")]
        details["modules"] = tuple(details.get("modules", ()))
        targets.append(target(name, site, **details))
    rules = {normalise(name): PackageRule(**rule) for name, rule in case.get("packages", {}).items()}
    expected = case["expected"]
    index = _index(case)
    world: dict[str, Any] = {
        "index": index,
        "catalogue": _catalogue(case),
        "rules": rules,
        "preferred": case.get("preferred"),
        "parity": case.get("parity", "prefer"),
        "sources": _sources(case),
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
    for name, words in expected.get("approximate", {}).items():
        choices = next(package.choices for package in resolution.packages if package.name == name)
        assert [choice.approximate for choice in choices if choice.approximate] == [words]
    for name, layer in expected.get("layers", {}).items():
        choices = next(package.choices for package in resolution.packages if package.name == name)
        assert [getattr(choice.offer.artefact, "layer", "") for choice in choices] == [layer]
    if index is not None and "asked" in expected:
        assert sorted(set(index.asked)) == expected["asked"]
