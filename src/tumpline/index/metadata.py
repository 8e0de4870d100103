"""What a file says of itself, by the cheapest way that works.

In this order: what is stored; the file where it is on this machine or in the cache; the separate ``.metadata`` where
the index advertises one (PEP 658); the tail of a wheel by HTTP ranges; the whole file. A ``.metadata`` that is not
advertised is not asked for: an index that serves some without saying so would cost a vain question for each of the
others, and the tail of the wheel takes one question as well.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from packaging.version import InvalidVersion

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.access import Access
from tumpline.index.downloads import FileStore, identity
from tumpline.index.model import IndexFile, release_of_file
from tumpline.index.places import project_of_file
from tumpline.index.settings import is_local, origin_of, path_of, shown
from tumpline.index.static import NotStatic, not_static, static_metadata
from tumpline.values import normalise, parse_version
from tumpline.wheels import CoreMetadata, parse_metadata, parse_wheel_name

if TYPE_CHECKING:
    from tumpline.index.transport import Answer

__all__ = ["MetadataReader"]

_LARGEST_METADATA = 16 << 20
_VAIN_QUESTIONS = 3
"""After so many advertised ``.metadata`` files that are not there, a host is not asked for them any more."""


class MetadataReader:
    """Reads and remembers core metadata; may be used from several threads."""

    def __init__(self, access: Access, store: FileStore) -> None:
        self._access = access
        self._store = store
        self._vain: dict[str, int] = {}
        self._whole_only: set[str] = set()

    def ready(self, file: IndexFile) -> CoreMetadata | None:
        """Return the metadata if it can be had without the network; raises InputError as `fetch`."""
        path = self._path(file)
        entry = self._access.cache.read(path)
        if entry is not None and (found := _decode(entry.head, file)) is not None:
            return found
        on_disk = path_of(file.url) if is_local(file.url) else self._store.cached(file.sha256, file.file)
        return self._from_disk(file, on_disk) if on_disk is not None else None

    def fetch(self, file: IndexFile) -> CoreMetadata:
        """Return the metadata that `ready` has not, from the network.

        Raises EnvironmentFailure (network, ``offline-not-cached``, ``wrong-hash``), InputError with the codes of
        `tumpline.wheels.tail` for a bad wheel, ``metadata-unreadable`` for a bad sdist, ``metadata-not-static`` for an
        sdist that must be built, ``wheel-metadata-disagrees`` where it names another project or version.
        """
        if self._access.offline:
            raise self._access.not_cached(f"the metadata of {file.file}", f"index {file.index}")
        if file.metadata and (content := self._separate(file)) is not None:
            return self._take(file, content)
        if file.file.endswith(".whl"):
            return self._remember(file, self._from_tail(file))
        return self._from_disk(file, self._store.download(file))

    def _separate(self, file: IndexFile) -> bytes | None:
        """Return the ``.metadata`` file, or None where it is not there in spite of being advertised."""
        origin = origin_of(file.url)
        if self._vain.get(origin, 0) >= _VAIN_QUESTIONS:
            return None

        def receive(answer: Answer) -> bytes | None:
            from tumpline.index.transport import unexpected

            if answer.status in (403, 404, 410):
                return None
            if answer.status != 200:
                unexpected(answer)
            return answer.body(_LARGEST_METADATA)

        parts = urlsplit(file.url)
        url = urlunsplit(parts._replace(path=f"{parts.path}.metadata"))
        content = self._access.transport.exchange(url, receive)
        if content is None:
            self._vain[origin] = self._vain.get(origin, 0) + 1
            return None
        self._vain[origin] = 0
        if file.metadata != "yes" and hashlib.sha256(content).hexdigest() != file.metadata:
            raise EnvironmentFailure.of(
                "wrong-hash",
                f"the metadata of {file.file} does not have the sha256 that index {file.index} states",
                where=shown(url),
                hint="try again; if it happens again, ask whoever keeps the index before you trust the file",
            )
        return content

    def _from_tail(self, file: IndexFile) -> CoreMetadata:
        from tumpline.index.ranges import NoRanges, RemoteFile, open_remote
        from tumpline.wheels.tail import read_dist_info

        origin = origin_of(file.url)
        if origin not in self._whole_only:
            try:
                found = open_remote(self._access.transport, file, lambda answer: self._store.keep(file, answer))
                if isinstance(found, RemoteFile):
                    name = parse_wheel_name(file.file)
                    return read_dist_info(found.read, found.size, name, parts=()).core
                self._whole_only.add(origin)
                return self._from_disk(file, found)
            except NoRanges:
                self._whole_only.add(origin)
        return self._from_disk(file, self._store.download(file))

    def _from_disk(self, file: IndexFile, path: Path) -> CoreMetadata:
        if file.file.endswith(".whl"):
            from tumpline.wheels.tail import read_wheel_file

            return read_wheel_file(path, parse_wheel_name(file.file), parts=()).core
        from tumpline.index.sdists import read_pkg_info

        return self._take(file, read_pkg_info(path))

    def _take(self, file: IndexFile, content: bytes) -> CoreMetadata:
        """Check and remember metadata that came as a file of its own."""
        try:
            return self._remember(file, _checked(file, content))
        except NotStatic as error:
            # Remembered as well: the next lock must not fetch the whole sdist to learn it again.
            self._access.cache.write(self._path(file), json.dumps(error.why).encode(), self._access.clock())
            raise not_static(file.file, error.why) from None

    def _remember(self, file: IndexFile, found: CoreMetadata) -> CoreMetadata:
        payload = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        self._access.cache.write(self._path(file), payload.encode("utf-8", "surrogatepass"), self._access.clock())
        return found

    def _path(self, file: IndexFile) -> str:
        key = file.sha256 or identity(file)
        return f"metadata/{key[:2]}/{key}"


def _checked(file: IndexFile, content: bytes) -> CoreMetadata:
    """Parse metadata of a file and see that it speaks of that file; raises NotStatic."""
    found = parse_metadata(content) if file.file.endswith(".whl") else static_metadata(content)
    project = project_of_file(file.file)
    stated = release_of_file(project, file.file) if project is not None else None
    try:
        agrees = stated is not None and str(parse_version(found.version)) == stated[0]
    except InvalidVersion:
        agrees = False
    if not agrees or normalise(found.name) != project:
        said = f"{found.name} {found.version}".strip() or "nothing"
        raise InputError.of(
            "wheel-metadata-disagrees",
            "the metadata is not that of the file",
            where=file.file,
            why=f"it says {said}",
            hint="choose another version, or ask whoever keeps the index",
        )
    return found


def _decode(payload: bytes, file: IndexFile) -> CoreMetadata | None:
    """Return what `MetadataReader._remember` stored; raises InputError for a remembered ``metadata-not-static``."""
    try:
        value = json.loads(payload)
        if isinstance(value, str):
            raise not_static(file.file, value)
        name, version, requires, python, extras = value
        return CoreMetadata(name, version, tuple(requires), python, tuple(extras))
    except (ValueError, TypeError):
        return None
