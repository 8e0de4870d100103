"""Whole files: fetched once, checked, and kept by their hash for every project and every process."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.access import Access
from tumpline.index.model import IndexFile
from tumpline.index.pages import safe_file_name
from tumpline.index.settings import is_local, path_of, shown

if TYPE_CHECKING:
    from tumpline.index.transport import Answer

__all__ = ["FileStore", "Progress", "identity"]

Progress = Callable[[int], None]
"""Told how many bytes arrived since it was last told; a negative number takes back what has to be fetched again."""

_LARGEST_FILE = 16 << 30
_PIECE = 1 << 20
_ABANDONED = 86400.0
"""After how many seconds a half-fetched file counts as left behind by a process that was killed."""


class FileStore:
    """The part of the cache that holds whole files: ``files/<2 digits>/<sha256>/<file name>``."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._folder = access.cache.folder / "files"
        self._swept = False

    def cached(self, sha256: str, file: str) -> Path | None:
        """Return where the file of that hash and name is kept, or None."""
        if not sha256 or not safe_file_name(file):
            return None
        path = self._folder / sha256[:2] / sha256 / file
        return path if path.is_file() else None

    def download(self, file: IndexFile, progress: Progress | None = None, *, anew: bool = False) -> Path:
        """Return the path of the file's bytes, checked against its hash where it has one.

        A file of this machine is used where it is. `anew` fetches a file without hash again, although one was
        fetched from the same address before. Raises EnvironmentFailure ``wrong-hash`` (nothing is kept),
        ``file-gone-from-index``, ``offline-not-cached``, ``cannot-write``, and what `Transport.exchange` raises.
        """
        if is_local(file.url):
            return self._local(file)
        known = file.sha256 if anew else self.known_hash(file)
        if known and (found := self.cached(known, file.file)):
            return found
        if self._access.offline:
            raise self._access.not_cached(f"the file {file.file}", f"index {file.index}")
        part = self._new_part(file, progress)
        try:

            def receive(answer: Answer) -> Path:
                return self._receive(file, answer, part)

            return self._access.transport.exchange(file.url, receive, headers=part.headers)
        finally:
            part.discard()

    def keep(self, file: IndexFile, answer: Answer) -> Path:
        """Store a whole file from an answer that was asked for something less; raises as `download`."""
        part = self._new_part(file, None)
        try:
            return self._receive(file, answer, part)
        finally:
            part.discard()

    def with_hash(self, file: IndexFile) -> IndexFile:
        """Return the file with its sha256 and size filled in; fetches or reads it where the index gives no hash."""
        if file.sha256:
            return file
        digest = self.known_hash(file)
        if not digest:
            digest = _digest_of(self.download(file))
            self._remember_hash(file, digest)
        size = path_of(file.url).stat().st_size if is_local(file.url) else file.size
        return replace(file, sha256=digest, size=size)

    def known_hash(self, file: IndexFile) -> str:
        """Return the hash that the index states, or that an earlier reading of the same file found; else empty."""
        if file.sha256:
            return file.sha256
        entry = self._access.cache.read(f"hashes/{identity(file)}")
        return entry.head.decode("ascii", "replace") if entry is not None else ""

    def _remember_hash(self, file: IndexFile, digest: str) -> None:
        self._access.cache.write(f"hashes/{identity(file)}", digest.encode(), self._access.clock())

    def _local(self, file: IndexFile) -> Path:
        path = path_of(file.url)
        if not path.is_file():
            raise _gone(file)
        if file.sha256 and _digest_of(path) != file.sha256:
            raise _wrong_hash(file)
        return path

    def _new_part(self, file: IndexFile, progress: Progress | None) -> _Part:
        if not safe_file_name(file.file):
            raise InputError.of(
                "unsafe-file-name",
                f"the index offers a file named {file.file!r}",
                where=f"index {file.index}",
                hint="tell whoever keeps the index",
            )
        folder = self._folder / "partial"
        if not self._swept:
            self._swept = True
            _sweep(folder)
        return _Part(folder, file, progress)

    def _receive(self, file: IndexFile, answer: Answer, part: _Part) -> Path:
        from tumpline.index.transport import TryAgain, unexpected

        if answer.status in (404, 410):
            raise _gone(file)
        continued = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {part.size}-")
        if not continued and part.size:
            part.restart()
            if answer.status in (206, 416):
                # Not the rest that was asked for: the file changed, or ranges are not understood.
                raise TryAgain
        if answer.status != 200 and not continued:
            unexpected(answer)
        limit = file.size if file.size is not None else _LARGEST_FILE
        for chunk in answer.chunks(decode=False):
            part.write(chunk)
            if part.size > limit:
                raise _wrong_size(file, f"more than {limit}")
        if file.size is not None and part.size != file.size:
            raise _wrong_size(file, str(part.size))
        digest = part.digest()
        if file.sha256 and digest != file.sha256:
            raise _wrong_hash(file)
        target = self._folder / digest[:2] / digest / file.file
        part.finish(target)
        if not file.sha256:
            self._remember_hash(file, digest)
        return target


class _Part:
    """A file while it arrives, under a name of its own, so that processes fetching the same file do not meet."""

    def __init__(self, folder: Path, file: IndexFile, progress: Progress | None) -> None:
        self._progress = progress
        self._path = folder / f"{file.file[:100]}.{os.getpid()}-{os.urandom(4).hex()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self._path.open("xb")
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._hash = hashlib.sha256()
        self.size = 0

    def headers(self) -> Mapping[str, str]:
        """Return the request headers: after a broken connection, only for the bytes that are missing."""
        headers = {"Accept-Encoding": "identity"}
        if self.size:
            headers["Range"] = f"bytes={self.size}-"
        return headers

    def write(self, chunk: bytes) -> None:
        try:
            self._stream.write(chunk)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._hash.update(chunk)
        self._tell(len(chunk))

    def restart(self) -> None:
        self._stream.seek(0)
        self._stream.truncate()
        self._hash = hashlib.sha256()
        self._tell(-self.size)

    def digest(self) -> str:
        return self._hash.hexdigest()

    def finish(self, target: Path) -> None:
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            target.parent.mkdir(parents=True, exist_ok=True)
            self._path.replace(target)
        except OSError as error:
            raise _cannot_write(target, error) from error

    def discard(self) -> None:
        self._stream.close()
        self._path.unlink(missing_ok=True)

    def _tell(self, amount: int) -> None:
        self.size += amount
        if self._progress and amount:
            self._progress(amount)


def identity(file: IndexFile) -> str:
    """Return a name for the cache for a file without hash: its address and size and, on this machine, its time."""
    stamp = ""
    if is_local(file.url):
        try:
            stamp = str(path_of(file.url).stat().st_mtime_ns)
        except OSError:
            stamp = "gone"
    return hashlib.sha256(f"{file.url} {file.size} {stamp}".encode("utf-8", "surrogatepass")).hexdigest()


def _digest_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise EnvironmentFailure.of(
            "cannot-read",
            f"{path.name} cannot be read",
            where=str(path.parent),
            why=error.strerror or str(error),
            hint="check the permissions of the file and the state of the file system, then try again",
        ) from error
    return digest.hexdigest()


def _sweep(folder: Path) -> None:
    """Delete what killed processes left behind long ago."""
    try:
        for path in folder.iterdir():
            if time.time() - path.stat().st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)
    except OSError:
        return


def _gone(file: IndexFile) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "file-gone-from-index",
        f"{file.file} is no longer where index {file.index} says it is",
        where=shown(file.url),
        hint="run the command again with --refresh; if the file is gone for good, lock again",
    )


def _wrong_hash(file: IndexFile) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "wrong-hash",
        f"{file.file} does not have the expected sha256",
        where=shown(file.url),
        why="the file was changed, or was damaged on the way; it was not kept",
        hint="try again; if it happens again, ask whoever keeps the index before you trust the file",
    )


def _wrong_size(file: IndexFile, arrived: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "wrong-hash",
        f"{file.file} does not have the expected size",
        where=shown(file.url),
        why=f"index {file.index} says {file.size} bytes, {arrived} arrived; it was not kept",
        hint="try again; if it happens again, ask whoever keeps the index before you trust the file",
    )


def _cannot_write(path: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-write",
        f"cannot write {path.name}",
        where=str(path.parent),
        why=error.strerror or str(error),
        hint="check that the cache folder is writable and has space left, or set TUMPLINE_CACHE to another one",
    )
