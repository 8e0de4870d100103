"""The process that unpacks parts of images into an environment that nobody uses yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from io import FileIO

from tumpline.environment.compression import Compression
from tumpline.environment.inventory import is_claimed
from tumpline.environment.parts import PartSource, digest_of, open_part
from tumpline.environment.serving import work
from tumpline.environment.storage import image_unreadable, storage_failure
from tumpline.environment.tarstream import MTIME, Member, damaged, members, padding, unsafe
from tumpline.host.reading import patience

__all__ = ["UnpackJob", "Unpacked", "check_part", "main", "unpack_part"]

_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_TIMES = (MTIME * 10**9,) * 2


@dataclass(frozen=True, slots=True)
class UnpackJob:
    """A part to unpack: `stored` bytes at `offset` of the image, which have that sha256 and become `unpacked` bytes."""

    image: str
    root: str
    compression: Compression
    zstd: str
    offset: int
    stored: int
    sha256: str
    unpacked: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was written: files and their bytes."""

    files: int
    size: int


def unpack_part(job: UnpackJob) -> Unpacked:
    """Check a part and write its files; nothing of it is unpacked before its digest is known to be right.

    Raises InputError ``image-damaged``, ``image-unsafe``; EnvironmentFailure ``disk-full``, ``cannot-write``,
    ``image-unreadable``, ``zstd-failed``. After a failure the environment must be thrown away.
    """
    files = size = 0
    with check_part(job) as source:
        for member in members(source, job.image):
            if member.kind == "link":
                raise unsafe(job.image, f"{member.path!a} is a link where none can be")
            if is_claimed(member.path):
                raise unsafe(job.image, f"{member.path!a} belongs to the environment itself")
            path = f"{job.root}/{member.path}"
            try:
                if member.kind == "folder":
                    os.makedirs(path, exist_ok=True)  # noqa: PTH103 - paths are text here, there are thousands of them
                    continue
                _write(path, member, source)
            except FileExistsError:
                raise unsafe(job.image, f"{member.path!a} is in it twice, or in another spelling") from None
            except (NotADirectoryError, IsADirectoryError):
                raise unsafe(job.image, f"{member.path!a} is both a file and a folder") from None
            except OSError as error:
                raise storage_failure(error, job.root) from error
            files += 1
            size += member.size
    return Unpacked(files, size)


@contextmanager
def check_part(job: UnpackJob) -> Iterator[PartSource]:
    """Open a part that has its digest; raises InputError ``image-damaged``, EnvironmentFailure ``image-unreadable``."""
    with ExitStack() as stack:
        try:
            image = stack.enter_context(patience.retry(partial(FileIO, job.image)))
            found = digest_of(image, job.offset, job.stored)
        except OSError as error:
            raise image_unreadable(error, job.image) from error
        if found != job.sha256:
            raise damaged(job.image, f"the {job.stored} bytes at {job.offset} have the sha256 {found}")
        yield stack.enter_context(open_part(job.compression, image, job.offset, job.stored, job.unpacked, job.zstd))


def main() -> None:
    """Unpack parts."""
    work(lambda question: asdict(unpack_part(UnpackJob(**question))))


def _write(path: str, member: Member, source: PartSource) -> None:
    mode = 0o777 if member.executable else 0o666
    try:
        descriptor = os.open(path, _NEW, mode)
    except FileNotFoundError:
        os.makedirs(path.rpartition("/")[0], exist_ok=True)  # noqa: PTH103 - as above
        descriptor = os.open(path, _NEW, mode)
    try:
        for piece in source.pieces(member.size):
            while piece:
                piece = piece[os.write(descriptor, piece) :]
        if path.endswith(".py"):
            # The time that its bytecode states. Everything else is as new as it is.
            os.utime(descriptor, ns=_TIMES)
    finally:
        os.close(descriptor)
    source.take(padding(member.size))
