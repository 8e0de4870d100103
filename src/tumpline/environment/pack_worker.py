"""The process that makes parts of images: it reads files, has bytecode made for them, and writes a part.

Bytecode is made by the environment's own Python, since its form differs from version to version, and always in the same
way: with the time that all files of an image have, and with paths relative to the environment. What lay in the
environment before depends on what was imported there.
"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from tumpline.environment.compression import Compression
from tumpline.environment.parts import PIECE, Sink, digest_of, sink
from tumpline.environment.serving import work
from tumpline.environment.storage import image_failure
from tumpline.environment.tarstream import MTIME, Member, header_of, padding
from tumpline.errors import EnvironmentFailure
from tumpline.host.reading import patience

__all__ = ["PartJob", "PartResult", "Writer", "main", "make_part"]

# Reads paths, one a line, and answers each with a length in four bytes and so many bytes of a ``.pyc``; none where the
# file is no Python of this version. The code is written anew after it was read again: what `marshal` writes depends on
# how often a value is used by others, and that is settled in this way.
_COMPILER = """
import marshal, struct, sys
from importlib.util import MAGIC_NUMBER
time, root = int(sys.argv[1]), sys.argv[2]
reader, writer = sys.stdin.buffer, sys.stdout.buffer
writer.write(sys.implementation.cache_tag.encode() + b"\\n")
writer.flush()
for line in reader:
    path = line[:-1].decode("utf-8", "surrogateescape")
    try:
        with open(root + "/" + path, "rb") as stream:
            source = stream.read()
        code = marshal.dumps(marshal.loads(marshal.dumps(compile(source, path, "exec", dont_inherit=True))))
        found = MAGIC_NUMBER + struct.pack("<III", 0, time, len(source) & 0xFFFFFFFF) + code
    except Exception:
        found = b""
    writer.write(struct.pack(">I", len(found)) + found)
    writer.flush()
"""


@dataclass(frozen=True, slots=True)
class PartJob:
    """A part to make, into the new file `output`, of what is at `paths`: files and empty folders, relative to `root`.

    `python` makes the bytecode of the files below `packages`; it is empty where there shall be none. `needles` are
    what no file ought to hold.
    """

    root: str
    paths: tuple[str, ...]
    output: str
    compression: Compression
    zstd: str
    python: str
    packages: tuple[str, ...]
    needles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartResult:
    """A part that was made: `stored` bytes with that sha256.

    `files` and `size` (bytes) are what it will be on a disk; `holding` are the files in which a needle was.
    """

    stored: int
    sha256: str
    unpacked: int
    files: int
    size: int
    holding: tuple[str, ...] = ()


class Writer:
    """Writes members to a sink, and counts."""

    def __init__(self, target: Sink) -> None:
        self._sink = target
        self.unpacked = 0
        self.files = 0
        self.size = 0

    def add(self, member: Member, content: bytes = b"") -> None:
        """Write a member whose content is at hand."""
        self.begin(member)
        self.write(content)
        self.end(member)

    def begin(self, member: Member) -> None:
        """Write the header of a member."""
        self.write(header_of(member))
        if member.kind != "folder":
            self.files += 1
            self.size += member.size

    def write(self, piece: bytes) -> None:
        """Write more of a member's content."""
        self._sink.write(piece)
        self.unpacked += len(piece)

    def end(self, member: Member) -> None:
        """Fill up what was written of a member."""
        if fill := padding(member.size):
            self.write(bytes(fill))


class _Compiler:
    """The environment's Python at the work of making bytecode."""

    def __init__(self, python: str, root: str) -> None:
        command = [python, "-I", "-S", "-W", "ignore", "-c", _COMPILER, str(MTIME), root]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - asked for
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self._tag = self._answers.readline().decode("ascii", "replace").strip()
        if not self._tag:
            raise self._failed("it does not start")

    def path_of(self, path: str) -> str:
        """Return where the bytecode of a file belongs."""
        folder, _, name = path.rpartition("/")
        return f"{folder}/__pycache__/{name.removesuffix('.py')}.{self._tag}.pyc"

    def compile(self, path: str) -> bytes:
        """Return the bytecode of a file, empty where it is no Python."""
        try:
            self._questions.write(path.encode("utf-8", "surrogateescape") + b"\n")
            self._questions.flush()
        except OSError:
            raise self._failed(f"it ended at {path!a}") from None
        size = self._answers.read(4)
        found = self._answers.read(struct.unpack(">I", size)[0]) if len(size) == 4 else b""
        if len(size) != 4 or len(found) != struct.unpack(">I", size)[0]:
            raise self._failed(f"it ended at {path!a}")
        return found

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            with suppress(OSError):
                pipe.close()

    def _failed(self, why: str) -> EnvironmentFailure:
        self.close()
        return EnvironmentFailure.of(
            "bytecode-failed",
            "the environment's Python can not make bytecode",
            where=str(self._process.args[0]) if isinstance(self._process.args, list) else "",
            why=why,
            hint="check it: tumpline verify; or pack without: tumpline pack --no-compile",
        )


_compilers: dict[tuple[str, str], _Compiler] = {}


def make_part(job: PartJob) -> PartResult:
    """Make a part.

    Raises EnvironmentFailure ``disk-full``, ``cannot-write``, ``cannot-read``, ``environment-changing``,
    ``bytecode-failed``, ``zstd-failed``.
    """
    compiler = None
    if job.python and any(_is_source(path, job.packages) for path in job.paths):
        key = (job.python, job.root)
        compiler = _compilers.get(key) or _compilers.setdefault(key, _Compiler(*key))
    try:
        with sink(job.compression, job.output, job.zstd) as target:
            writer = Writer(target)
            holding = [path for path in job.paths if _add(writer, job, path, compiler)]
            target.close()
        with open(job.output, "rb", buffering=0) as stream:  # noqa: PTH123 - a path is text in workers
            stored = os.fstat(stream.fileno()).st_size
            sha256 = digest_of(stream, 0, stored)
    except OSError as error:
        raise image_failure(error, job.output) from error
    return PartResult(stored, sha256, writer.unpacked, writer.files, writer.size, tuple(holding))


def main() -> None:
    """Make parts."""

    def answer(question: dict[str, Any]) -> dict[str, object]:
        lists = {name: tuple(question[name]) for name in ("paths", "packages", "needles")}
        return asdict(make_part(PartJob(**{**question, **lists})))

    work(answer)


def _add(writer: Writer, job: PartJob, path: str, compiler: _Compiler | None) -> bool:
    """Write a file, with its bytecode behind it; return whether a needle is in it."""
    full = f"{job.root}/{path}"
    try:
        descriptor = patience.retry(lambda: os.open(full, os.O_RDONLY))
    except OSError as error:
        raise _unreadable(full, error) from error
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            writer.add(Member(path, "folder"))
            return False
        needles = [needle.encode("utf-8", "surrogateescape") for needle in job.needles]
        member = Member(path, size=status.st_size, executable=bool(status.st_mode & 0o100))
        writer.begin(member)
        left, found = status.st_size, False
        while left:
            try:
                piece = patience.retry(partial(os.read, descriptor, min(left, PIECE)))
            except OSError as error:
                raise _unreadable(full, error) from error
            if not piece:
                raise _changing(full)
            found = found or any(needle in piece for needle in needles)
            left -= len(piece)
            writer.write(piece)
        writer.end(member)
    finally:
        os.close(descriptor)
    if compiler is not None and _is_source(path, job.packages) and (code := compiler.compile(path)):
        writer.add(Member(compiler.path_of(path), size=len(code)), code)
    return found


def _is_source(path: str, packages: tuple[str, ...]) -> bool:
    return path.endswith(".py") and "\n" not in path and any(path.startswith(f"{folder}/") for folder in packages)


def _unreadable(path: str, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-read",
        "a file of the environment can not be read",
        where=path,
        why=error.strerror or str(error),
        hint="see what is wrong with the environment: tumpline verify",
    )


def _changing(path: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "environment-changing",
        "a file of the environment became shorter while it was read",
        where=path,
        hint="pack when nothing writes to the environment",
    )
