"""Places on the network: project pages and pages of links, fetched when the stored copy is no longer fresh."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from tumpline.index.access import Access
from tumpline.index.model import IndexFile, ProjectPage, page_of
from tumpline.index.pagecache import Freshness, StoredPage, read_links, read_page, write_links, write_page
from tumpline.index.places import Known, project_of_file
from tumpline.index.settings import IndexLocation, shown
from tumpline.values import Name

if TYPE_CHECKING:
    from tumpline.index.transport import Answer

__all__ = ["RemoteIndex", "RemoteLinks"]

_LIFETIME = 600.0
"""How long a page is fresh, in seconds, where the index does not say: what large indexes say."""

_LONGEST_LIFETIME = 86400.0


class RemoteIndex:
    """An index with a page per project."""

    def __init__(self, access: Access, location: IndexLocation) -> None:
        self._access = access
        self._location = location
        self._folder = f"pages/{_key(location)}"

    def ready(self, name: Name) -> Known | None:
        """Return the stored page where it is fresh, or where the network is forbidden."""
        stored = self._stored(name)
        return Known(stored.page) if stored and _fresh(self._access, self._path(name), stored.freshness) else None

    def fetch(self, name: Name) -> ProjectPage | None:
        """Ask the index, with the stored page's validators; an answer is stored, "not known" included."""
        if self._access.offline:
            raise self._access.not_cached(f"the page of {name}", f"index {self._location.name}")
        stored = self._stored(name)
        return self._ask(name, stored)

    def _path(self, name: Name) -> str:
        return f"{self._folder}/{name}"

    def _stored(self, name: Name) -> StoredPage | None:
        return read_page(self._access.cache, self._path(name), name, lambda: self._refetch(name))

    def _refetch(self, name: Name) -> ProjectPage | None:
        """Bring a page whose stored form is damaged: asked for whole, since "not modified" would not mend it."""
        if self._access.offline:
            raise self._access.not_cached(f"the page of {name}", f"index {self._location.name}")
        return self._ask(name, None)

    def _ask(self, name: Name, stored: StoredPage | None) -> ProjectPage | None:
        path, now = self._path(name), self._access.clock()
        # What object stores answer for a name that does not exist is 403. pip goes on to the next index for any error;
        # here that holds for extra indexes alone, since the main index is the one whose silence must not pass.
        absent = (404, 410) if self._location.name == "pypi" else (403, 404, 410)

        def receive(answer: Answer) -> ProjectPage | None:
            if answer.status == 304 and stored is not None:
                self._access.cache.confirm(path, now)
                return stored.page
            files = None if answer.status in absent else _read_answer(answer, self._location.name)
            return write_page(self._access.cache, path, name, files, _freshness(answer), now)

        url = f"{self._location.address()}{name}/"
        return self._access.transport.exchange(
            url, receive, headers=lambda: _headers(stored.freshness if stored else None)
        )


class RemoteLinks:
    """A page of links to files of any project."""

    def __init__(self, access: Access, location: IndexLocation) -> None:
        self._access = access
        self._location = location
        self._path = f"links/{_key(location)}"
        self._projects: dict[Name, list[IndexFile]] | None = None
        self._lock = Lock()

    def ready(self, name: Name) -> Known | None:
        """Return the project's files from the stored page, where it is fresh or the network is forbidden."""
        if self._projects is None:
            decoded = read_links(self._access.cache, self._path)
            if decoded is None or not _fresh(self._access, self._path, decoded[1]):
                return None
            self._projects = _by_project(decoded[0])
        return Known(self._page(name))

    def fetch(self, name: Name) -> ProjectPage | None:
        """Ask for the page of links, and return the project's files."""
        if self._access.offline:
            raise self._access.not_cached(f"the page of links {shown(self._location.url)}", self._location.name)
        before = self._projects
        with self._lock:
            # Threads that fetch ahead for several projects all want this one page: the first brings it for all.
            if self._projects is before:
                self._projects = self._ask()
        return self._page(name)

    def _ask(self) -> dict[Name, list[IndexFile]]:
        decoded = read_links(self._access.cache, self._path)
        now = self._access.clock()

        def receive(answer: Answer) -> tuple[IndexFile, ...] | None:
            if answer.status == 304 and decoded is not None:
                return None
            files = _read_answer(answer, self._location.name)
            write_links(self._access.cache, self._path, files, _freshness(answer), now)
            return tuple(files)

        stored = decoded[1] if decoded else None
        fetched = self._access.transport.exchange(self._location.address(), receive, headers=lambda: _headers(stored))
        if fetched is None:
            self._access.cache.confirm(self._path, now)
        return _by_project(fetched if fetched is not None else decoded[0] if decoded else ())

    def _page(self, name: Name) -> ProjectPage | None:
        files = (self._projects or {}).get(name)
        return page_of(name, files) if files else None


def _by_project(files: Sequence[IndexFile]) -> dict[Name, list[IndexFile]]:
    projects: dict[Name, list[IndexFile]] = {}
    for file in files:
        if (project := project_of_file(file.file)) is not None:
            projects.setdefault(project, []).append(file)
    return projects


def _read_answer(answer: Answer, index: str) -> list[IndexFile]:
    from tumpline.index.local import LARGEST_PAGE
    from tumpline.index.pages import parse_page
    from tumpline.index.transport import unexpected

    if answer.status != 200:
        unexpected(answer)
    return parse_page(answer.headers.get("Content-Type", ""), answer.body(LARGEST_PAGE), answer.url, index)


def _key(location: IndexLocation) -> str:
    """Return the folder name of an index in the cache: its address hashed, a word for the default one."""
    return hashlib.sha256(location.address().encode()).hexdigest()[:16] if location.url else "default"


def _fresh(access: Access, path: str, freshness: Freshness) -> bool:
    if access.offline:
        return True
    age = access.clock() - access.cache.written_at(path)
    # A time in the future means that a clock was changed: nothing is known about the age then.
    return not access.refresh and 0 <= age < freshness.lifetime


def _headers(stored: Freshness | None) -> Mapping[str, str]:
    from tumpline.index.pages import ACCEPT

    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip", "Cache-Control": "max-age=0"}
    if stored and stored.etag:
        headers["If-None-Match"] = stored.etag
    elif stored and stored.modified:
        headers["If-Modified-Since"] = stored.modified
    return headers


def _freshness(answer: Answer) -> Freshness:
    control = answer.headers.get("Cache-Control", "").lower()
    lifetime = _LIFETIME
    if found := re.search(r"max-age=\"?(\d{1,9})", control):
        lifetime = min(float(found[1]), _LONGEST_LIFETIME)
    if "no-store" in control or "no-cache" in control:
        lifetime = 0.0
    return Freshness(answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", ""), lifetime)
