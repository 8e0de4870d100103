"""A wheel as `installer` reads it, checked: refused before anything is written, and each file against RECORD while it
is.

`installer` knows how a wheel is laid out in an environment; this module decides what of it may be believed.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from installer.records import Hash, RecordEntry
from installer.sources import WheelContentElement, WheelSource
from installer.utils import SCHEME_NAMES, parse_entrypoints, parse_metadata_file

from tumpline.environment.rows import Row, read_rows
from tumpline.environment.safety import check_entries, refuse
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.reading import open_patiently
from tumpline.wheels import WheelName, parse_wheel_name
from tumpline.wheels.tail import DistInfo, read_dist_info

__all__ = ["CheckedWheel", "MemberStream", "open_wheel"]

_PIECE = 2**20
_ENTRY_POINTS_LIMIT = 2**22

_GENERATED = ("INSTALLER", "REQUESTED", "direct_url.json")
"""They say how a package was installed, which only who installs it can know: a wheel's own are left out."""


class MemberStream(io.RawIOBase):
    """One file of a wheel while it is read: hashed on the way, and held against its row of RECORD at its end.

    The read that finds the end raises InputError ``bad-record`` unless size and digest are right, so whoever reads
    until nothing comes has checked the file. `entry` is its row of the installed RECORD.
    """

    def __init__(self, file: str, path: str, stream: BinaryIO, row: Row) -> None:
        self._file = file
        self._path = path
        self._stream = stream
        self._row = row
        self._hash = hashlib.new(row.algorithm)
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return at most 1 MiB more, and no more than `size`; nothing at the end."""
        try:
            piece = self._stream.read(_PIECE if size < 0 else min(size, _PIECE))
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise _damaged(self._file, f"{self._path!a}: {error}") from error
        except OSError as error:
            raise _unreadable(self._file, error) from error
        if piece or size == 0:
            self._hash.update(piece)
            self._size += len(piece)
            return piece
        digest = base64.urlsafe_b64encode(self._hash.digest()).rstrip(b"=").decode()
        if digest != self._row.digest or self._row.size not in (None, self._size):
            raise InputError.of(
                "bad-record",
                "the wheel and its RECORD disagree",
                where=self._file,
                why=f"{self._path!a} does not have the digest that RECORD states",
                hint="get the wheel again from where it was built; if it is the same there, tell whoever provides it",
            )
        return b""

    def is_same(self, descriptor: int, size: int) -> bool:
        """Whether an open file of `size` bytes is this one, by its row of RECORD.

        Raises OSError where the file can not be read.
        """
        if self._row.size not in (None, size):
            return False
        digest = hashlib.new(self._row.algorithm)
        while piece := os.read(descriptor, _PIECE):
            digest.update(piece)
        return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == self._row.digest

    def entry(self, path: str, size: int | None = None) -> RecordEntry:
        """Return the row for the installed RECORD, where the file is called `path`; right once the end was read.

        `size` is that of a file that was found to be the same, and stands for reading this one.
        """
        return RecordEntry(path, Hash(self._row.algorithm, self._row.digest), self._size if size is None else size)


class CheckedWheel(WheelSource):
    """A wheel whose directory, RECORD, WHEEL and entry points were found to be in order.

    `scripts` are the commands that its entry points name.
    """

    def __init__(self, name: WheelName, size: int, archive: zipfile.ZipFile, info: DistInfo) -> None:
        project, _, version = info.folder.removesuffix(".dist-info").rpartition("-")
        super().__init__(project, version)
        self._file = name.file
        self._archive = archive
        self._folder = info.folder
        self._entries = archive.infolist()
        check_entries(name.file, size, self._entries)
        files = {entry.filename: entry.file_size for entry in self._entries if not entry.filename.endswith("/")}
        self._rows = read_rows(name.file, info.folder, info.record, files)
        self._data = _data_folder(name.file, f"{project}-{version}.data", files)
        self._check_wheel_version(info.wheel)
        self.scripts = self._entry_point_scripts()

    @property
    def dist_info_dir(self) -> str:
        """The dist-info folder."""
        return self._folder

    @property
    def data_dir(self) -> str:
        """The data folder; as pip does, the one there is, however its name is spelled."""
        return self._data

    @property
    def dist_info_filenames(self) -> list[str]:
        """The files of the dist-info folder, relative to it."""
        start = f"{self._folder}/"
        return [
            entry.filename.removeprefix(start)
            for entry in self._entries
            if entry.filename.startswith(start) and not entry.filename.endswith("/")
        ]

    def read_dist_info(self, filename: str) -> str:
        """Return a file of the dist-info folder, checked against RECORD; at most 4 MiB."""
        path = f"{self._folder}/{filename}"
        entry = self._archive.getinfo(path)
        if entry.file_size > _ENTRY_POINTS_LIMIT:
            raise _damaged(self._file, f"{filename} has {entry.file_size} bytes")
        try:
            with self._opened(entry) as stream:
                return b"".join(iter(lambda: stream.read(), b"")).decode()
        except UnicodeDecodeError as error:
            raise _damaged(self._file, f"{filename} is not UTF-8") from error

    def get_contents(self) -> Iterator[WheelContentElement]:
        """Yield what is to be installed: ((path, digest, size), stream, whether it is executable).

        Left out are bytecode, which nothing can hold against its source, what a wheel says of its own installation,
        and scripts that an entry point of the same name replaces (as in pip).
        """
        for entry in self._entries:
            path = entry.filename
            if path.endswith("/") or self._is_left_out(path):
                continue
            if path not in self._rows:
                continue  # RECORD, which is written anew, and its signatures, which no longer hold then
            mode = entry.external_attr >> 16
            with self._opened(entry) as stream:
                yield (path, "", ""), cast(BinaryIO, stream), stat.S_ISREG(mode) and bool(mode & 0o111)

    @contextmanager
    def _opened(self, entry: zipfile.ZipInfo) -> Iterator[MemberStream]:
        try:
            stream = self._archive.open(entry)
        except zipfile.BadZipFile as error:
            raise _damaged(self._file, f"{entry.filename!a}: {error}") from error
        with stream:
            yield MemberStream(self._file, entry.filename, cast(BinaryIO, stream), self._rows[entry.filename])

    def _is_left_out(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        if "__pycache__" in folder.split("/"):
            return True
        if folder == self._folder:
            return name in _GENERATED
        return folder == f"{self._data}/scripts" and name in self.scripts

    def _check_wheel_version(self, content: bytes) -> None:
        version = str(parse_metadata_file(content.decode("utf-8", "replace"))["Wheel-Version"])
        if not version.startswith("1."):
            raise InputError.of(
                "wheel-too-new",
                f"the wheel has format version {version[:20]!r}, which is not known",
                where=self._file,
                hint="install a newer tumpline, or ask for another build of the package",
            )

    def _entry_point_scripts(self) -> frozenset[str]:
        if "entry_points.txt" not in self.dist_info_filenames:
            return frozenset()
        try:
            points = list(parse_entrypoints(self.read_dist_info("entry_points.txt")))
        except (configparser.Error, AssertionError, ValueError) as error:
            # `installer` asserts what it expects of an entry point.
            raise _damaged(self._file, "entry_points.txt names a script that can not be made") from error
        for name, *_ in points:
            if "/" in name or "\\" in name or name in ("", ".", "..") or not name.isprintable():
                raise refuse(self._file, f"an entry point is called {name!a}")
        return frozenset(name for name, *_ in points)


@contextmanager
def open_wheel(path: Path, *, sha256: str = "", record: str = "") -> Iterator[CheckedWheel]:
    """Open a wheel, check it against the lock and in itself, and close it at the end.

    `sha256` is the digest that the file must have, `record` the one that its RECORD must have; both in hexadecimal,
    and an empty one is not checked. Raises InputError ``wrong-hash``, ``wrong-record``, ``unsafe-wheel``,
    ``bad-record``, ``wheel-too-new``, ``damaged-wheel``, ``truncated-wheel``, ``not-a-wheel``, ``oversized-wheel``,
    ``wheel-metadata-disagrees``, ``not-a-wheel-name``, and EnvironmentFailure ``unreadable-wheel``.
    """
    name = parse_wheel_name(path.name)
    with ExitStack() as stack:
        try:
            wheel = _checked(name, stack.enter_context(open_patiently(path)), stack, sha256, record)
        except zipfile.BadZipFile as error:
            # `zipfile` says the same where the end of the file can not be read.
            if isinstance(error.__context__, OSError):
                raise _unreadable(name.file, error.__context__) from error
            raise _damaged(name.file, str(error)) from error
        except OSError as error:
            raise _unreadable(name.file, error) from error
        yield wheel


def _checked(name: WheelName, stream: BinaryIO, stack: ExitStack, sha256: str, record: str) -> CheckedWheel:
    status = os.fstat(stream.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise _damaged(name.file, "it is not a regular file")

    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length)

    if sha256 and (found := _digest_of(stream)) != sha256:
        raise _not_as_locked("wrong-hash", name.file, "file", sha256, found)
    # Reads strictly, and refuses a directory too large to be listed before anything lists it.
    info = read_dist_info(read, status.st_size, name)
    if record and (found := hashlib.sha256(info.record).hexdigest()) != record:
        raise _not_as_locked("wrong-record", name.file, "RECORD", record, found)
    return CheckedWheel(name, status.st_size, stack.enter_context(zipfile.ZipFile(stream)), info)


def _digest_of(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _unreadable(file: str, error: OSError) -> EnvironmentFailure:
    """Return the error for a wheel that the operating system does not give."""
    return EnvironmentFailure.of(
        "unreadable-wheel",
        "the wheel can not be read",
        where=file,
        why=error.strerror or str(error),
        hint="check the permissions of the file and the state of the file system, then try again",
    )


def _data_folder(file: str, default: str, paths: dict[str, int]) -> str:
    folders = {top for path in paths if (top := path.partition("/")[0]).endswith(".data") and top != path}
    if len(folders) > 1:
        raise refuse(file, "it has several data folders")
    folder = folders.pop() if folders else default
    for path in paths:
        top, _, rest = path.partition("/")
        scheme, slash, _ = rest.partition("/")
        if top == folder and (not slash or scheme not in SCHEME_NAMES):
            raise refuse(file, f"{path!a} has no place in an environment")
    return folder


def _damaged(file: str, why: str) -> InputError:
    return InputError.of(
        "damaged-wheel", "the wheel is damaged", where=file, why=why, hint="copy or download the file again"
    )


def _not_as_locked(code: str, file: str, what: str, wanted: str, found: str) -> InputError:
    return InputError.of(
        code,
        f"the wheel's {what} is not the one that was locked",
        where=file,
        why=f"sha256 {found}, locked is {wanted}",
        hint="it was damaged, or changed after the lock was made: get it again (tumpline stage, if it is of a stage); "
        "if the change is right, lock again: tumpline lock",
    )
