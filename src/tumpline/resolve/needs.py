"""Needs: what an offer depends on, by the metadata that holds on its target (R7, R8, R9, R11)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace

from packaging.version import Version

from tumpline.addresses import Addressed, SourceReader
from tumpline.catalogue import Wheel
from tumpline.errors import InputError
from tumpline.index import IndexFile, IndexReader, ProjectPage, Release
from tumpline.resolve.builds import TORCH_TAG
from tumpline.resolve.offer import Offer
from tumpline.resolve.target import Target
from tumpline.sites import ModulePackage
from tumpline.sites.companions import bonds_of, uses_numpy_api
from tumpline.sites.rewrites import apply_rewrites
from tumpline.values import Name, parse_version, public_version, split_site_local

__all__ = ["Needs", "NeedsReader"]

_NUMPY_2_RELEASED = "2024-06-16"
"""The day numpy 2.0.0 was published: what was built before it was built against numpy 1.x (R9)."""


_UNKNOWN = "dependencies unknown: neither in the catalogue nor on the index"
_BORROWED = "dependencies from the index, with the site's known changes"
_BORROWED_UNDATED = f"{_BORROWED}; not known whether it was built for numpy 1, since the index states no upload time"


_NOT_ENOUGH = ("metadata-not-static", "metadata-unreadable")
"""How reading the PKG-INFO of an sdist ends where its pyproject.toml, or a build, may tell more."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an offer needs: PEP 508 lines, and why they are not certain where they are not (R24).

    `borrowed` says that they are another wheel's, of the same version: they may ask for what this one does not need.
    `extras` are those that the offer has, as its metadata spells them; None where that is not known.
    """

    requires: tuple[str, ...]
    approximate: str = ""
    borrowed: bool = False
    extras: tuple[str, ...] | None = None

    @property
    def known(self) -> bool:
        """Whether anything is known of what the offer needs."""
        return self.approximate != _UNKNOWN


class NeedsReader:
    """Reads the needs of offers, each once; `index` is None where nothing may be asked of an index.

    `sources` tells what an sdist needs that does not tell it itself; without, such a version can not be used.
    """

    def __init__(self, index: IndexReader | None, sources: SourceReader | None = None) -> None:
        self._index = index
        self._sources = sources
        self._known: dict[tuple[Name, str, str, str], Needs | InputError] = {}
        self._lent: dict[tuple[Name, Version, str], tuple[tuple[Release, IndexFile], ...]] = {}

    def needs(self, name: Name, offer: Offer, target: Target) -> Needs:
        """Return what an offer needs on a target; what a module provides needs nothing (it is not installed, R6).

        Raises InputError where the metadata is so bad that the version can not be used, EnvironmentFailure where it
        can not be fetched.
        """
        artefact = offer.artefact
        if isinstance(artefact, ModulePackage):
            return Needs(())
        if isinstance(artefact, Addressed):
            core = artefact.metadata.core
            return Needs(core.requires_dist, artefact.metadata.approximate, extras=core.extras)
        if isinstance(artefact, Wheel):
            # By target: another site's wheel of the same name is another file, and what a listed one
            # borrows depends on the Python.
            key = (name, target.name, artefact.file, artefact.version)
        else:
            key = (name, artefact.index, artefact.file, "")
        if key not in self._known:
            try:
                needs = self._read(name, offer, target)
                bonds = bonds_of(name, public_version(offer.version))
                self._known[key] = replace(needs, requires=(*needs.requires, *bonds)) if bonds else needs
            except InputError as error:
                self._known[key] = error
        known = self._known[key]
        if isinstance(known, InputError):
            raise known
        return known

    def prefetch(self, name: Name, offer: Offer, target: Target) -> None:
        """Tell the index that the metadata of an offer will probably be asked for soon."""
        if self._index is None:
            return
        if isinstance(offer.artefact, IndexFile):
            self._index.prefetch_metadata([offer.artefact])
        elif isinstance(offer.artefact, Wheel) and offer.artefact.requires_dist is None:
            public, _ = split_site_local(offer.version, target.site.local_tag)
            self._index.prefetch_metadata([file for _, file in self._lenders(name, public, target)][:1])

    def _read(self, name: Name, offer: Offer, target: Target) -> Needs:
        artefact = offer.artefact
        if isinstance(artefact, IndexFile):
            assert self._index is not None  # noqa: S101 - index files come from the index
            try:
                metadata = self._index.metadata(artefact)
                return Needs(metadata.requires_dist, extras=metadata.extras)
            except InputError as error:
                if self._sources is None or artefact.file.endswith(".whl") or error.code not in _NOT_ENOUGH:
                    raise
            found = self._sources.sdist(name, artefact)
            return Needs(found.core.requires_dist, found.approximate, extras=found.core.extras)
        assert isinstance(artefact, Wheel)  # noqa: S101 - `needs` has answered for modules
        public, local = split_site_local(offer.version, target.site.local_tag)
        if artefact.requires_dist is not None:
            needs = Needs(artefact.requires_dist, extras=artefact.extras)
        else:
            needs = self._borrow(name, public, target)
        if local and name != "torch" and (torch := TORCH_TAG.search(local)) is not None:
            # A wheel linked to libtorch works with that release of torch only (R8).
            needs = replace(needs, requires=(*needs.requires, f"torch=={torch[1]}.{torch[2]}.*"))
        return needs

    def _borrow(self, name: Name, public: Version, target: Target) -> Needs:
        """Return the index's metadata for a wheel whose own is unknown, with the site's known changes (R7, R9)."""
        for release, file in self._lenders(name, public, target):
            assert self._index is not None  # noqa: S101 - without an index there are no lenders
            try:
                metadata = self._index.metadata(file)
            except InputError:
                continue  # the next file of the release may be readable
            requires = apply_rewrites(name, metadata.requires_dist)
            if not uses_numpy_api(name):
                return Needs(requires, _BORROWED, borrowed=True)
            if not release.uploaded:
                return Needs(requires, _BORROWED_UNDATED, borrowed=True)
            if release.uploaded[:10] < _NUMPY_2_RELEASED:
                requires = (*requires, "numpy<2")
            return Needs(requires, _BORROWED, borrowed=True)
        return Needs((), _UNKNOWN)

    def _lenders(self, name: Name, public: Version, target: Target) -> tuple[tuple[Release, IndexFile], ...]:
        """Return the index's files of a version, the likeliest first."""
        key = (name, public, target.minor)
        if key not in self._lent:
            page = self._index.page(name) if self._index is not None else None
            self._lent[key] = () if page is None else tuple(_files_of(page, public, target.minor.replace(".", "")))
        return self._lent[key]


def _files_of(page: ProjectPage, version: Version, minor: str) -> Iterator[tuple[Release, IndexFile]]:
    # Releases are in ascending order.
    position = bisect_left(page.releases, version, key=lambda release: parse_version(release.version))
    if position < len(page.releases) and parse_version(page.releases[position].version) == version:
        for file in sorted(page.files(position), key=lambda file: _likeness(file.file, minor)):
            yield page.releases[position], file


def _likeness(file: str, minor: str) -> tuple[int, str]:
    """Order files by how likely their metadata is that of a wheel built here for that Python."""
    if not file.endswith(".whl"):
        return 4, file
    if f"-cp{minor}-cp{minor}-" in file and "linux" in file and "x86_64" in file:
        return 0, file
    if "-none-any" in file or "abi3" in file:
        return 1, file
    return (2, file) if f"-cp{minor}-" in file else (3, file)
