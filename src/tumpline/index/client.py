"""The client of all configured indexes: one object that answers for pages, metadata and files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tumpline.errors import EnvironmentFailure
from tumpline.host.caches import CacheUse
from tumpline.index.access import Access
from tumpline.index.background import Ahead, Workers
from tumpline.index.downloads import FileStore, Progress
from tumpline.index.merge import merge_pages
from tumpline.index.metadata import MetadataReader
from tumpline.index.model import IndexFile, ProjectPage, release_of_file
from tumpline.index.places import Known, Source
from tumpline.index.settings import IndexSettings
from tumpline.index.sources import sources_of
from tumpline.values import Name
from tumpline.wheels import CoreMetadata

__all__ = ["IndexClient"]


class IndexClient:
    """Answers questions about packages from the configured indexes, merged as pip merges them, through a cache.

    Implements `IndexReader`. `cache` is a folder that any number of processes may share. `offline` answers from the
    cache alone, whatever its age; `refresh` asks the indexes again about what is still fresh. Where all answers are
    fresh in the cache no thread is started and no HTTP library imported. Methods are called from one thread, `download`
    from any number; fetching ahead uses `workers` threads of its own. Whole files are kept in the folder `files`,
    by default that of the cache; `use` keeps it within its size. Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        settings: IndexSettings,
        cache: Path,
        *,
        offline: bool = False,
        refresh: bool = False,
        clock: Callable[[], float] = time.time,
        backoff: float = 0.25,
        workers: int = 8,
        files: Path | None = None,
        use: CacheUse | None = None,
    ) -> None:
        self._access = Access(
            settings, cache, offline=offline, refresh=refresh, clock=clock, backoff=backoff, files=files, use=use
        )
        self._sources: tuple[Source, ...] = sources_of(self._access)
        self._store = FileStore(self._access)
        self._reader = MetadataReader(self._access, self._store)
        self._workers = Workers(workers)
        self._pages: Ahead[Name, ProjectPage | None] = Ahead(self._workers, self._ready_page, self._fetch_page)
        self._metadata: Ahead[IndexFile, CoreMetadata] = Ahead(self._workers, self._ready_metadata, self._reader.fetch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop fetching ahead and close all connections."""
        self._access.close()
        self._workers.close()

    def page(self, name: Name) -> ProjectPage | None:
        """Return the project's page, None where no index knows it.

        Raises EnvironmentFailure, and InputError where pip's configuration cannot be used (``insecure-index``,
        ``index-address-unusable``, ``proxy-unusable``, ``certificates-unreadable``).
        """
        return self._pages.get(name)

    def prefetch(self, names: Iterable[Name]) -> None:
        """Start fetching pages that will be asked for soon; never raises."""
        for name in names:
            self._pages.start(name)

    def metadata(self, file: IndexFile) -> CoreMetadata:
        """Return the METADATA of a wheel or the PKG-INFO of an sdist; raises as `MetadataReader.fetch`."""
        return self._metadata.get(file)

    def prefetch_metadata(self, files: Iterable[IndexFile]) -> None:
        """Start fetching metadata that will be asked for soon; never raises."""
        for file in files:
            self._metadata.start(file)

    def download(self, file: IndexFile, *, progress: Progress | None = None, anew: bool = False) -> Path:
        """Return the path of the file's bytes, fetched if need be and checked; raises as `FileStore.download`.

        A file of this machine stays where it is; any other is in the folder of files, at
        ``<first two digits>/<sha256>/<file name>``.
        """
        return self._store.download(file, progress, anew=anew)

    def cached(self, sha256: str, file: str) -> Path | None:
        """Return where the file of that hash and name is kept, or None."""
        return self._store.cached(sha256, file)

    def drop_damaged(self, sha256: str, file: str) -> bool:
        """Remove the file of that hash and name that is kept unless it has that hash; whether it was removed."""
        return self._store.drop_damaged(sha256, file)

    def with_hash(self, file: IndexFile) -> IndexFile:
        """Return the file with sha256 and size filled in; reads the whole file where the index gives no hash."""
        return self._store.with_hash(file)

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        """Return where a locked file is now, in whichever index has it: the hash decides.

        Pages are asked for again before a file is given up. Raises EnvironmentFailure ``file-gone-from-index``, and
        what `page` raises. A file that an index offers without hash is taken, and checked when it is downloaded.
        """
        others: set[str] = set()
        for renew in (False, True):
            unknown: IndexFile | None = None
            for candidate in self._files_named(name, file, renew=renew):
                if candidate.sha256 == sha256:
                    return candidate
                if candidate.sha256:
                    others.add(candidate.index)
                unknown = unknown or (candidate if not candidate.sha256 else None)
            if unknown is not None:
                return replace(unknown, sha256=sha256)
            if self._access.offline:
                break
        raise EnvironmentFailure.of(
            "file-gone-from-index",
            f"no index has {file} with the hash that is locked",
            where=f"sha256 {sha256}",
            why=f"another file of that name is in {', '.join(sorted(others))}" if others else "",
            hint="check that the indexes in pip's configuration are those the lock was made with, or lock again",
        )

    def _files_named(self, name: Name, file: str, *, renew: bool) -> Iterable[IndexFile]:
        found = release_of_file(name, file)
        for source in self._sources:
            known = None if renew else source.ready(name)
            page = known.page if known is not None else source.fetch(name)
            if page is None or found is None:
                continue
            for position, release in enumerate(page.releases):
                if release.version == found[0]:
                    yield from (candidate for candidate in page.files(position) if candidate.file == file)

    def _ready_page(self, name: Name) -> tuple[ProjectPage | None] | None:
        known: list[Known] = []
        for source in self._sources:
            if (found := source.ready(name)) is None:
                return None
            known.append(found)
        return (_merged(known),)

    def _fetch_page(self, name: Name) -> ProjectPage | None:
        return _merged([source.ready(name) or Known(source.fetch(name)) for source in self._sources])

    def _ready_metadata(self, file: IndexFile) -> tuple[CoreMetadata] | None:
        found = self._reader.ready(file)
        return None if found is None else (found,)


def _merged(known: Iterable[Known]) -> ProjectPage | None:
    pages = [found.page for found in known if found.page is not None]
    return merge_pages(pages) if pages else None
