"""An index as it was at a moment: what was uploaded later is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from tumpline.index.model import IndexFile, IndexReader, ProjectPage, Release, page_of
from tumpline.values import Name
from tumpline.wheels import CoreMetadata

__all__ = ["CutOffIndex"]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
"""What indexes write (PEP 700); such texts sort as the moments do, up to the seconds."""

_SECONDS = len("2026-01-01T00:00:00")


class CutOffIndex:
    """Another index without the files that were uploaded at `moment` (``2026-01-02T00:00:00Z``) or later.

    As uv has it, a file of which the index does not say when it was uploaded is left out, since it could be of any day;
    files of a folder on this machine have no such date and stay, as with pip.
    """

    def __init__(self, index: IndexReader, moment: str) -> None:
        self._index = index
        self._moment = moment[:_SECONDS]
        self._pages: dict[Name, tuple[ProjectPage | None, ProjectPage | None]] = {}

    def page(self, name: Name) -> ProjectPage | None:
        """Return the project's page with the files that are old enough; it may have no release left."""
        return self._split(name)[0]

    def left_out(self, name: Name) -> tuple[Release, ...]:
        """Return the releases of the files that are left out, by version; `uploaded` is empty where it is unknown."""
        late = self._split(name)[1]
        return late.releases if late is not None else ()

    def metadata(self, file: IndexFile) -> CoreMetadata:
        """Return what the other index returns."""
        return self._index.metadata(file)

    def prefetch(self, names: Iterable[Name]) -> None:
        """Hand on what will be asked for."""
        self._index.prefetch(names)

    def prefetch_metadata(self, files: Iterable[IndexFile]) -> None:
        """Hand on what will be asked for."""
        self._index.prefetch_metadata(files)

    def _split(self, name: Name) -> tuple[ProjectPage | None, ProjectPage | None]:
        if name not in self._pages:
            page = self._index.page(name)
            if page is None:
                self._pages[name] = None, None
            else:
                files = [_dated(file) for position in range(len(page.releases)) for file in page.files(position)]
                self._pages[name] = (
                    page_of(name, [file for file in files if self._is_old(file)]),
                    page_of(name, [file for file in files if not self._is_old(file)]),
                )
        return self._pages[name]

    def _is_old(self, file: IndexFile) -> bool:
        if not file.uploaded:
            return file.url.startswith("file:")
        return file.uploaded[:_SECONDS] < self._moment


def _dated(file: IndexFile) -> IndexFile:
    """Return the file without a date that is none."""
    return file if _MOMENT.fullmatch(file.uploaded) else replace(file, uploaded="")
