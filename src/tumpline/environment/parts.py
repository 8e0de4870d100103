"""Writing and reading one part of an image: plain, with zlib, or through the program zstd.

zstd is used through its program, since the standard library has none before Python 3.14.
"""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from tumpline.environment.compression import Compression
from tumpline.environment.create import says_disk_is_full
from tumpline.environment.tarstream import damaged
from tumpline.errors import EnvironmentFailure
from tumpline.host.reading import patience

__all__ = ["PIECE", "PartSource", "Sink", "digest_of", "open_part", "sink"]

PIECE = 2**20
"""Bytes that are read or written at once."""

_GZIP_LEVEL = 1
_ZSTD_LEVEL = 3
"""For both, a higher level takes several times as long for a file that is a tenth smaller (measured)."""

_GZIP = 31
"""What zlib calls a gzip member with the largest window."""


class Sink(Protocol):
    """What one part is written to. Raises OSError where the disk refuses, EnvironmentFailure ``zstd-failed``."""

    def write(self, piece: bytes | memoryview) -> None:
        """Write more of the part."""
        ...

    def close(self) -> None:
        """Finish the part."""
        ...


@contextmanager
def sink(compression: Compression, path: str, zstd: str) -> Iterator[Sink]:
    """Open a new file for one part; `zstd` is the program, where that is used. OSError where the disk refuses."""
    with open(path, "xb", buffering=0) as stream:  # noqa: PTH123 - a path is text in workers
        match compression:
            case "none":
                yield _Plain(stream)
            case "gzip":
                yield _Gzip(stream)
            case "zstd":
                found = _Zstd(stream, zstd)
                try:
                    yield found
                finally:
                    found.end()


class _Plain:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._waiting = bytearray()

    def write(self, piece: bytes | memoryview) -> None:
        if len(piece) >= PIECE:
            self.close()
            _write_all(self._stream.fileno(), piece)
            return
        self._waiting += piece
        if len(self._waiting) >= PIECE:
            self.close()

    def close(self) -> None:
        _write_all(self._stream.fileno(), self._waiting)
        self._waiting = bytearray()


class _Gzip:
    def __init__(self, stream: IO[bytes]) -> None:
        self._plain = _Plain(stream)
        # A member made this way has no time and no name in it.
        self._compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP)

    def write(self, piece: bytes | memoryview) -> None:
        self._plain.write(self._compressor.compress(piece))

    def close(self) -> None:
        self._plain.write(self._compressor.flush())
        self._plain.close()


class _Zstd:
    def __init__(self, stream: IO[bytes], program: str) -> None:
        # One thread: the same bytes whatever the number of CPUs is.
        command = [program, "-q", "-c", "--single-thread", f"-{_ZSTD_LEVEL}"]
        self._process = _start(command, stdin=subprocess.PIPE, stdout=stream.fileno())
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        self._pipe = _Plain(self._process.stdin)
        _widen(self._process.stdin.fileno())

    def write(self, piece: bytes | memoryview) -> None:
        try:
            self._pipe.write(piece)
        except BrokenPipeError:
            self._finish()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._pipe.close()
        self._finish()

    def _finish(self) -> None:
        """Let the program end, and raise what it complains of."""
        assert self._process.stdin is not None and self._process.stderr is not None  # noqa: S101, PT018 - as above
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        said = self._process.stderr.read().decode("utf-8", "replace")
        if self._process.wait() != 0:
            if says_disk_is_full(said):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise _zstd_failed(said)

    def end(self) -> None:
        _end(self._process)


class PartSource:
    """The unpacked bytes of one part; see `tumpline.environment.tarstream.Source`."""

    def __init__(self, read: _Read, length: int, where: str) -> None:
        self._read = read
        self._where = where
        self._piece = memoryview(b"")
        self._unread = length

    def ended(self) -> bool:
        """Return whether everything was taken."""
        return not self._piece and not self._unread

    def take(self, count: int) -> bytes | memoryview:
        """Return the next `count` bytes, which are few; raises InputError ``image-damaged`` where there are fewer."""
        if count <= len(self._piece):
            found, self._piece = self._piece[:count], self._piece[count:]
            return found
        pieces = list(self.pieces(count))
        return b"".join(pieces)

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield the next `count` bytes as they come."""
        while count:
            if not self._piece:
                self._fill()
            found, self._piece = self._piece[:count], self._piece[count:]
            count -= len(found)
            yield found

    def _fill(self) -> None:
        piece = self._read(min(PIECE, self._unread)) if self._unread else b""
        if not piece:
            raise damaged(self._where, "a part of it ends too early")
        self._unread -= len(piece)
        self._piece = memoryview(piece)


class _Read(Protocol):
    def __call__(self, count: int, /) -> bytes: ...


@contextmanager
def open_part(
    compression: Compression, image: IO[bytes], offset: int, stored: int, unpacked: int, zstd: str
) -> Iterator[PartSource]:
    """Open a part of the image, an unbuffered file, for reading; nothing more than `unpacked` bytes ever comes."""
    where = Path(image.name).name
    if compression != "zstd":
        read = _plain_reader(image.fileno(), offset, stored)
        yield PartSource(read if compression == "none" else _gzip_reader(read, where), unpacked, where)
        return
    # The program reads on behind the part, in its own time, until it is ended. What it unpacks then is not taken.
    os.lseek(image.fileno(), offset, os.SEEK_SET)
    process = _start([zstd, "-q", "-d", "-c"], stdin=image.fileno(), stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        output = process.stdout.fileno()
        _widen(output)
        yield PartSource(lambda count: os.read(output, count), unpacked, where)
    finally:
        _end(process)


def digest_of(stream: IO[bytes], offset: int, count: int) -> str:
    """Return the sha256 of so many bytes of an open file, or of fewer where it ends before."""
    digest = hashlib.sha256()
    read = _plain_reader(stream.fileno(), offset, count)
    while piece := read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _plain_reader(descriptor: int, offset: int, count: int) -> _Read:
    end = offset + count

    def read(most: int, /) -> bytes:
        nonlocal offset
        piece = patience.retry(lambda: os.pread(descriptor, min(most, end - offset), offset))
        offset += len(piece)
        return piece

    return read


def _gzip_reader(stored: _Read, where: str) -> _Read:
    decompressor = zlib.decompressobj(_GZIP)

    def read(most: int, /) -> bytes:
        try:
            while not decompressor.eof:
                piece = decompressor.unconsumed_tail or stored(PIECE // 4)
                found = decompressor.decompress(piece, most)
                if found or not piece:
                    return found
        except zlib.error as error:
            raise damaged(where, str(error)) from error
        return b""

    return read


def _start(command: list[str], *, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    except OSError as error:
        raise _zstd_failed(error.strerror or str(error)) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


def _widen(pipe: int) -> None:
    """Let a pipe hold a whole piece, where the system can: the two processes then change places less often."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIECE)


def _write_all(descriptor: int, piece: bytes | bytearray | memoryview) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _zstd_failed(said: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "zstd-failed",
        "the program zstd failed",
        why=said.strip()[-1000:],
        hint="run zstd --version to see whether it works; or pack with a name that ends in .tar.gz or .tar",
    )
