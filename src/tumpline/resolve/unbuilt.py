"""Sources as they are for trials: nothing is built to know what it needs."""

from __future__ import annotations

from tumpline.addresses import Addressed, SourceMetadata, SourceReader
from tumpline.errors import InputError
from tumpline.index import IndexFile
from tumpline.index.model import release_of_file
from tumpline.values import Name
from tumpline.wheels import CoreMetadata

__all__ = ["UNBUILT", "Unbuilt"]

UNBUILT = "what it needs is known only once it is built"


class Unbuilt:
    """Answers as other sources do, but takes it that an sdist needs nothing where only building could tell."""

    def __init__(self, sources: SourceReader) -> None:
        self._sources = sources

    def addressed(self, name: Name, address: str, *, within: Addressed | None = None) -> Addressed:
        """Return what the other sources return."""
        return self._sources.addressed(name, address, within=within)

    def sdist(self, name: Name, file: IndexFile) -> SourceMetadata:
        """Return what the other sources return, or no needs, marked so."""
        try:
            return self._sources.sdist(name, file)
        except InputError as error:
            stated = release_of_file(name, file.file)
            if error.code != "build-not-allowed" or stated is None:
                raise
            return SourceMetadata(CoreMetadata(name, stated[0]), UNBUILT)
