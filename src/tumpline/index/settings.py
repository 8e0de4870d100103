"""Where packages come from and how those places are reached, as values."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from tumpline.errors import InputError

__all__ = [
    "Credentials",
    "IndexLocation",
    "IndexSettings",
    "is_local",
    "origin_of",
    "path_of",
    "shown",
    "split_credentials",
]

LocationKind = Literal["simple", "links"]

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class IndexLocation:
    """One place: an index with a page per project (``simple``), or a folder or page of links to files (``links``).

    `name` is what a lock calls it: ``pypi``, ``extra-1``, ``find-links-1``. `url` is an http, https or file address
    without credentials; an empty one is the default index, whose address costs an import and is therefore worked out
    only when it is needed (`address`).
    """

    name: str
    url: str
    kind: LocationKind = "simple"

    def address(self) -> str:
        """Return the address; that of an index ends with a slash."""
        url = self.url or _default_index()
        return url if self.kind == "links" or url.endswith("/") else f"{url}/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password for everything below one origin (``https://host:port``); the password is never shown."""

    origin: str
    user: str
    password: str = field(repr=False)

    def header(self) -> str:
        """Return the value of an ``Authorization`` header (RFC 7617)."""
        return "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """What pip's configuration and the environment say of indexes.

    `locations` are in the order in which pip prefers files of the same name: folders and pages of links, the index, the
    extra indexes. `certificates` is a file or a folder of trusted certificates, None for those of the system. `proxy`
    holds for every address; where it is empty `proxies` (scheme, address) do, except for hosts in `no_proxy`.
    `timeout` is in seconds for each step of an exchange; `retries` counts further attempts after the first.
    """

    locations: tuple[IndexLocation, ...] = (IndexLocation("pypi", ""),)
    credentials: tuple[Credentials, ...] = field(default=(), repr=False)
    trusted_hosts: tuple[str, ...] = ()
    certificates: Path | None = None
    client_certificate: Path | None = None
    proxy: str = field(default="", repr=False)
    proxies: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    no_proxy: tuple[str, ...] = ()
    timeout: float = 15.0
    retries: int = 5
    netrc: Path | None = None

    def without_folders(self, roots: Iterable[Path]) -> IndexSettings:
        """Leave out folders of links at or below any of `roots`.

        On a cluster pip's configuration lists the wheelhouse itself as ``find-links``. Its wheels are the catalogue's
        business: read as an index they would bring dummies back in (R5) and be taken where the policy says ``pypi``
        (R3).
        """
        bases = [root.resolve() for root in roots]

        def outside(location: IndexLocation) -> bool:
            if location.kind != "links" or not is_local(location.url):
                return True
            path = path_of(location.url).resolve()
            return not any(path.is_relative_to(base) for base in bases)

        return replace(self, locations=tuple(filter(outside, self.locations)))


def _default_index() -> str:
    # distlib comes with virtualenv and states the address of the index; importing it takes as long as a whole warm
    # lock may, so only a client that must go out asks for it.
    from importlib import import_module

    return urljoin(str(import_module("distlib.index").DEFAULT_INDEX), "simple/")


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Separate ``https://user:password@host/…`` into the bare address and the credentials, if it has any.

    Raises ValueError for a malformed address.
    """
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    bare = urlunsplit(parts._replace(netloc=host))
    user, _, password = userinfo.partition(":")
    return bare, Credentials(origin_of(bare), unquote(user), unquote(password))


def origin_of(url: str) -> str:
    """Return ``scheme://host:port`` in lower case, the port always written; raises ValueError for a malformed port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def shown(url: str) -> str:
    """Return an address fit for a message: no user, password, query or fragment, any of which may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def is_local(url: str) -> bool:
    """Say whether an address is a ``file:`` one."""
    return url.startswith("file:")


def path_of(url: str) -> Path:
    """Return the path of a ``file:`` address; raises InputError ``index-address-unusable`` for one on another host."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if sys.platform == "win32":
        # file:///C:/folder names a drive; file://host/share names a network share.
        return Path(f"//{parts.netloc}{path}") if parts.netloc else Path(path.removeprefix("/"))
    if parts.netloc not in ("", "localhost") or "\0" in path:
        raise InputError.of(
            "index-address-unusable",
            f"{shown(url)} is not a file of this machine",
            hint="write a file address with three slashes, such as file:///folder",
        )
    return Path(path)
