"""What a requirement by address stands for, as values (PEP 508's ``NAME @ ADDRESS``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from tumpline.index import IndexFile
    from tumpline.values import Name
    from tumpline.wheels import CoreMetadata

__all__ = [
    "Addressed",
    "PathArtefact",
    "SourceMetadata",
    "SourceReader",
    "UrlArtefact",
    "VcsArtefact",
    "bare_address",
]


@dataclass(frozen=True, slots=True)
class VcsArtefact:
    """A commit of a Git repository, at `url` or, on the machine itself, at `path`; exactly one of them is given.

    `url` is without ``git+`` and without a password, `path` is relative to the project's folder, with forward slashes.
    `reference` is what was asked for (a branch, a tag, a commit; empty for the repository's default branch), `commit`
    what it was. `subdirectory` is where in the repository the package is.
    """

    commit: str
    url: str = ""
    path: str = ""
    reference: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class PathArtefact:
    """A wheel, an sdist or a folder at `path`, which is relative to the project's folder, with forward slashes.

    A file is pinned by `sha256` and has its `size` in bytes; a wheel has the sha256 of its RECORD as well. A folder
    has none of these: it is what it is on the day it is installed.
    """

    path: str
    sha256: str = ""
    size: int | None = None
    record: str = ""
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class UrlArtefact:
    """A wheel or an sdist at `url`, which is without credentials and fragment."""

    url: str
    file: str
    sha256: str
    size: int | None = None
    subdirectory: str = ""


@dataclass(frozen=True, slots=True)
class SourceMetadata:
    """What a source says it needs; `approximate` says in a few words why that is not certain, empty where it is."""

    core: CoreMetadata
    approximate: str = ""


@dataclass(frozen=True, slots=True)
class Addressed:
    """What an address holds: a package in one version. `tags` are those of a wheel, empty for what must be built."""

    address: str
    metadata: SourceMetadata
    artefact: VcsArtefact | PathArtefact | UrlArtefact
    tags: str = ""

    @property
    def source(self) -> Literal["vcs", "path", "url"]:
        """Where it comes from."""
        match self.artefact:
            case VcsArtefact():
                return "vcs"
            case PathArtefact():
                return "path"
            case UrlArtefact():
                return "url"


class SourceReader(Protocol):
    """The questions that a resolution asks about what is not on an index as a wheel."""

    def addressed(self, name: Name, address: str, *, within: Addressed | None = None) -> Addressed:
        """Return what an address holds; `within` is the package whose metadata names it, None for the project itself.

        Raises InputError and EnvironmentFailure; every call with the same arguments has the same answer.
        """
        ...

    def sdist(self, name: Name, file: IndexFile) -> SourceMetadata:
        """Return what an sdist of an index needs, for which its static metadata is not enough; raises likewise."""
        ...


def bare_address(address: str) -> str:
    """Return an address without what may be a password, for messages and comparisons."""
    # Imported here, since what only reads a lock shows no address.
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
    except ValueError:
        return "a malformed address"
    user, at, host = parts.netloc.rpartition("@")
    keep = user.partition(":")[0] if parts.scheme.endswith("ssh") else ""
    return address.replace(f"//{parts.netloc}", f"//{keep}{at if keep else ''}{host}", 1)
