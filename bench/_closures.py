"""Closures of the synthetic wheelhouse, resolved in this process: how long it takes, and whether the answer holds.

    python bench/_closures.py CATALOGUE < questions

Run as a program, so that each measurement starts with empty caches of its own: reads a JSON list of questions from
stdin and prints a JSON list of answers.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tumpline.catalogue import Wheel
from tumpline.catalogue.store import Catalogue, open_catalogue
from tumpline.errors import NoResolution
from tumpline.project import Declared, TargetRequest
from tumpline.resolve.model import Resolution
from tumpline.resolve.resolution import resolve
from tumpline.resolve.target import Target, make_target
from tumpline.sites.load import load_site
from tumpline.values import parse_requirement, parse_version, public_version

__all__ = ["FOUR", "ONE", "Answer", "ask"]

ONE = (("narval", "3.11"),)
FOUR = (("narval", "3.11"), ("fir", "3.11"), ("narval", "3.12"), ("rorqual", "3.12"))
"""Sites with their Python: two CPU levels, so that the layers differ as well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resolution took, in seconds from the opening of the catalogue; no packages where there is no solution.

    `faults` are the requirements that the solution does not meet, by a check that shares no code with the resolver.
    """

    seconds: float
    packages: int
    diverging: int
    decisions: int
    conflicts: int
    faults: tuple[str, ...]


def ask(path: Path, names: Sequence[str], places: Sequence[tuple[str, str]]) -> Answer:
    """Resolve names for places of the synthetic wheelhouse."""
    started = time.perf_counter()
    with open_catalogue(path) as catalogue:
        targets = [
            make_target(TargetRequest(f"t{number}", site, python), load_site(site), "wheelhouse")
            for number, (site, python) in enumerate(places)
        ]
        declared = [Declared(parse_requirement(name), "bench") for name in names]
        try:
            found = resolve(declared, targets, [catalogue] * len(targets), None)
        except NoResolution:
            return Answer(time.perf_counter() - started, 0, 0, 0, 0, ())
        seconds = time.perf_counter() - started
        faults = tuple(fault for target in targets for fault in _faults(found, target, names, catalogue))
    statistics = found.statistics
    return Answer(
        seconds, len(found.packages), len(found.diverging), statistics.decisions, statistics.conflicts, faults
    )


def _faults(found: Resolution, target: Target, names: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Return what is wrong on a target: a requirement that is not met, a wheel that is not for it."""
    chosen: dict[str, Wheel] = {
        package.name: choice.offer.artefact
        for package in found.packages
        for choice in package.choices
        if choice.target == target.name and isinstance(choice.offer.artefact, Wheel)
    }
    faults = [f"{name} is missing" for name in names if canonicalize_name(Requirement(name).name) not in chosen]
    for name, wheel in chosen.items():
        if wheel not in catalogue.wheels(wheel.name) or wheel.layer not in target.layers:
            faults.append(f"{name}: {wheel.file} is not in a layer of the target")
        if not SpecifierSet(wheel.requires_python).contains(target.python):
            faults.append(f"{name}: {wheel.file} is not for Python {target.python}")
        faults += [f"{name}: {line}" for line in wheel.requires_dist or () if not _met(line, chosen, target.markers)]
    return faults


def _met(line: str, chosen: Mapping[str, Wheel], environment: Mapping[str, str]) -> bool:
    asked = Requirement(line)
    if asked.marker is not None and not asked.marker.evaluate({**environment, "extra": ""}):
        return True
    wheel = chosen.get(canonicalize_name(asked.name))
    version = public_version(parse_version(wheel.version)) if wheel is not None else None
    return version is not None and asked.specifier.contains(version, prereleases=True)


if __name__ == "__main__":
    questions = json.load(sys.stdin)
    answers = [ask(Path(sys.argv[1]), question["names"], question["places"]) for question in questions]
    json.dump([asdict(answer) for answer in answers], sys.stdout)
