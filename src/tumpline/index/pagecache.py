"""How a project's page is kept: a head of columns about all releases, then one part with the files of each release.

Reading a page back reads and parses the head and nothing else - no version, no file name - since a lock reads some
sixty pages and asks for the files of one or two releases of each. Sorting was done once, when the page was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate

from tumpline.index.cache import Cache
from tumpline.index.model import IndexFile, ProjectPage, Release, page_of
from tumpline.values import Name

__all__ = ["Freshness", "StoredPage", "read_links", "read_page", "write_links", "write_page"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an answer is fresh, in seconds, and what to ask with afterwards (``ETag``, ``Last-Modified``)."""

    etag: str
    modified: str
    lifetime: float


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as stored: `page` is None where the index did not know the project."""

    page: ProjectPage | None
    freshness: Freshness


def write_page(
    cache: Cache, path: str, name: Name, files: Sequence[IndexFile] | None, freshness: Freshness, now: float
) -> ProjectPage | None:
    """Store a page, or the knowledge that there is none (`files` is None), and return it grouped into releases."""
    head: dict[str, object] = {"fresh": astuple(freshness), "known": files is not None}
    if files is None:
        cache.write(path, _dump(head), now)
        return None
    page = page_of(name, files)
    releases = page.releases
    base = _common_base(files)
    parts = [cache.framed(_dump(_rows(page.files(position), base))) for position in range(len(releases))]
    head |= {
        "base": base,
        "index": files[0].index if files else "",
        "tags": page.tags,
        "versions": [release.version for release in releases],
        "masks": [release.tags for release in releases],
        "sdists": [release.sdist for release in releases],
        "pythons": [release.requires_python for release in releases],
        "yanked": [release.yanked for release in releases],
        "uploaded": [release.uploaded for release in releases],
        "ends": list(accumulate(map(len, parts))),
    }
    cache.write(path, _dump(head), now, b"".join(parts))
    return page


def read_page(cache: Cache, path: str, name: Name, refetch: Callable[[], ProjectPage | None]) -> StoredPage | None:
    """Return a stored page, or None where there is none or it is damaged.

    `refetch` brings a new page where the files of a release turn out to be damaged or replaced when they are asked for.
    """
    entry = cache.read(path)
    if entry is None:
        return None
    try:
        head = json.loads(entry.head)
        freshness = Freshness(*head["fresh"])
        if not head["known"]:
            return StoredPage(None, freshness)
        columns = [head[key] for key in ("versions", "masks", "sdists", "pythons", "yanked", "uploaded")]
        releases = tuple(map(Release, *columns))
        ends, base, index = head["ends"], head["base"], head["index"]
        tags = head["tags"]
    except (ValueError, TypeError, KeyError):
        return None

    def files(position: int) -> tuple[IndexFile, ...]:
        start = ends[position - 1] if position else 0
        part = cache.part(path, entry.mark, start, ends[position] - start)
        if part is not None:
            return _read_rows(part, base, index)
        version = releases[position].version
        page = refetch()
        for again, release in enumerate(page.releases if page is not None else ()):
            if page is not None and release.version == version:
                return page.files(again)
        return ()

    return StoredPage(ProjectPage(name, tags, releases, files), freshness)


def write_links(cache: Cache, path: str, files: Sequence[IndexFile], freshness: Freshness, now: float) -> None:
    """Store a page of links, which may hold files of many projects."""
    base = _common_base(files)
    index = files[0].index if files else ""
    cache.write(path, _dump([astuple(freshness), base, index, _rows(files, base)]), now)


def read_links(cache: Cache, path: str) -> tuple[tuple[IndexFile, ...], Freshness] | None:
    """Return the files of a stored page of links, or None where there is none or it is damaged."""
    entry = cache.read(path)
    if entry is None:
        return None
    try:
        freshness, base, index, rows = json.loads(entry.head)
        return _files(rows, base, index), Freshness(*freshness)
    except (ValueError, TypeError):
        return None


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _common_base(files: Sequence[IndexFile]) -> str:
    """Return the folder that all addresses share: left out of each row, it halves what has to be read."""
    first, last = min((file.url for file in files), default=""), max((file.url for file in files), default="")
    length = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[: first.rfind("/", 0, length) + 1]


def _rows(files: Sequence[IndexFile], base: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for file in files:
        address = file.url[len(base) :]
        # Most addresses end with the file's name, which is in the row already.
        if address.endswith(f"/{file.file}"):
            address = address[: -len(file.file)]
        fields = (file.size, file.sha256, file.requires_python, file.yanked, file.metadata, file.uploaded)
        rows.append((file.file, address, *fields))
    return rows


def _read_rows(part: bytes, base: str, index: str) -> tuple[IndexFile, ...]:
    return _files(json.loads(part), base, index)


def _files(rows: Sequence[tuple[object, ...]], base: str, index: str) -> tuple[IndexFile, ...]:
    files = []
    for file, address, *rest in rows:
        url = f"{base}{address}{file}" if str(address).endswith("/") else f"{base}{address}"
        files.append(IndexFile(file, url, index, *rest))  # type: ignore[arg-type]  # ours, checked by their checksum
    return tuple(files)
