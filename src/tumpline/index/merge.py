"""Several places' pages of one project, put together as pip does: every file of every place is a candidate.

A file name that several places have is taken once, from the first of them in pip's order of preference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import reduce
from itertools import chain
from operator import or_

from packaging.version import Version

from tumpline.index.model import IndexFile, ProjectPage, Release
from tumpline.values import parse_version

__all__ = ["merge_pages"]


def merge_pages(pages: Sequence[ProjectPage]) -> ProjectPage:
    """Merge pages of the same project, given in order of preference; a single page comes back as it is.

    No files are opened, so that adding a few local wheels to a page of thousands costs a few comparisons of versions.
    """
    if len(pages) == 1:
        return pages[0]
    main = max(range(len(pages)), key=lambda page: len(pages[page].releases))
    # The largest page comes first, so that its tag sets keep their places and its releases are taken as they are.
    tags = {tag: bit for bit, tag in enumerate(pages[main].tags)}
    releases = list(pages[main].releases)
    places: list[list[tuple[int, int]] | int] = list(range(len(releases)))
    for page, other in enumerate(pages):
        if page == main:
            continue
        moves = [tags.setdefault(tag, len(tags)) for tag in other.tags]
        for position, own in enumerate(other.releases):
            release = _retagged(own, moves)
            slot = bisect_left(releases, parse_version(own.version), key=_version_of)
            if slot < len(releases) and releases[slot].version == own.version:
                having = places[slot]
                having = [(main, having)] if isinstance(having, int) else having
                preferred = (release, releases[slot]) if page < having[0][0] else (releases[slot], release)
                releases[slot] = _joined(preferred)
                places[slot] = sorted([*having, (page, position)])
            else:
                releases.insert(slot, release)
                places.insert(slot, [(page, position)])

    def files(position: int) -> tuple[IndexFile, ...]:
        having = places[position]
        if isinstance(having, int):
            return pages[main].files(having)
        opened = [pages[page].files(at) for page, at in having]
        return opened[0] if len(opened) == 1 else _once_each(opened)

    return ProjectPage(pages[main].name, tuple(tags), releases, files)


def _version_of(release: Release) -> Version:
    return parse_version(release.version)


def _joined(shares: Sequence[Release]) -> Release:
    """Return one release from the shares that several places have of it, in order of preference."""
    return Release(
        shares[0].version,
        reduce(or_, (share.tags for share in shares)),
        sdist=any(share.sdist for share in shares),
        requires_python=next((share.requires_python for share in shares if share.requires_python), ""),
        yanked=all(share.yanked for share in shares),
        uploaded=min((share.uploaded for share in shares if share.uploaded), default=""),
    )


def _once_each(opened: Sequence[tuple[IndexFile, ...]]) -> tuple[IndexFile, ...]:
    chosen: dict[str, IndexFile] = {}
    for file in chain.from_iterable(opened):
        # pip leaves a yanked file aside where another place has the same one unyanked.
        if file.file not in chosen or (chosen[file.file].yanked and not file.yanked):
            chosen[file.file] = file
    return tuple(sorted(chosen.values(), key=lambda file: (not file.file.endswith(".whl"), file.file)))


def _retagged(release: Release, moves: Sequence[int]) -> Release:
    """Return the release with its tag sets at their places in the merged page: `moves` says where each goes."""
    mask = 0
    for bit, target in enumerate(moves):
        if release.tags >> bit & 1:
            mask |= 1 << target
    return Release(release.version, mask, release.sdist, release.requires_python, release.yanked, release.uploaded)
