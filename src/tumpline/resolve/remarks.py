"""Remarks on what a project asks for, once it is resolved: what no target needs, and extras that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tumpline.errors import Problem
from tumpline.project import Declared
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.model import Resolution
from tumpline.values import normalise

__all__ = ["remarks_on"]


def remarks_on(declared: Sequence[Declared], resolution: Resolution) -> tuple[Problem, ...]:
    """Return the remarks (``marker-never-true``, ``unknown-extra``): none of these is an error for pip either."""
    return (*_never_true(declared, resolution), *_unknown_extras(declared, resolution))


def _never_true(declared: Sequence[Declared], resolution: Resolution) -> Iterator[Problem]:
    places = [(target.name, MarkerEnvironment(target.markers)) for target in resolution.targets]
    idle = [
        one
        for one in declared
        if one.requirement.marker is not None
        and not any(one.meant_for(name) and there.holds(str(one.requirement.marker)) for name, there in places)
    ]
    if idle:
        names = ", ".join(dict.fromkeys(one.requirement.name for one in idle))
        yield Problem(
            "marker-never-true",
            f"no target needs {names}: the markers are true on none",
            where=", ".join(dict.fromkeys(one.origin for one in idle)),
            hint="correct the markers where that is not meant",
        )


def _unknown_extras(declared: Sequence[Declared], resolution: Resolution) -> Iterator[Problem]:
    for name, extra, version in resolution.unknown_extras:
        origins = [
            one.origin
            for one in declared
            if normalise(one.requirement.name) == name and extra in map(normalise, one.requirement.extras)
        ]
        yield Problem(
            "unknown-extra",
            f"{name} {version} has no extra {extra}",
            where=", ".join(dict.fromkeys(origins)),
            why="what is asked for with it is not there",
            hint="correct the name of the extra, or remove it",
        )
