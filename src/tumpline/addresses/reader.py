"""Answers what requirements by address, and sdists, stand for: fetched and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tumpline.addresses.files import digest_of, folder_files, portable_path
from tumpline.addresses.git import Repository
from tumpline.addresses.model import (
    Addressed,
    PathArtefact,
    SourceMetadata,
    UrlArtefact,
    VcsArtefact,
    bare_address,
)
from tumpline.addresses.parse import FileAddress, GitAddress, WebAddress, parse_address
from tumpline.addresses.sources import AddressSettings, Sources
from tumpline.addresses.trees import FILES
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index import IndexFile
from tumpline.index.model import release_of_file
from tumpline.values import Name, normalise, parse_version
from tumpline.wheels import parse_wheel_name
from tumpline.wheels.tail import read_wheel_file

__all__ = ["AddressReader", "AddressSettings", "FileIndex", "Kept"]

Kept = Mapping[Name, Iterable[object]]
"""What an earlier lock has of packages: their artefacts, whose commits and hashes are kept where they still fit."""


class FileIndex(Protocol):
    """What is needed of the client of the indexes: fetching a file from an address."""

    def download(self, file: IndexFile, *, anew: bool = False) -> Path:
        """Return the path of the file's bytes, checked against its hash where it has one; raises EnvironmentFailure."""
        ...


class AddressReader:
    """Implements `SourceReader`. Use as a context manager, or call `close`.

    `progress` hears what is being done, in a few words, before anything that may take a while.
    """

    def __init__(
        self, settings: AddressSettings, index: FileIndex, kept: Kept, progress: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._index = index
        self._kept = kept
        self._progress = progress
        self._sources = Sources(settings, progress)
        self._known: dict[tuple[Name, str], Addressed] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove what builds needed."""
        self._sources.close()

    def addressed(self, name: Name, address: str, *, within: Addressed | None = None) -> Addressed:
        """Return what an address holds.

        Raises InputError ``bad-address``, ``address-not-followed`` for a path of this machine in the metadata of a
        package from elsewhere, ``path-not-portable``, ``missing-file``, ``build-not-allowed``,
        ``address-holds-another``, ``unknown-reference``, what reading a wheel or an sdist raises; EnvironmentFailure
        ``address-gone``, ``git-failed``, ``build-failed``, ``offline-not-cached`` and those of the network.
        """
        parsed = parse_address(address)
        if within is not None and not isinstance(within.artefact, PathArtefact) and _is_here(parsed):
            raise InputError.of(
                "address-not-followed",
                f"{bare_address(within.address)} names a path of this machine for {name}",
                why="only the project, and what it takes from a path, may say what is read here",
                hint=f"add a requirement for {name} to the project itself",
            )
        found = self._known.get((name, address))
        if found is None:
            match parsed:
                case GitAddress():
                    found = self._git(name, address, parsed)
                case WebAddress():
                    found = self._web(name, address, parsed)
                case FileAddress():
                    found = self._file(name, address, parsed)
            _check_name(name, found)
            self._known[name, address] = found
        return found

    def sdist(self, name: Name, file: IndexFile) -> SourceMetadata:
        """Return what an sdist of an index needs, by its pyproject.toml or by building it.

        Raises InputError ``metadata-unreadable``, ``wheel-metadata-disagrees``, ``build-not-allowed``;
        EnvironmentFailure ``build-failed``, and what `FileIndex.download` raises.
        """
        self._progress(f"reading {file.file}")
        path = self._index.download(file)
        found = self._sources.archive(name, path, file.sha256 or digest_of(path)[0], "", file.file)
        stated = release_of_file(name, file.file)
        if normalise(found.core.name) != name or stated is None or stated[0] != str(parse_version(found.core.version)):
            raise InputError.of(
                "wheel-metadata-disagrees",
                "the metadata is not that of the file",
                where=file.file,
                why=f"it says {found.core.name} {found.core.version}",
                hint="choose another version, or ask whoever keeps the index",
            )
        return found

    # Git

    def _git(self, name: Name, address: str, parsed: GitAddress) -> Addressed:
        path = portable_path(self._settings.root, parsed.path) if parsed.path is not None else ""
        asked = VcsArtefact("", parsed.url, path, parsed.reference, parsed.subdirectory)
        commit = next(
            (
                artefact.commit
                for artefact in self._kept.get(name, ())
                if isinstance(artefact, VcsArtefact) and replace(artefact, commit="") == asked
            ),
            "",
        )
        key = ["git", parsed.url or str(parsed.path), parsed.subdirectory]
        found = self._sources.remembered(name, [*key, commit], bare_address(address)) if commit else None
        if found is None:
            if self._settings.offline and parsed.path is None:
                raise _offline(f"the repository of {name}", address)
            self._progress(f"fetching {bare_address(address)}")
            with Repository(parsed, self._settings.environ) as repository:
                commit = commit or repository.commit()
                found = self._sources.remembered(name, [*key, commit], bare_address(address))
                if found is None:
                    found = self._of_commit(name, address, repository, commit, parsed.subdirectory)
                    self._sources.remember([*key, commit], found)
        return Addressed(address, found, replace(asked, commit=commit))

    def _of_commit(
        self, name: Name, address: str, repository: Repository, commit: str, subdirectory: str
    ) -> SourceMetadata:
        inside = f"{subdirectory}/" if subdirectory else ""
        found = repository.files(commit, [f"{inside}{file}" for file in FILES])
        files = {path.removeprefix(inside): content for path, content in found.items()}

        def source() -> str:
            return str(repository.checkout(commit) / subdirectory)

        return self._sources.tree(name, files, Path(subdirectory), source, bare_address(address))

    # Files of servers and of this machine

    def _web(self, name: Name, address: str, parsed: WebAddress) -> Addressed:
        sha256 = parsed.sha256 or next(
            (
                artefact.sha256
                for artefact in self._kept.get(name, ())
                if isinstance(artefact, UrlArtefact) and artefact.url == parsed.bare
            ),
            "",
        )
        file = IndexFile(parsed.file, parsed.url, "of the address", sha256=sha256)
        self._progress(f"fetching {bare_address(address)}")
        try:
            # Without a hash to go by, what the address gave at another time is no answer.
            path = self._index.download(file, anew=not sha256 and not self._settings.offline)
        except EnvironmentFailure as error:
            if error.code != "file-gone-from-index":
                raise
            raise EnvironmentFailure.of(
                "address-gone",
                f"there is nothing at the address of {name}",
                where=bare_address(address),
                hint="correct the address in pyproject.toml",
            ) from error
        digest, size = digest_of(path)
        artefact = UrlArtefact(parsed.bare, parsed.file, digest, size, parsed.subdirectory)
        metadata, tags = self._of_file(name, path, parsed.subdirectory, bare_address(address), digest)
        return Addressed(address, metadata, artefact, tags)

    def _file(self, name: Name, address: str, parsed: FileAddress) -> Addressed:
        portable = portable_path(self._settings.root, parsed.path)
        archive = parsed.path.name.endswith((".whl", ".tar.gz", ".zip"))
        if parsed.path.is_dir() and not archive:
            folder = parsed.path / parsed.subdirectory
            path = f"{portable}/{parsed.subdirectory}" if parsed.subdirectory else portable
            found = self._sources.tree(name, folder_files(folder, FILES), folder, lambda: str(folder), path)
            return Addressed(address, found, PathArtefact(path))
        if not parsed.path.is_file() or not archive:
            raise InputError.of(
                "missing-file",
                f"{name} is taken from a path where there is no folder, wheel or sdist",
                where=portable,
                hint="correct the path in pyproject.toml",
            )
        digest, size = digest_of(parsed.path)
        if parsed.sha256 not in ("", digest):
            raise EnvironmentFailure.of(
                "wrong-hash",
                f"{parsed.path.name} does not have the expected sha256",
                where=portable,
                why=f"the address promises {parsed.sha256}, and it has {digest}",
                hint="if the change is right, correct the address; else get the file again",
            )
        metadata, tags = self._of_file(name, parsed.path, parsed.subdirectory, portable, digest)
        record = ""
        if tags:
            contents = read_wheel_file(parsed.path, parse_wheel_name(parsed.path.name), parts=["RECORD"])
            record = hashlib.sha256(contents.record).hexdigest()
        return Addressed(address, metadata, PathArtefact(portable, digest, size, record, parsed.subdirectory), tags)

    def _of_file(
        self, name: Name, path: Path, subdirectory: str, where: str, digest: str
    ) -> tuple[SourceMetadata, str]:
        """Return the metadata of a wheel or an sdist, and the tags of a wheel."""
        if path.name.endswith(".whl"):
            wheel = parse_wheel_name(path.name)
            return SourceMetadata(read_wheel_file(path, wheel, parts=()).core), wheel.tags
        return self._sources.archive(name, path, digest, subdirectory, where), ""


def _is_here(parsed: FileAddress | GitAddress | WebAddress) -> bool:
    return isinstance(parsed, FileAddress) or (isinstance(parsed, GitAddress) and parsed.path is not None)


def _check_name(name: Name, found: Addressed) -> None:
    core = found.metadata.core
    if normalise(core.name) != name:
        raise InputError.of(
            "address-holds-another",
            f"the address of {name} holds another package",
            where=bare_address(found.address),
            why=f"it is {core.name} {core.version}",
            hint=f"write {core.name} @ ADDRESS, or correct the address",
        )


def _offline(what: str, address: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "offline-not-cached",
        f"{what} is not in the cache, and --offline forbids to fetch it",
        where=bare_address(address),
        hint="run the same command once without --offline where there is internet",
    )
