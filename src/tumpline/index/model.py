"""What an index says of a project, as values, and the questions asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from tumpline.values import Name, normalise, parse_version
from tumpline.wheels.name import split_wheel_name

if TYPE_CHECKING:
    from tumpline.wheels import CoreMetadata

__all__ = ["IndexFile", "IndexReader", "ProjectPage", "Release", "page_of", "release_of_file"]


@dataclass(frozen=True, slots=True)
class IndexFile:
    """One file of a project on an index.

    `index` is the index's name (``pypi``, ``extra-1``, ``find-links-1``), never its address. `url` is where the file is
    now; it is not written into a lock. `sha256` is empty where the index gives none. `metadata` is the sha256 of the
    file's separate ``.metadata`` (PEP 658), ``"yes"`` where one is advertised without hash, empty where none is.
    `size` is in bytes.
    """

    file: str
    url: str
    index: str = "pypi"
    size: int | None = None
    sha256: str = ""
    requires_python: str = ""
    yanked: bool = False
    metadata: str = ""
    uploaded: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One version on an index, in the short form that most questions need.

    `tags` is a bit set over `ProjectPage.tags`: which tag sets its wheels have. `requires_python` is that of its files
    (the index states it per file; they agree in practice, and where they do not the first wheel's counts). `yanked`
    means that every file is.
    """

    version: str
    tags: int
    sdist: bool
    requires_python: str
    yanked: bool
    uploaded: str


class ProjectPage:
    """All releases of one project, ordered by version; a release's files are read when first asked for, and kept.

    `tags` lists the distinct tag sets of all wheels; a target works out once which of them it accepts and then
    tests a release with one AND.
    """

    __slots__ = ("_files", "_opened", "name", "releases", "tags")

    def __init__(
        self,
        name: Name,
        tags: Sequence[str],
        releases: Sequence[Release],
        files: Callable[[int], tuple[IndexFile, ...]],
    ) -> None:
        self.name = name
        self.tags = tuple(tags)
        self.releases = tuple(releases)
        self._files = files
        self._opened: dict[int, tuple[IndexFile, ...]] = {}

    def files(self, release: int) -> tuple[IndexFile, ...]:
        """Return the files of the release with that position in `releases`: wheels, then sdists, each by name."""
        if release not in self._opened:
            self._opened[release] = self._files(release)
        return self._opened[release]


def release_of_file(name: Name, file: str) -> tuple[str, str] | None:
    """Return (version, tag set) of a file of a project; the tag set is empty for an sdist.

    None for anything else, another project's file included: what a page lists is its publisher's word only.
    """
    try:
        if file.endswith(".whl"):
            parts = split_wheel_name(file)
            if parts is None or normalise(parts[0]) != name:
                return None
            return _canonical(parts[1].replace("_", "-")), parts[3]
        if file.endswith((".tar.gz", ".zip")):
            stem = file.removesuffix(".tar.gz").removesuffix(".zip")
            # An old sdist's name may hold dashes itself; the project name tells where the version starts.
            start = stem.find("-", len(name))
            return (_canonical(stem[start + 1 :]), "") if normalise(stem[:start]) == name else None
    except ValueError:  # InvalidVersion is one; so is a number of too many digits
        return None
    return None


@cache
def _canonical(version: str) -> str:
    """Return the normal spelling of a version, once for all files of a release: spelling takes as long as parsing."""
    return str(parse_version(version))


def page_of(name: Name, files: Iterable[IndexFile]) -> ProjectPage:
    """Group the files of a project into releases; files that are neither wheel nor sdist are left out."""
    by_version: dict[str, list[tuple[str, IndexFile]]] = {}
    tags: dict[str, int] = {}
    for file in files:
        if (found := release_of_file(name, file.file)) is not None:
            version, tag_set = found
            by_version.setdefault(version, []).append((tag_set, file))
            if tag_set:
                tags.setdefault(tag_set, len(tags))
    releases: list[Release] = []
    contents: list[tuple[IndexFile, ...]] = []
    for version in sorted(by_version, key=parse_version):
        rows = sorted(by_version[version], key=lambda row: (not row[0], row[1].file, row[1].index))
        # A file is yanked by itself (PEP 592): what is left of a release is what counts, unless nothing is.
        live = [row for row in rows if not row[1].yanked] or rows
        mask = 0
        for tag_set, _ in live:
            if tag_set:
                mask |= 1 << tags[tag_set]
        first = live[0][1]
        releases.append(
            Release(
                version,
                mask,
                sdist=any(not tag_set for tag_set, _ in live),
                requires_python=first.requires_python,
                yanked=all(file.yanked for _, file in rows),
                uploaded=min((file.uploaded for _, file in rows if file.uploaded), default=""),
            )
        )
        contents.append(tuple(file for _, file in rows))
    return ProjectPage(name, tuple(tags), releases, contents.__getitem__)


class IndexReader(Protocol):
    """The questions a resolution asks of the configured indexes, merged as pip merges them."""

    def page(self, name: Name) -> ProjectPage | None:
        """Return the project's page, None where no index knows it; raises EnvironmentFailure and InputError."""
        ...

    def metadata(self, file: IndexFile) -> CoreMetadata:
        """Return the METADATA of a wheel, or the PKG-INFO of an sdist.

        Raises EnvironmentFailure (network), InputError ``metadata-unreadable`` or one of the codes of
        `tumpline.wheels.tail` (the file itself is bad), InputError ``metadata-not-static`` (an sdist that must be built
        to know its dependencies).
        """
        ...

    def prefetch(self, names: Iterable[Name]) -> None:
        """Start fetching pages that will be asked for soon; never raises."""
        ...

    def prefetch_metadata(self, files: Iterable[IndexFile]) -> None:
        """Start fetching metadata that will be asked for soon; never raises."""
        ...
