"""Resolve a project for all its targets together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.version import Version

from tumpline.addresses import SourceReader
from tumpline.catalogue import CatalogueReader
from tumpline.index import IndexReader
from tumpline.project import Declared, PackageRule, Parity
from tumpline.resolve.addresses import Addresses, find_addresses
from tumpline.resolve.divergence import EVERYTHING, fewest_apart
from tumpline.resolve.model import Resolution
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.reporter import Reporter
from tumpline.resolve.search import Search
from tumpline.resolve.solver import MAX_CONFLICTS
from tumpline.resolve.steering import Steering
from tumpline.resolve.target import Target
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from tumpline.resolve.explanation import Unresolved

__all__ = ["resolve"]


def resolve(
    declared: Sequence[Declared],
    targets: Sequence[Target],
    catalogues: Sequence[CatalogueReader | None],
    index: IndexReader | None,
    *,
    rules: Mapping[Name, PackageRule] | None = None,
    preferred: Mapping[tuple[str, Name], Version] | None = None,
    parity: Parity = "prefer",
    sources: SourceReader | None = None,
    steering: Steering | None = None,
    reporter: Reporter | None = None,
    max_conflicts: int = MAX_CONFLICTS,
) -> Resolution:
    """Choose one version per package for all targets together; where there is none, let the fewest diverge (R12).

    `catalogues` is parallel to `targets`. `preferred` are versions to keep where they still fit, by target and name
    (R13): packages that differ there may go on differing. With `parity` ``strict`` none may. `sources` follows
    addresses and tells what sdists need; without it there may be no addresses. `reporter` hears of the steps; each
    search is given up after `max_conflicts`. Raises Unresolved, which says what can not
    hold together, InputError for requirements that can not be read or followed, EnvironmentFailure from the index and
    from `sources`.
    """
    steering, reporter = steering or Steering(), reporter or Reporter()
    addresses = _addresses(declared, targets, sources, steering) if sources is not None else {}
    book = OfferBook(targets, catalogues, index, rules or {}, addresses, exclude_newer=steering.exclude_newer)
    # Metadata that a listed wheel borrows may be newer: the wheel's own date is not known either.
    reader = NeedsReader(index, sources)
    search = Search(book, reader, declared, preferred or {}, steering, reporter, max_conflicts)
    may_diverge = parity == "prefer" and len(targets) > 1
    before = _differing(preferred or {}) if may_diverge else frozenset()
    apart = before
    core = search.attempt(before)
    if core is not None:
        if not (may_diverge and core and search.attempt(EVERYTHING) is None):
            raise _unresolved(search)
        reporter.diverging()
        direct = {normalise(each.requirement.name) for each in declared}
        apart = fewest_apart(search.attempt, core, before, lambda name: name in direct)
    walk = search.walk
    return walk.resolution({name: search.why_apart(name, apart) for name in walk.differing()}, search.statistics)


def _addresses(
    declared: Sequence[Declared], targets: Sequence[Target], sources: SourceReader, steering: Steering
) -> Addresses:
    """Return what is taken by address; an override takes the place of an address as well."""
    overridden = {normalise(override.requirement.name) for override in steering.overrides}
    asked = [each for each in declared if normalise(each.requirement.name) not in overridden]
    found = find_addresses(asked, targets, sources)
    return {(name, place): row for (name, place), row in found.items() if name not in overridden}


def _unresolved(search: Search) -> Unresolved:
    from tumpline.resolve.explanation import Unresolved
    from tumpline.resolve.words import problems_of

    explanation = search.explain_failure()
    return Unresolved(explanation, *problems_of(explanation))


def _differing(preferred: Mapping[tuple[str, Name], Version]) -> frozenset[Name]:
    """Return the names whose preferred version is not the same on all targets."""
    versions: dict[Name, set[Version]] = {}
    for (_, name), version in preferred.items():
        versions.setdefault(name, set()).add(version)
    return frozenset(name for name, found in versions.items() if len(found) > 1)
