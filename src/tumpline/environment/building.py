"""Wheels of what a lock holds as a source: built once for each interpreter and target, then kept by their content.

What may be built was decided before (`tumpline.environment.plan`); here it is done.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tumpline.addresses.build import Builder, BuildGround
from tumpline.addresses.files import digest_of
from tumpline.addresses.git import Repository
from tumpline.addresses.model import PathArtefact, UrlArtefact, VcsArtefact
from tumpline.addresses.parse import GitAddress, WebAddress, parse_address
from tumpline.environment.origin import Installable, folder_state
from tumpline.environment.stage import source_key
from tumpline.environment.storage import storage_failure
from tumpline.environment.wheelstore import BuiltWheel, WheelStore
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.caches import CacheUse
from tumpline.host.pythons import Interpreter
from tumpline.lock import IndexArtefact, LockedTarget
from tumpline.values import Name, parse_version, public_version
from tumpline.wheels import parse_wheel_name

__all__ = ["BuildSettings", "BuiltWheels", "WheelMaker", "web_address"]

_FORM = 1
"""Raised when the same source would be built into another wheel than before."""


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """What is needed to build.

    `root` is the project's folder, from which the lock's paths count. `cache` is a folder for built wheels that any
    number of processes may share, None to keep none. `addresses` are the project's own requirements by address, which
    may hold credentials, as a lock does not. `layers` are the folders of the target's wheelhouse. `use` keeps the
    cache within its size. Wheels that were built ahead are taken from `stage`.
    """

    root: Path
    environ: Mapping[str, str]
    cache: Path | None = None
    addresses: Mapping[Name, str] = field(default_factory=dict)
    layers: tuple[Path, ...] = ()
    offline: bool = False
    use: CacheUse | None = None
    stage: WheelStore | None = None


class BuiltWheels:
    """Built wheels of a cache, each found by what it was built from; where nothing can be written nothing is kept."""

    def __init__(self, folder: Path, use: CacheUse | None = None) -> None:
        self._store = WheelStore(folder, use)

    def find(self, key: Sequence[str]) -> Path | None:
        """Return the wheel that was kept under a key; None where there is none, or where it is damaged."""
        found = self._store.built(key)
        with suppress(EnvironmentFailure):
            if found is not None and digest_of(found.path)[0] == found.sha256:
                return found.path
        return None

    def keep(self, key: Sequence[str], wheel: Path) -> Path:
        """Keep a wheel under a key and return where it is now: where it was, if it can not be kept."""
        try:
            kept = self._store.put(wheel)
        except OSError:
            return wheel
        self._store.enter(key, kept)
        return kept.path


class WheelMaker:
    """Makes wheels for one target with its interpreter. Use as a context manager: what is not kept lives until its end.

    Build requirements are taken from the target's wheelhouse before any index; where the target refuses manylinux
    wheels, so do builds for it.
    """

    def __init__(self, settings: BuildSettings, target: LockedTarget, interpreter: Interpreter) -> None:
        self._settings = settings
        self._target = target
        self._stands = [
            str(_FORM),
            *(target.site, target.environment, target.cpu_level, *target.modules),
            *(interpreter.minor, interpreter.platform, interpreter.machine),
        ]
        refuses = target.os == "linux" and target.platform.startswith("linux_")
        ground = BuildGround(interpreter.path, settings.layers, manylinux=not refuses)
        self._builder = Builder(settings.environ, offline=settings.offline, ground=ground)
        self._kept = BuiltWheels(settings.cache, settings.use) if settings.cache is not None else None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._builder.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def staged(self, name: Name, version: str, artefact: Installable) -> BuiltWheel | None:
        """Return the wheel that was built ahead of a source that a lock holds; its content is not looked at.

        Raises InputError ``built-another`` as `wheel` does.
        """
        if self._settings.stage is None or (key := source_key(self._target, artefact, self._settings.root)) is None:
            return None
        if (found := self._settings.stage.built(key)) is not None:
            _check(found.path, name, version, str(self._settings.stage.folder))
        return found

    def needs_internet(self, artefact: Installable) -> bool:
        """Whether a source has to be fetched to be built: a repository elsewhere of which no wheel is kept."""
        if not isinstance(artefact, VcsArtefact) or artefact.path:
            return False
        return self._find(_commit_key(artefact, artefact.url)) is None

    def editable(self, folder: Path) -> Path:
        """Install a project editable in the environment for builds, and return the folder of packages there.

        Raises as `wheel`.
        """
        return self._builder.editable(str(folder), "pyproject.toml")

    def scratch(self) -> Path:
        """Return a folder for files that live until the end; raises EnvironmentFailure ``cannot-write``."""
        if self._scratch is None:
            folder = self._settings.environ.get("TMPDIR")
            try:
                self._scratch = tempfile.TemporaryDirectory(prefix="tumpline-built-", dir=folder)
            except OSError as error:
                raise storage_failure(error, folder or "TMPDIR") from error
        return Path(self._scratch.name)

    def wheel(self, name: Name, version: str, artefact: Installable, file: Path | None = None) -> Path:
        """Return a wheel of a source that a lock holds; `file` is where the sdist of an index or a server is.

        Raises EnvironmentFailure ``build-failed``, ``offline-not-cached``, ``wrong-hash``, what `Repository` raises;
        InputError ``missing-file``, and ``built-another`` where the wheel is of another package or version.
        """
        match artefact:
            case VcsArtefact():
                return self._commit(name, version, artefact)
            case PathArtefact(sha256=""):
                return self.folder(name, version, self._settings.root / artefact.path, artefact.path)
            case PathArtefact():
                path = self._settings.root / artefact.path
                return self._archive(name, version, path, artefact.sha256, artefact.subdirectory, artefact.path)
            case IndexArtefact() if file is not None:
                return self._archive(name, version, file, artefact.sha256, "", artefact.file)
            case UrlArtefact() if file is not None:
                return self._archive(name, version, file, artefact.sha256, artefact.subdirectory, artefact.file)
        raise AssertionError(artefact)

    def web_address(self, name: Name, artefact: UrlArtefact) -> str:
        """Return the address of a file of a server, with the credentials that the project has for it."""
        return web_address(self._settings.addresses, name, artefact)

    def folder(self, name: Name, version: str, folder: Path, where: str) -> Path:
        """Return a wheel of the source in a folder, such as the project itself; raises as `wheel`."""
        if not folder.is_dir():
            raise _missing(name, where)
        key = ["folder", os.path.abspath(folder), folder_state(folder)]  # noqa: PTH100 - links as they were given
        return self._kept_or_built(key, name, version, where, str(folder))

    def _archive(self, name: Name, version: str, path: Path, sha256: str, subdirectory: str, where: str) -> Path:
        if not path.is_file():
            raise _missing(name, where)
        found = digest_of(path)[0]
        if found != sha256:
            raise EnvironmentFailure.of(
                "wrong-hash",
                f"{path.name} does not have the expected sha256",
                where=where,
                why=f"the lock has {sha256}, and it has {found}",
                hint="if the change is right, lock again: tumpline lock; else get the file again",
            )
        fragment = f"#subdirectory={subdirectory}" if subdirectory else ""
        source = f"{Path(os.path.abspath(path)).as_uri()}{fragment}"  # noqa: PTH100 - see above
        return self._kept_or_built(["archive", sha256, subdirectory], name, version, where, source)

    def _commit(self, name: Name, version: str, artefact: VcsArtefact) -> Path:
        address = self._git_address(name, artefact)
        where = artefact.url or artefact.path
        # The address is part of the key, since a backend may take the version from tags, which are no part of a commit.
        key = _commit_key(artefact, artefact.url or str(address.path))
        if (found := self._find(key)) is not None:
            return found
        if self._settings.offline and address.path is None:
            raise EnvironmentFailure.of(
                "offline-not-cached",
                f"the repository of {name} has to be fetched to build it, and --offline forbids that",
                where=where,
                hint="run the same command once without --offline where there is internet",
            )
        with Repository(address, self._settings.environ) as repository:
            source = repository.checkout(artefact.commit) / artefact.subdirectory
            return self._kept_or_built(key, name, version, where, str(source))

    def _git_address(self, name: Name, artefact: VcsArtefact) -> GitAddress:
        """Return the address of a repository, with the credentials that the project has for it."""
        given = self._settings.addresses.get(name, "")
        if artefact.url and given:
            parsed = parse_address(given)
            if isinstance(parsed, GitAddress) and parsed.url == artefact.url:
                return parsed
        path = Path(os.path.abspath(self._settings.root / artefact.path)) if artefact.path else None  # noqa: PTH100
        return GitAddress(artefact.url, path, artefact.reference, artefact.subdirectory)

    def _find(self, key: Sequence[str]) -> Path | None:
        return self._kept.find([*self._stands, *key]) if self._kept is not None else None

    def _kept_or_built(self, key: Sequence[str], name: Name, version: str, where: str, source: str) -> Path:
        if (found := self._find(key)) is not None:
            return found
        wheel = self._builder.wheel(source, where)
        _check(wheel, name, version, where)
        if self._kept is not None:
            kept = self._kept.keep([*self._stands, *key], wheel)
            if kept != wheel:
                return kept
        return self._put_aside(wheel)

    def _put_aside(self, wheel: Path) -> Path:
        """Move a wheel to where the next build does not remove it."""
        try:
            return Path(shutil.move(wheel, self.scratch() / wheel.name))
        except OSError as error:
            raise storage_failure(error, wheel) from error


def web_address(addresses: Mapping[Name, str], name: Name, artefact: UrlArtefact) -> str:
    """Return the address of a file of a server, with the credentials that `addresses` have for it."""
    if given := addresses.get(name, ""):
        parsed = parse_address(given)
        if isinstance(parsed, WebAddress) and parsed.bare == artefact.url:
            return parsed.url
    return artefact.url


def _commit_key(artefact: VcsArtefact, place: str) -> list[str]:
    return ["commit", place, artefact.commit, artefact.subdirectory]


def _check(wheel: Path, name: Name, version: str, where: str) -> None:
    """Raise InputError ``built-another`` where a wheel is not what the lock says; a local version may differ."""
    found = parse_wheel_name(wheel.name)
    if found.name == name and _public(found.version) == _public(version):
        return
    raise InputError.of(
        "built-another",
        f"the lock has {name} {version}, and what was built is {found.name} {found.version}",
        where=where,
        why="a folder changes, and some backends take the version from the state of the repository",
        hint="lock again: tumpline lock",
    )


def _public(version: str) -> str:
    return str(public_version(parse_version(version)))


def _missing(name: Name, where: str) -> InputError:
    return InputError.of(
        "missing-file",
        f"{name} is taken from a path where there is nothing",
        where=where,
        hint="put it there, or correct the path in pyproject.toml and lock again: tumpline lock",
    )
