"""Worlds written as data: what the files in ``cases/`` and ``explanations/`` describe (``cases/README.md``)."""

from __future__ import annotations

from typing import Any

from tests.resolve.worlds import CLUSTER, LAB, LINUX, MemoryCatalogue, MemoryIndex, MemorySources, declared, target
from tumpline.project import PackageRule
from tumpline.project.moments import parse_cutoff
from tumpline.resolve.steering import Steering
from tumpline.resolve.target import Target
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name, normalise

__all__ = ["read_catalogue", "read_index", "read_rules", "read_sources", "read_steering", "read_targets"]

SITES = {"cluster": CLUSTER, "lab": LAB, "linux": LINUX}


def read_index(case: dict[str, Any]) -> MemoryIndex | None:
    """The index of a case, None where it has none."""
    if "index" not in case:
        return None
    index = MemoryIndex()
    for file, details in case["index"].items():
        index.add(file, **details)
    return index


def read_catalogue(case: dict[str, Any]) -> MemoryCatalogue:
    """The catalogue that all clusters of a case share."""
    catalogue = MemoryCatalogue(grade="listed" if "listed" in case else "scanned")
    for file, details in case.get("wheelhouse", {}).items():
        for layer in details.pop("layers", ["gentoo2023/generic"]):
            catalogue.add(file, layer=layer, **details)
    for name, versions in case.get("listed", {}).items():
        catalogue.list(name, *versions)
    catalogue.dummies += [Dummy(normalise(name), module) for name, module in case.get("dummies", {}).items()]
    catalogue.modules += [
        ModulePackage("".join(environment) or "2023", module, version, python, normalise(name), package_version)
        for module, version, python, name, package_version, *environment in case.get("modules", ())
    ]
    return catalogue


def read_targets(case: dict[str, Any]) -> list[Target]:
    """The targets of a case, in its order."""
    targets = []
    for name, details in case["targets"].items():
        site = SITES[details.pop("site")]
        details["modules"] = tuple(details.get("modules", ()))
        targets.append(target(name, site, **details))
    return targets


def read_rules(case: dict[str, Any]) -> dict[Name, PackageRule]:
    """The rules of single packages of a case."""
    return {normalise(name): PackageRule(**rule) for name, rule in case.get("packages", {}).items()}


def read_steering(case: dict[str, Any]) -> Steering:
    """What steers a case besides requirements."""
    return Steering(
        tuple(declared(*case.get("constraints", ()), keys="tool.tumpline.constraints")),
        tuple(declared(*case.get("overrides", ()), keys="tool.tumpline.overrides")),
        case.get("resolution", "highest"),
        parse_cutoff(case["exclude_newer"]) if "exclude_newer" in case else "",
    )


def read_sources(case: dict[str, Any]) -> MemorySources:
    """What is at the addresses of a case."""
    found = MemorySources()
    for address, details in case.get("addresses", {}).items():
        found.add(address, **details)
    return found
