"""Who we are to an index: from its address, or from a netrc file."""

from __future__ import annotations

import netrc
from urllib.parse import urlsplit

from tumpline.index.settings import Credentials, IndexSettings, origin_of, split_credentials

__all__ = ["CredentialStore"]


class CredentialStore:
    """Finds credentials by origin: those in an index's address hold for its files on the same host as well, as in pip.

    They are sent to that origin only, so a redirect to another host does not carry them along. A netrc file that
    cannot be read counts as absent, as in pip: it concerns hosts that may not be ours.
    """

    def __init__(self, settings: IndexSettings) -> None:
        self._by_origin = {item.origin: item for item in reversed(settings.credentials)}
        self._netrc: netrc.netrc | None = None
        if settings.netrc is not None:
            try:
                self._netrc = netrc.netrc(str(settings.netrc))
            except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
                self._netrc = None

    def find(self, url: str) -> Credentials | None:
        """Return the credentials for an address, or None; those that it holds itself are for its origin from now on."""
        if (own := split_credentials(url)[1]) is not None:
            self._by_origin[own.origin] = own
        origin = origin_of(url)
        if (found := self._by_origin.get(origin)) is not None:
            return found
        entry = self._netrc.authenticators(urlsplit(url).hostname or "") if self._netrc else None
        return Credentials(origin, entry[0], entry[2] or "") if entry else None
