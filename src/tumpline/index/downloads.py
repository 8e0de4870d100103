"""Whole files: fetched once, checked, and kept by their hash for every project and every process."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.access import Access
from tumpline.index.model import IndexFile
from tumpline.index.pages import safe_file_name
from tumpline.index.parts import Part, Progress, sweep
from tumpline.index.settings import is_local, path_of, shown

if TYPE_CHECKING:
    from tumpline.index.transport import Answer

__all__ = ["FileStore", "Progress", "identity"]

_LARGEST_FILE = 16 << 30
_PIECE = 1 << 20


class FileStore:
    """The folder of whole files: ``<2 digits>/<sha256>/<file name>``.

    What was received of a file whose hash is known stays in ``partial`` when the connection breaks or the process
    is killed, and whoever fetches the file next goes on from there.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._folder = access.files
        self._swept = False

    def cached(self, sha256: str, file: str) -> Path | None:
        """Return where the file of that hash and name is kept, or None."""
        if not sha256 or not safe_file_name(file):
            return None
        path = self._folder / sha256[:2] / sha256 / file
        return path if self._access.use.has(path) else None

    def drop_damaged(self, sha256: str, file: str) -> bool:
        """Remove the file of that hash and name that is kept unless it has that hash; whether it was removed.

        Nothing is raised: one that can not be read or removed stays.
        """
        path = self.cached(sha256, file)
        try:
            if path is None or _digest_of(path) == sha256:
                return False
            path.unlink()
        except OSError:
            return False
        return True

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
            part.close()

    def keep(self, file: IndexFile, answer: Answer) -> Path:
        """Store a whole file from an answer that was asked for something less; raises as `download`."""
        part = self._new_part(file, None)
        try:
            return self._receive(file, answer, part)
        finally:
            part.close()

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

    def _new_part(self, file: IndexFile, progress: Progress | None) -> Part:
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
            sweep(folder)
        return Part(folder, file, progress)

    def _receive(self, file: IndexFile, answer: Answer, part: Part) -> Path:
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
                part.refuse()
                raise _wrong_size(file, f"more than {limit}")
        if file.size is not None and part.size != file.size:
            part.refuse()
            raise _wrong_size(file, str(part.size))
        digest = part.digest()
        if file.sha256 and digest != file.sha256:
            part.refuse()
            raise _wrong_hash(file)
        target = self._folder / digest[:2] / digest / file.file
        self._access.use.make_room(part.size)
        part.finish(target)
        if not file.sha256:
            self._remember_hash(file, digest)
        return target


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
