"""Where `installer` writes: into one environment, with few system calls, and never over a file that is there."""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from installer.destinations import WheelDestination
from installer.records import Hash, RecordEntry
from installer.scripts import Script
from installer.utils import Scheme, construct_record_file, get_launcher_kind

from tumpline.environment.layout import Layout, first_line
from tumpline.environment.reuse import Earlier
from tumpline.environment.wheelfile import MemberStream
from tumpline.errors import InputError
from tumpline.values import normalise

if TYPE_CHECKING:
    from installer.scripts import ScriptSection

__all__ = ["Destination"]

_PIECE = 2**20
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)


class Destination(WheelDestination):
    """One wheel's way into an environment.

    A file that is already there is left alone and noted in `overlaps` (absolute paths): two wheels may bring the same
    file, and which of them writes first is chance. Given `only`, nothing but these paths is written, and over what
    is there; that is how `tumpline.environment.install` lets the right wheel win. `files` and `size` (bytes) count
    what was written. Modes are those that pip gives: what is executable in the wheel is executable by all, everything
    else follows `umask`. Files that `earlier` has are taken from there.
    """

    def __init__(
        self,
        file: str,
        distribution: str,
        layout: Layout,
        umask: int,
        only: frozenset[str] | None = None,
        earlier: Earlier | None = None,
    ):
        self._file = file
        self._bases = {
            "purelib": layout.purelib,
            "platlib": layout.platlib,
            "scripts": layout.scripts,
            "headers": f"{layout.headers}/{normalise(distribution)}",
            "data": layout.root,
        }
        self._python = layout.python
        self._umask = umask
        self._only = only
        self._earlier = earlier
        self.overlaps: list[str] = []
        self.replaced: list[str] = []
        self.files = 0
        self.size = 0

    def write_file(
        self, scheme: Scheme, path: str | os.PathLike[str], stream: BinaryIO, is_executable: bool
    ) -> RecordEntry:
        """Write one file of the wheel, with the interpreter put into a script's ``#!python`` line."""
        relative = os.fspath(path)
        if self._skips(scheme, relative):
            return RecordEntry(relative, None, None)
        if self._earlier is not None and scheme != "scripts" and isinstance(stream, MemberStream):
            size = self._earlier.link(f"{self._bases[scheme]}/{relative}", stream, is_executable)
            if size is not None:
                self.files += 1
                self.size += size
                return stream.entry(relative, size)
        first = stream.read(_PIECE)
        rewritten = scheme == "scripts" and first.startswith(b"#!python")
        if rewritten:
            first = first_line(self._python) + first.partition(b"\n")[2]
        pieces = _pieces(first, stream)
        mode = 0o777 & ~self._umask | 0o111 if is_executable else None
        if rewritten or not isinstance(stream, MemberStream):
            return self._write_hashed(scheme, relative, pieces, mode)
        # The digest of an unchanged file is worked out while it is read; once is enough.
        self._write(scheme, relative, pieces, mode)
        return stream.entry(relative)

    def write_script(self, name: str, module: str, attr: str, section: ScriptSection) -> RecordEntry:
        """Write the script of an entry point."""
        path, content = Script(name, module, attr, section).generate(self._python, get_launcher_kind())
        if self._skips(Scheme("scripts"), path):
            return RecordEntry(path, None, None)
        return self._write_hashed(Scheme("scripts"), path, [content], 0o666 & ~self._umask | 0o555)

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        """Write RECORD, with paths relative to where the package is."""
        if self._only is not None:
            return

        def prefix(other: Scheme) -> str | None:
            start, end = self._bases[scheme], self._bases[other]
            return None if start == end else f"{posixpath.relpath(end, start)}/"

        with construct_record_file(records, prefix) as stream:
            self._write(scheme, record_file_path, [stream.read()], None)

    def _skips(self, scheme: Scheme, path: str) -> bool:
        return self._only is not None and f"{self._bases[scheme]}/{path}" not in self._only

    def _write_hashed(self, scheme: Scheme, path: str, pieces: Iterable[bytes], mode: int | None) -> RecordEntry:
        digest = hashlib.sha256()

        def hashed() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        size = self._write(scheme, path, hashed(), mode)
        return RecordEntry(path, Hash("sha256", base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()), size)

    def _write(self, scheme: Scheme, path: str, pieces: Iterable[bytes], mode: int | None) -> int:
        """Write a file, unless it is there already, and return its size; `pieces` are taken to their end either way."""
        size = 0
        descriptor = self._open(f"{self._bases[scheme]}/{path}")
        if descriptor is None:
            return sum(len(piece) for piece in pieces)
        try:
            for piece in pieces:
                size += len(piece)
                _write_all(descriptor, piece)
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
        self.files += 1
        self.size += size
        return size

    def _open(self, target: str) -> int | None:
        """Create a file and return its descriptor; None where there is one already."""
        try:
            if self._only is not None:
                self.replaced.append(target)
                os.unlink(target)  # noqa: PTH108 - paths are text here, since there are thousands of them
            try:
                return os.open(target, _NEW, 0o666)
            except FileNotFoundError:
                os.makedirs(posixpath.dirname(target), exist_ok=True)  # noqa: PTH103 - see above
                return os.open(target, _NEW, 0o666)
        except FileExistsError:
            self.overlaps.append(target)
            return None
        except (NotADirectoryError, IsADirectoryError) as error:
            raise InputError.of(
                "wheels-collide",
                "two packages can not be installed side by side",
                where=self._file,
                why=f"{target} is a folder in one of them and a file in the other",
                hint="remove one of the packages from the project, or tell their authors",
            ) from error


def _pieces(first: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the rest of a stream to its end: it is the last, empty read that checks the file."""
    piece = first
    while piece:
        yield piece
        piece = stream.read(_PIECE)


def _write_all(descriptor: int, piece: bytes) -> None:
    written = os.write(descriptor, piece)
    while written < len(piece):
        piece = piece[written:]
        written = os.write(descriptor, piece)
