"""Packing an environment into an image."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tumpline.environment.compression import SUFFIXES, Compression, frame, no_zstd
from tumpline.environment.crew import Crew, Task, usual_jobs
from tumpline.environment.generations import Generation, leftovers, remove
from tumpline.environment.image import Head, Part, compression_of, encode_head, room_for
from tumpline.environment.pack_content import Content, content_of
from tumpline.environment.pack_worker import PartJob, PartResult, Writer
from tumpline.environment.parts import PIECE, sink
from tumpline.environment.record import EnvironmentRecord, record_document
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.serving import error_of
from tumpline.environment.storage import image_failure
from tumpline.environment.tarstream import END, Member
from tumpline.environment.whereabouts import spellings
from tumpline.errors import EnvironmentFailure, InputError, TumplineError

__all__ = ["PackReport", "PackSettings", "pack"]


@dataclass(frozen=True, slots=True)
class PackSettings:
    """How to pack. `output` is the image's file, or the folder for one that is named by its content; `jobs` the number
    of worker processes, None for the usual one; `compile` puts bytecode into the image."""

    output: Path
    compile: bool = True
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class PackReport:
    """An image that was made. `stored` is its size in bytes. `holding` are files that hold the path of the environment
    and are not changed when the image is unpacked elsewhere."""

    path: Path
    head: Head
    stored: int
    holding: tuple[str, ...]


def pack(
    folder: Path,
    record: EnvironmentRecord,
    settings: PackSettings,
    *,
    environ: Mapping[str, str],
    reporter: SyncReporter | None = None,
) -> PackReport:
    """Write the environment in `folder`, which has that record, as one file; all of it, or nothing.

    The same environment makes the same bytes, wherever it is and whoever made it, as long as the same zstd compresses.
    The file appears in one step. Raises InputError ``cannot-pack``, ``which-image-format``; EnvironmentFailure
    ``no-zstd``, ``zstd-failed``, ``bytecode-failed``, ``disk-full``, ``cannot-write``, ``cannot-read``,
    ``environment-changing``, ``worker-died``.
    """
    root = str(folder)
    record = record._replace(compiled=settings.compile)
    reporter = reporter or Quiet()
    named = not settings.output.is_dir()
    zstd = shutil.which("zstd", path=environ.get("PATH", os.defpath)) or ""
    compression = _compression(settings.output, zstd, named=named)
    place = settings.output if named else settings.output / f"{record.target}.image"
    place = Path(os.path.abspath(place))  # noqa: PTH100 - a link is replaced, not followed
    size = max(1, settings.jobs or usual_jobs())
    try:
        # The workers start while this process looks at what there is.
        with Crew(size, environ, "tumpline.environment.pack_worker") as crew:
            content = content_of(root)
            reporter.start("pack", 0, sum(size for _, size in content.groups))
            remove(leftovers(place))
            with _workshop(place, record.key) as workshop:
                names = spellings(root)
                python = f"{root}/bin/python" if settings.compile else ""
                jobs = [
                    PartJob(
                        root=root,
                        paths=tuple(paths),
                        output=f"{workshop}/{number}",
                        compression=compression,
                        zstd=zstd,
                        python=python,
                        packages=content.packages,
                        needles=names,
                    )
                    for number, (paths, _) in enumerate(content.groups)
                ]
                drawing = _Drawing(workshop / "image", record, compression, zstd, settings.compile)
                return _write(drawing, (place, named), jobs, content, crew, reporter)
    finally:
        reporter.finish()


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What is known of an image before there is anything in it, and the file in which it comes into being."""

    path: Path
    record: EnvironmentRecord
    compression: Compression
    zstd: str
    bytecode: bool

    def head(self, results: Sequence[PartResult]) -> Head:
        parts = tuple(Part(result.stored, result.sha256, result.unpacked) for result in results)
        content = json.dumps([record_document(self.record), [part.sha256 for part in parts]], sort_keys=True)
        return Head(
            record=self.record,
            system=sys.platform,
            machine=platform.machine(),
            compression=self.compression,
            bytecode=self.bytecode,
            files=sum(result.files for result in results),
            size=sum(result.size for result in results),
            content=hashlib.sha256(content.encode()).hexdigest(),
            parts=parts,
        )


def _write(
    drawing: _Drawing,
    goal: tuple[Path, bool],
    jobs: list[PartJob],
    content: Content,
    crew: Crew,
    reporter: SyncReporter,
) -> PackReport:
    """Have the parts made, put them together in their order, and put the image into its place."""
    place, named = goal
    length = room_for(drawing.head(()), len(jobs) + 1)
    try:
        with drawing.path.open("xb") as stream:
            stream.write(encode_head(drawing.head(()), length))
            joiner = _Joiner(stream.fileno(), stream.tell(), [job.output for job in jobs])

            def done(number: int, result: PartResult) -> None:
                joiner.add(number)
                reporter.advance(content.groups[number][1])

            stream.flush()
            tasks = [Task(json.dumps(asdict(job)).encode() + b"\n", str(job.root)) for job in jobs]
            results = [*crew.ask(tasks, _read, done), _make_fittings(drawing, content.fittings, joiner)]
            stream.seek(joiner.place)
            stream.write(frame(drawing.compression, END))
            stored = stream.tell()
            head = drawing.head(results)
            stream.seek(0)
            stream.write(encode_head(head, length))
        if not named:
            place = place.with_name(f"{head.record.target}-{head.content[:12]}{SUFFIXES[head.compression][0]}")
        drawing.path.replace(place)
    except OSError as error:
        raise image_failure(error, place) from error
    holding = tuple(sorted(path for result in results for path in result.holding))
    return PackReport(place, head, stored, holding)


class _Joiner:
    """Puts the finished parts one behind the other, in their order, as soon as all before are there."""

    def __init__(self, image: int, place: int, paths: list[str]) -> None:
        self._image = image
        self._paths = paths
        self._ready: set[int] = set()
        self._next = 0
        self._guard = threading.Lock()
        self.place = place

    def add(self, number: int) -> None:
        with self._guard:
            self._ready.add(number)
            while self._next in self._ready:
                try:
                    self.append(self._paths[self._next])
                except OSError as error:
                    raise image_failure(error, self._paths[self._next]) from error
                self._next += 1

    def append(self, path: str) -> None:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a path is text in workers
            while copied := _copy(stream.fileno(), self._image, self.place):
                self.place += copied
        os.unlink(path)  # noqa: PTH108 - as above


def _copy(source: int, target: int, place: int) -> int:
    """Copy more of a file to a place in another, inside the file system where it can do that."""
    if hasattr(os, "copy_file_range"):
        with suppress(OSError):
            return os.copy_file_range(source, target, 16 * PIECE, offset_dst=place)
    piece = os.read(source, PIECE)
    rest = memoryview(piece)
    while rest:
        written = os.pwrite(target, rest, place)
        rest, place = rest[written:], place + written
    return len(piece)


def _make_fittings(drawing: _Drawing, fittings: Mapping[str, tuple[Member, bytes]], joiner: _Joiner) -> PartResult:
    path = f"{drawing.path.parent}/fittings"
    with sink(drawing.compression, path, drawing.zstd) as target:
        writer = Writer(target)
        for member, content in fittings.values():
            writer.add(member, content)
        target.close()
    stored = Path(path).read_bytes()
    joiner.append(path)
    sha256 = hashlib.sha256(stored).hexdigest()
    return PartResult(len(stored), sha256, writer.unpacked, writer.files, writer.size)


def _compression(output: Path, zstd: str, *, named: bool) -> Compression:
    found = compression_of(output) if named else ("zstd" if zstd else "gzip")
    if found is None:
        raise InputError.of(
            "which-image-format",
            "the name does not say how the image is to be compressed",
            where=str(output),
            hint="let it end in .tar.zst, .tar.gz or .tar; or give a folder",
        )
    if found == "zstd" and not zstd:
        raise no_zstd(str(output), "write")
    return found


@contextmanager
def _workshop(place: Path, key: str) -> Iterator[Path]:
    """Make a folder beside the image for what is not finished; it goes away, also after its maker died."""
    with ExitStack() as stack:
        try:
            generation = stack.enter_context(Generation(place, key))
        except EnvironmentFailure as error:
            cause = error.__cause__
            raise image_failure(cause if isinstance(cause, OSError) else OSError(str(error)), place.parent) from error
        yield generation.folder


def _read(line: bytes) -> PartResult | TumplineError:
    answer = json.loads(line)
    error = error_of(answer)
    return error if error is not None else PartResult(**{**answer, "holding": tuple(answer["holding"])})
