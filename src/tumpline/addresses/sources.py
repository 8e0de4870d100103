"""What sources need, by the cheapest way that the project allows: remembered, stated, or told by a build."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.addresses.build import Builder
from tumpline.addresses.model import SourceMetadata
from tumpline.addresses.trees import FILES, static_tree
from tumpline.errors import InputError
from tumpline.index.cache import Cache
from tumpline.index.sdists import read_top_files
from tumpline.index.static import NotStatic
from tumpline.values import Name, parse_version
from tumpline.wheels import CoreMetadata

__all__ = ["AddressSettings", "Sources"]

_BUILT = "dependencies as a build told them on the machine that made the lock"
_FORM = 1
"""Raised when what is remembered of a source changes its form or its meaning."""


@dataclass(frozen=True, slots=True)
class AddressSettings:
    """How sources are read.

    `root` is the project's folder, `cache` a folder that any number of processes may share, `environ` the variables of
    the person. `builds` are the packages that may be built. `offline` forbids the network.
    """

    root: Path
    cache: Path
    environ: Mapping[str, str]
    builds: frozenset[Name] = frozenset()
    offline: bool = False


class Sources:
    """Reads sources that are here: folders, archives, files of a commit; `close` removes what builds needed."""

    def __init__(self, settings: AddressSettings, progress: Callable[[str], None]) -> None:
        self._builds = settings.builds
        self._progress = progress
        self._cache = Cache(settings.cache)
        self._builder = Builder(settings.environ, offline=settings.offline)

    def close(self) -> None:
        """Remove what builds needed."""
        self._builder.close()

    def archive(self, name: Name, path: Path, sha256: str, subdirectory: str, where: str) -> SourceMetadata:
        """Return what an sdist needs; raises as `tree`, and InputError ``metadata-unreadable``."""
        key = ["archive", sha256, subdirectory]
        found = self.remembered(name, key, where)
        if found is None:
            inside = f"{subdirectory}/" if subdirectory else ""
            contents = read_top_files(path, [f"{inside}{file}" for file in FILES])
            files = {file.removeprefix(inside): content for file, content in contents.items()}
            fragment = f"#subdirectory={subdirectory}" if subdirectory else ""
            found = self.tree(name, files, Path(path.name), lambda: f"{path.absolute().as_uri()}{fragment}", where)
            self.remember(key, found)
        return found

    def tree(
        self, name: Name, files: dict[str, bytes], folder: Path, source: Callable[[], str], where: str
    ) -> SourceMetadata:
        """Return what a source says of itself in `files` (see `static_tree`), or what building it tells.

        `source` returns what is built: a folder, or a ``file:`` address; `where` names the source in complaints. Raises
        InputError ``build-not-allowed``, ``metadata-unreadable`` and those of a bad pyproject.toml, and what
        `Builder.metadata` raises.
        """
        try:
            found = SourceMetadata(static_tree(files, folder))
        except NotStatic as error:
            self._check_build(name, where, error.why)
            self._progress(f"building {name} to know what it needs")
            found = SourceMetadata(self._builder.metadata(source(), where), _BUILT)
        except InputError as error:
            raise InputError(
                *(one._replace(where=_in_pyproject(one.where, where)) for one in error.problems)
            ) from error
        try:
            parse_version(found.core.version)
        except ValueError as error:
            raise InputError.of(
                "metadata-unreadable",
                "the metadata of a source cannot be read",
                where=where,
                why=f"{found.core.version!r} is not a version",
                hint="choose another version, or ask whoever keeps it",
            ) from error
        return found

    def remembered(self, name: Name, key: Sequence[str], where: str) -> SourceMetadata | None:
        """Return what `remember` was given under a key, by whichever process; raises InputError ``build-not-allowed``
        where only a build told it and the project does not allow that any more."""
        entry = self._cache.read(_place(key))
        if entry is None:
            return None
        try:
            project, version, requires, python, extras, approximate = json.loads(entry.head)
            core = CoreMetadata(project, version, tuple(requires), python, tuple(extras))
        except (ValueError, TypeError):
            return None
        if approximate:
            self._check_build(name, where, "it does not state what it needs")
        return SourceMetadata(core, approximate)

    def remember(self, key: Sequence[str], found: SourceMetadata) -> None:
        """Keep what a source needs under a key that changes whenever the source does."""
        core = found.core
        value = [core.name, core.version, core.requires_dist, core.requires_python, core.extras, found.approximate]
        self._cache.write(_place(key), json.dumps(value).encode(), time.time())

    def _check_build(self, name: Name, where: str, why: str) -> None:
        if name not in self._builds:
            raise InputError.of(
                "build-not-allowed",
                f"{name} must be built to know what it needs, which the project does not allow",
                where=where,
                why=why,
                hint=f"allow it, which runs code of the package: {name} = {{ build = true }} under "
                "[tool.tumpline.packages]; or take a wheel of it",
            )


def _place(key: Sequence[str]) -> str:
    # By Python as well: what a build tells may depend on it.
    words = [str(_FORM), f"{sys.version_info.major}.{sys.version_info.minor}", *key]
    digest = hashlib.sha256(json.dumps(words).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{digest[:2]}/{digest}"


def _in_pyproject(place: str, where: str) -> str:
    """Return where something is wrong: of a place in a file that is not here, the line alone says something."""
    return f"pyproject.toml{place.rpartition('pyproject.toml')[2]} of {where}"
