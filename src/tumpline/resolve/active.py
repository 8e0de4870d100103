"""What is asked for on each target: of the project's requirements, and of what versions need there (R7, R11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from packaging.requirements import Requirement

from tumpline.project import Declared
from tumpline.resolve.guards import stand_in
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.steering import SteeringByTarget
from tumpline.values import Name, normalise

__all__ = ["ActiveNeeds", "ActiveRequirements", "MoreVersions"]


class ActiveNeeds(NamedTuple):
    """What a version needs on a target; `unmet` is left out since nothing meets it, `stood_for` since the site's CUDA
    does."""

    held: list[Requirement]
    unmet: tuple[str, ...]
    stood_for: tuple[str, ...]


class MoreVersions(Exception):  # an instruction to start again, not an error
    """A package has more versions than the search was told of; it must be run again."""


class ActiveRequirements:
    """Tells what is asked for, target by target, with the project's overrides in it."""

    def __init__(
        self,
        book: OfferBook,
        reader: NeedsReader,
        steers: SteeringByTarget,
        environments: Sequence[MarkerEnvironment],
    ) -> None:
        self._book = book
        self._reader = reader
        self._steers = steers
        self._environments = environments

    def of_version(self, name: Name, place: int, version: int, extra: str) -> ActiveNeeds:
        """Return what a version (a bit) needs on a target, by itself or for an extra, and what of it is left out.

        Where needs are borrowed from the index, what nothing on the site can meet is left out: the wheel is in the
        wheelhouse, so it is installed there without. So is what the site's CUDA stands for. Raises InputError for
        metadata so bad that the version can not be used.
        """
        needs = self._reader.needs(name, self._book.offer(name, place, version), self._book.targets[place])
        environment = self._environments[place]
        active = (requirement for line in needs.requires if (requirement := environment.active(line, extra)))
        found, stood_for = stand_in(self._book, place, self._steers.overridden(active, place))
        if not needs.borrowed:
            return ActiveNeeds(found, (), tuple(stood_for))
        self._book.prefetch(sorted({normalise(requirement.name) for requirement in found}))
        met = [requirement for requirement in found if self._can_be_met(requirement, place)]
        unmet = tuple(str(requirement) for requirement in found if requirement not in met)
        return ActiveNeeds(met, unmet, tuple(stood_for))

    def of_project(self, declared: Declared, place: int) -> tuple[list[Requirement], list[str]]:
        """Return what a requirement of the project asks for on a target, and what of it the site's CUDA stands for."""
        return stand_in(self._book, place, self._steers.overridden([declared.requirement], place))

    def _can_be_met(self, requirement: Requirement, place: int) -> bool:
        name = normalise(requirement.name)
        table = self._book.table(name)
        if requirement.url or table.available[place] & table.matching(str(requirement.specifier)):
            return True
        if self._book.widen(name):
            raise MoreVersions
        catalogue = self._book.catalogue(place)
        # What only a module brings can be met: by loading it, which is the project's to say.
        return catalogue is not None and (
            catalogue.dummy(name) is not None or not (table.wheels[place] or not catalogue.modules_for(name))
        )
