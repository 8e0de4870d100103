"""What a target takes: of the wheels of its site, of what is at an address, of the files of an index (R2, R10)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import Wheel
from tumpline.index import IndexFile, ProjectPage
from tumpline.resolve.builds import Descending, build_key
from tumpline.resolve.refusal import Refusal, other_layer, other_tags
from tumpline.resolve.target import Target
from tumpline.values import parse_specifier, parse_version, public_version

__all__ = ["Judge"]


class Judge:
    """Says what one target takes, and which of several files it likes best."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._index_tags = _IndexTags(target)

    def wheel(self, wheel: Wheel) -> tuple[object, ...] | Refusal:
        """Return the rank of a wheel of the site (smaller is better), or why the target can not take it."""
        target = self.target
        try:
            version = parse_version(wheel.version)
        except ValueError:  # InvalidVersion is one; so is a number of too many digits
            return Refusal("unreadable", f"{wheel.version} is not a version")
        if not wheel.file:
            if target.minor not in wheel.pythons:
                return Refusal("python", f"listed only for Python {', '.join(wheel.pythons)}")
            return (0, Descending(version), Descending(build_key("")), 0)
        if wheel.layer not in target.layers:
            return other_layer(wheel.layer, target)
        tag_rank = target.ranking.rank(wheel.tags)
        if tag_rank is None:
            return other_tags(wheel.tags, target)
        if wheel.requires_python and not self.accepts_python(wheel.requires_python):
            return Refusal("requires-python", f"requires Python {wheel.requires_python}")
        return (target.layers.index(wheel.layer), Descending(version), Descending(build_key(wheel.build)), tag_rank)

    def addressed(self, found: Addressed) -> str:
        """Return why a target can not take what is at an address, empty where it can; R2 holds for it as well."""
        target = self.target
        python = found.metadata.core.requires_python
        if python and not self.accepts_python(python):
            return f"it requires Python {python}"
        if not found.tags or target.ranking.rank(found.tags) is not None:
            return ""
        refused = ", and this site refuses manylinux wheels" if "manylinux" in found.tags else ""
        return f"the wheel is built for {found.tags}{refused if not target.site.manylinux else ''}"

    def releases(
        self, page: ProjectPage, versions: Sequence[Version], *, build: bool, pins: Container[Version]
    ) -> dict[Version, int]:
        """Return the places of the releases that the target can take, by public version, by the full one if pinned.

        `versions` are those of the page's releases. With `build` an sdist will do. A yanked release is taken only if it
        is among the `pins` (PEP 592).
        """
        takes = self._index_tags
        accepted = 0
        for position, tags in enumerate(page.tags):
            if takes[tags]:
                accepted |= 1 << position
        found: dict[Version, int] = {}
        for position, release in enumerate(page.releases):
            if not (release.tags & accepted or (build and release.sdist)):
                continue
            if release.requires_python and not self.accepts_python(release.requires_python):
                continue
            version = versions[position]
            if release.yanked and version not in pins:
                continue
            # Releases are in ascending order: of several builds of one public version the highest local one stays.
            found[public_version(version)] = position
            if version in pins and version.local:
                found[version] = position
        return found

    def accepts_python(self, specifier: str) -> bool:
        """Say whether a Requires-Python admits the target's Python."""
        return _admits(specifier, self.target.python)

    def best_file(self, page: ProjectPage, position: int) -> IndexFile:
        """Return the file of a release that the target likes best: by tags, then by build tag; an sdist last."""
        ranking = self.target.ranking
        best: tuple[tuple[int, object], IndexFile] | None = None
        yanked = page.releases[position].yanked
        for file in page.files(position):
            if file.yanked and not yanked:
                continue
            tags = "-".join(file.file[:-4].split("-")[-3:]) if file.file.endswith(".whl") else ""
            if tags and not self._index_tags[tags]:
                continue
            rank = ranking.rank(tags) if tags else 1 << 30
            parts = file.file.split("-")
            key = (1 << 30 if rank is None else rank, Descending(build_key(parts[2] if len(parts) == 6 else "")))
            if best is None or key < best[0]:
                best = (key, file)
        assert best is not None  # noqa: S101 - the release was found acceptable before
        return best[1]


class _IndexTags(dict[str, bool]):
    """Which compressed tag sets a target takes from an index, worked out when first asked for."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def __missing__(self, tags: str) -> bool:
        # Where manylinux is refused, only wheels that run anywhere may come from an index (R2).
        allowed = self._target.site.manylinux or tags.endswith("-none-any")
        self[tags] = taken = allowed and self._target.ranking.rank(tags) is not None
        return taken


@lru_cache(maxsize=8192)
def _admits(specifier: str, python: str) -> bool:
    try:
        return parse_specifier(specifier).contains(python, prereleases=True)
    except ValueError:  # InvalidSpecifier is one; so is a number of too many digits
        # As pip does: a Requires-Python that can not be read excludes nothing.
        return True
