"""Newer versions of a package that were passed over, and why each was: for ``tumpline why``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tumpline.errors import InputError
from tumpline.resolve.absence import index_refusal
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.refusal import Refusal
from tumpline.values import Name, normalise, parse_requirement, parse_specifier, parse_version, public_version

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.resolve.needs import NeedsReader
    from tumpline.resolve.offers import OfferBook

_MOST_READ = 5

__all__ = ["Bound", "PassedOver", "asked_by", "passed_over"]


@dataclass(frozen=True, slots=True)
class Bound:
    """What someone asks of the package: `asker` is empty for the project itself, which may only limit it."""

    asker: str
    specifier: str
    constraint: bool = False


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Newer versions, newest first, that were not taken for the same reason; `targets` are those it is about."""

    kind: Literal["pre-release", "bound", "not-there", "index-only", "unusable", "kept"]
    words: str
    versions: tuple[str, ...]
    targets: tuple[str, ...] = ()


def passed_over(
    book: OfferBook,
    reader: NeedsReader,
    name: Name,
    places: Sequence[int],
    taken: Version,
    bounds: Sequence[Bound],
) -> tuple[PassedOver, ...]:
    """Say of every version that is newer than the one taken why it was not, by the first reason that there is.

    `places` are the targets that have the package at that version. Whether metadata can be used is looked at for the
    newest few that would fit. Raises EnvironmentFailure from the index.
    """
    book.table(name)
    book.widen(name)
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    read = 0
    for version in sorted(_known(book, name, places), reverse=True):
        if version <= taken:
            break
        kind, words, targets = _reason(book, name, places, version, bounds)
        if kind == "kept" and read < _MOST_READ:
            read += 1
            if why := _unusable(book, reader, name, places, version):
                kind, words, targets = "unusable", f"it can not be used: {why}", ()
        groups.setdefault((kind, words, targets), []).append(str(version))
    return tuple(
        PassedOver(kind, words, tuple(versions), targets)  # type: ignore[arg-type]  # kinds are those of _reason
        for (kind, words, targets), versions in groups.items()
    )


def asked_by(book: OfferBook, reader: NeedsReader, asker: Name, version: Version, place: int, name: Name) -> str | None:
    """Return the specifiers by which a version of a package asks for another on a target; None where unknown.

    What only an extra asks for counts where nothing else does. Raises EnvironmentFailure from the index.
    """
    table = book.table(asker)
    bits = table.matching(f"=={version}") & table.available[place]
    if not bits and book.widen(asker):
        table = book.table(asker)
        bits = table.matching(f"=={version}") & table.available[place]
    if not bits:
        return None
    target = book.targets[place]
    try:
        needs = reader.needs(asker, book.offer(asker, place, 1 << bits.bit_length() - 1), target)
        environment = MarkerEnvironment(target.markers)
        always, by_extra = [], []
        for line in needs.requires:
            requirement = parse_requirement(line)
            if normalise(requirement.name) == name:
                if environment.active(line, ""):
                    always.append(str(requirement.specifier))
                elif "extra" in line:
                    by_extra.append(str(requirement.specifier))
    except (InputError, ValueError):
        return None
    return ",".join(filter(None, dict.fromkeys(always or by_extra)))


def _known(book: OfferBook, name: Name, places: Sequence[int]) -> set[Version]:
    """Return all public versions of which some source of the targets knows."""
    found = {public_version(version) for version in book.table(name).versions}
    page = book.page(name)
    texts = [release.version for release in page.releases] if page is not None else []
    for place in places:
        if (catalogue := book.catalogue(place)) is not None:
            texts += [wheel.version for wheel in catalogue.wheels(name)]
    return found | set(_readable(texts))


def _readable(texts: Sequence[str]) -> Iterator[Version]:
    for text in texts:
        try:
            yield public_version(parse_version(text))
        except ValueError:  # InvalidVersion is one; so is a number of too many digits
            continue


def _reason(
    book: OfferBook, name: Name, places: Sequence[int], version: Version, bounds: Sequence[Bound]
) -> tuple[str, str, tuple[str, ...]]:
    for bound in bounds:
        if not parse_specifier(bound.specifier).contains(version, prereleases=True):
            verb = "allows only" if bound.constraint else "requires"
            return "bound", f"{bound.asker or 'the project'} {verb} {name}{bound.specifier}", ()
    if version.is_prerelease:
        return "pre-release", "pre-releases are taken only where nothing else is left", ()
    table = book.table(name)
    bits = table.matching(f"=={version}")
    lacking = {place: _absence(book, name, place, version) for place in places if not table.available[place] & bits}
    if lacking:
        words = next(iter(lacking.values()))
        # Targets that lack it for the same reason are named together.
        return "not-there", words, tuple(book.targets[place].name for place, why in lacking.items() if why == words)
    near = [available & ~fallback for available, fallback in zip(table.available, table.fallback, strict=True)]
    far = tuple(book.targets[place].name for place in places if not near[place] & bits)
    if far:
        return "index-only", "only the index has it there, and the wheelhouse goes first", far
    return "kept", f"the lock keeps what still fits; tumpline lock --upgrade {name} chooses anew", ()


def _unusable(book: OfferBook, reader: NeedsReader, name: Name, places: Sequence[int], version: Version) -> str:
    """Say why the metadata of a version can not be used, empty where it can."""
    bits = book.table(name).matching(f"=={version}")
    for place in places:
        here = bits & book.table(name).available[place]
        target = book.targets[place]
        environment = MarkerEnvironment(target.markers)
        try:
            for line in reader.needs(name, book.offer(name, place, here & -here), target).requires:
                environment.active(line, "")
        except InputError as error:
            return f"{error.problems[0].message}: {error.problems[0].why}".rstrip(": ")
    return ""


def _absence(book: OfferBook, name: Name, place: int, version: Version) -> str:
    """Say why one target can not get one version."""
    target, catalogue = book.targets[place], book.catalogue(place)
    if catalogue is not None:
        for wheel in catalogue.wheels(name):
            if list(_readable([wheel.version])) == [version] and isinstance(
                verdict := book.judges[place].wheel(wheel), Refusal
            ):
                return f"in the wheelhouse only {verdict.words}"
        if book.policy(name, target) == "wheelhouse":
            return "not in the wheelhouse"
    page = book.page(name)
    for release in page.releases if page is not None else ():
        if list(_readable([release.version])) == [version]:
            return index_refusal(book.judges[place], release)
    return "not there"
