"""The places a client asks about a project: each answers at once from what is at hand, or goes and fetches."""

from __future__ import annotations

from tumpline.index.access import Access
from tumpline.index.places import Source
from tumpline.index.settings import IndexLocation, is_local

__all__ = ["sources_of"]


def sources_of(access: Access) -> tuple[Source, ...]:
    """Return the places of the settings, in the settings' order."""
    from tumpline.index.local import FolderIndex, LinksFolder

    sources: list[Source] = []
    for location in access.settings.locations:
        if is_local(location.url):
            sources.append(LinksFolder(location) if location.kind == "links" else FolderIndex(location))
        else:
            sources.append(_remote(access, location))
    return tuple(sources)


def _remote(access: Access, location: IndexLocation) -> Source:
    from tumpline.index.remote import RemoteIndex, RemoteLinks

    return RemoteLinks(access, location) if location.kind == "links" else RemoteIndex(access, location)
