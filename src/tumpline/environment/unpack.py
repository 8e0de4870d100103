"""Unpacking an image to a node's disk: an environment that works where it is now, all of it or nothing (R16)."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tumpline.environment.check import Surroundings, check_environment
from tumpline.environment.compression import no_zstd
from tumpline.environment.create import check_starts, create_environment
from tumpline.environment.crew import Crew, Task, usual_jobs
from tumpline.environment.generations import Generation, current_generation, leftovers, remove
from tumpline.environment.image import IMAGE_NAME, PLACEHOLDER, Head, Image, read_image
from tumpline.environment.inventory import is_claimed
from tumpline.environment.layout import layout_of
from tumpline.environment.record import read_record, write_record
from tumpline.environment.relocation import move_record, move_text
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.serving import error_of
from tumpline.environment.storage import disk_full, storage_failure
from tumpline.environment.tarstream import Member, damaged, members, padding, unsafe
from tumpline.environment.unpack_worker import Unpacked, UnpackJob, check_part
from tumpline.errors import EnvironmentFailure, InputError, NotSo, TumplineError
from tumpline.host.pythons import Interpreter, find_python

__all__ = ["UnpackReport", "unpack"]

_MOST_FITTINGS = 2**26
"""Bytes of the last part: scripts and settings, all of which are held in memory."""

_PLENTY, _RATIO = 2**30, 200
"""As for wheels: an image that would grow two hundredfold beyond 1 GiB is a bomb; real ones grow about fourfold."""

_QUOTES = re.compile("[\x00-\x1f\x7f\"'`$\\\\]")
"""What a path must not hold that is written into scripts and settings of many languages."""


@dataclass(frozen=True, slots=True)
class UnpackReport:
    """What was unpacked to where. `changed` is False where the very same environment was there already; `files` and
    `size` (bytes) are what was written. `python` is the version that it runs on."""

    place: Path
    head: Head
    changed: bool
    python: str
    files: int = 0
    size: int = 0


def unpack(
    path: Path,
    place: Path,
    *,
    environ: Mapping[str, str],
    here: Surroundings | None = None,
    jobs: int | None = None,
    reporter: SyncReporter | None = None,
    renew: bool = False,
) -> UnpackReport:
    """Unpack the image at `path` into a new environment at `place`, and return what was done.

    Where the very same environment is there already, nothing is done, unless `renew` asks for it: that is how one of
    which files were lost or changed is made right.

    Like a sync, it works beside what is there and takes its place in one step; what is there stays until then, and is
    all that is left after a failure. Several may do the same on one node at once: each builds its own, the first that
    is ready stays. Nothing of the image is believed before its digest was checked, and no name in it at all.

    Raises what `read_image`, `find_python`, `create_environment` and `unpack_part` raise; NotSo as `check_environment`
    says, but for modules; InputError ``wrong-machine``, ``bad-place``, ``not-our-environment``, ``image-damaged``,
    ``image-unsafe``; EnvironmentFailure ``no-zstd``, ``disk-full``, ``cannot-write``, ``no-symlinks``, ``worker-died``.
    """
    reporter = reporter or Quiet()
    place = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow the environment's own link
    image = read_image(path)
    head = image.head
    _check_place(place)
    interpreter = _check_here(head, here, environ)
    zstd = shutil.which("zstd", path=environ.get("PATH", os.defpath)) or ""
    if head.compression == "zstd" and not zstd:
        raise no_zstd(str(path), "read")
    _check_size(image)
    if not renew and _holds(place, head):
        return UnpackReport(place, head, changed=False, python=interpreter.version)
    left = leftovers(place)
    tasks = [
        UnpackJob(str(path), "", head.compression, zstd, offset, part.stored, part.sha256, part.unpacked)
        for offset, part in zip(image.offsets, head.parts, strict=True)
    ]
    reporter.start("unpack", 0, sum(part.stored for part in head.parts))
    try:
        with Generation(place, head.record.key) as generation:
            if not _has_room(generation.folder, head):
                remove(left)
            _check_room(generation.folder, head)
            done = _build(generation.folder, head, tasks, interpreter, environ, jobs, reporter)
            if not renew and _holds(place, head):
                return UnpackReport(place, head, changed=False, python=interpreter.version)
            generation.publish()
    finally:
        remove(left)
        reporter.finish()
    files, size = sum(each.files for each in done), sum(each.size for each in done)
    return UnpackReport(place, head, changed=True, python=interpreter.version, files=files, size=size)


def _build(
    folder: Path,
    head: Head,
    tasks: list[UnpackJob],
    interpreter: Interpreter,
    environ: Mapping[str, str],
    jobs: int | None,
    reporter: SyncReporter,
) -> list[Unpacked]:
    """Fill the folder of a new generation."""
    tasks = [replace(task, root=str(folder)) for task in tasks]
    layout = layout_of(folder, interpreter)
    questions = [Task(json.dumps(asdict(task)).encode() + b"\n", task.image) for task in tasks[:-1]]
    size = max(1, min(jobs or usual_jobs(), len(questions)))
    # virtualenv works beside the crew: what it writes is refused where an image brings it, so neither is in the way.
    with Crew(size, environ, "tumpline.environment.unpack_worker") as crew, ThreadPoolExecutor(1) as threads:
        creating = threads.submit(create_environment, folder, interpreter, head.record.target, environ)

        def finished(number: int, _: Unpacked) -> None:
            reporter.advance(tasks[number].stored)
            if creating.done():
                # Its failure ends the rest.
                creating.result()

        done = crew.ask(questions, _read, finished)
        creating.result()
    try:
        done.append(_put_fittings(folder, tasks[-1]))
        (folder / IMAGE_NAME).write_text(json.dumps({"content": head.content}) + "\n", encoding="utf-8")
    except OSError as error:
        raise storage_failure(error, folder) from error
    check_starts(layout, interpreter, environ)
    record = head.record._replace(interpreter=str(interpreter.path), python=interpreter.version)
    write_record(folder, record)
    return done


def _put_fittings(folder: Path, job: UnpackJob) -> Unpacked:
    """Write the last part: scripts and settings made right for the folder, and links inside of it."""
    if job.unpacked > _MOST_FITTINGS:
        raise unsafe(job.image, f"its last part would unpack to {job.unpacked} bytes")
    files: dict[str, tuple[Member, bytes]] = {}
    with check_part(job) as source:
        for member in members(source, job.image):
            content = bytes(source.take(member.size + padding(member.size)))[: member.size]
            if member.path in files:
                raise unsafe(job.image, f"{member.path!a} is in it twice, or in another spelling")
            if is_claimed(member.path):
                raise unsafe(job.image, f"{member.path!a} belongs to the environment itself")
            files[member.path] = (member, content)
    moved = {
        path: move_text(content, PLACEHOLDER, str(folder))
        for path, (member, content) in files.items()
        if member.kind == "file" and not path.endswith(".dist-info/RECORD")
    }
    for path, (_, content) in files.items():
        if path.endswith(".dist-info/RECORD"):
            try:
                moved[path] = move_record(content, path.rsplit("/", 2)[0], moved)
            except ValueError as error:
                raise damaged(job.image, f"{path!a}: {error}") from error
    links = [path for path, (member, _) in files.items() if member.kind == "link"]
    if through := _through_links(files, frozenset(links)):
        raise unsafe(job.image, f"{through!a} would be written through a link")
    # Links last: nothing is ever written through one.
    for path, (member, _) in sorted(files.items(), key=lambda item: item[1][0].kind == "link"):
        _put(folder, member, moved.get(path, b""), job.image)
    # When all are there: what leads out may do so only through a link that is made after it.
    top = os.path.realpath(folder)
    for path in links:
        if not Path(os.path.realpath(folder / path)).is_relative_to(top):
            raise unsafe(job.image, f"{path!a} is a link out of the environment")
    return Unpacked(len(files), sum(map(len, moved.values())))


def _through_links(paths: Iterable[str], links: frozenset[str]) -> str:
    """Return a path that has a link above it, empty where there is none."""
    for path in paths:
        above = path.rpartition("/")[0]
        while above:
            if above in links:
                return path
            above = above.rpartition("/")[0]
    return ""


def _put(folder: Path, member: Member, content: bytes, image: str) -> None:
    target = folder / member.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if member.kind == "link":
            target.symlink_to(member.target)
        elif member.kind == "folder":
            target.mkdir(exist_ok=True)
        else:
            mode = 0o777 if member.executable else 0o666
            with open(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as stream:  # noqa: PTH123
                stream.write(content)
    except FileExistsError:
        raise unsafe(image, f"{member.path!a} is in it twice, or in another spelling") from None
    except NotADirectoryError:
        raise unsafe(image, f"{member.path!a} is both a file and a folder") from None


def _check_here(head: Head, here: Surroundings | None, environ: Mapping[str, str]) -> Interpreter:
    """Return the Python to stand on; raises what speaks against using the environment here, modules aside (R15)."""
    record = head.record
    if (head.system, head.machine) != (sys.platform, platform.machine()):
        raise InputError.of(
            "wrong-machine",
            f"the image was made on {head.system} on {head.machine}, this machine is {sys.platform} on "
            f"{platform.machine()}",
            where=f"target {record.target}",
            hint="unpack it on a machine like that, or make an environment here: tumpline sync",
        )
    if here is not None:
        # Which Python there is, is another question, and modules are loaded before the environment is used.
        known = record._replace(interpreter=sys.executable)
        problems = [each for each in check_environment(known, here, None) if each.code != "module-not-loaded"]
        if problems:
            raise NotSo(*problems)
    try:
        return find_python(record.python, environ)
    except EnvironmentFailure:
        return find_python(".".join(record.python.split(".")[:2]), environ)


def _check_place(place: Path) -> None:
    current_generation(place)
    if found := _QUOTES.search(str(place)):
        raise InputError.of(
            "bad-folder",
            f"an environment can not be unpacked into a folder with {found[0]!a} in its path",
            where=str(place),
            why="the path is written into scripts and settings of several languages, where the character has a meaning",
            hint="choose another folder",
        )


def _check_size(image: Image) -> None:
    stored, unpacked = sum(part.stored for part in image.head.parts), sum(part.unpacked for part in image.head.parts)
    if unpacked > _PLENTY and unpacked > _RATIO * stored:
        raise unsafe(str(image.path), f"its {stored} bytes would unpack to {unpacked}")


def _check_room(folder: Path, head: Head) -> None:
    """Raise ``disk-full`` before anything is written, where the disk says that it has not the room."""
    size, files = _room(folder)
    if size < head.size:
        raise disk_full(folder, f"the environment has {head.size} bytes, {size} are free")
    if files < head.files:
        raise disk_full(folder, f"the environment has {head.files} files, the disk takes {files} more")


def _has_room(folder: Path, head: Head) -> bool:
    size, files = _room(folder)
    return size >= head.size and files >= head.files


def _room(folder: Path) -> tuple[int, int]:
    """Return how many bytes and files a disk takes; without limit where that can not be told."""
    if not hasattr(os, "statvfs"):
        return sys.maxsize, sys.maxsize
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else sys.maxsize


def _holds(place: Path, head: Head) -> bool:
    """Whether the environment at a place is the one of this image, and is complete."""
    folder = current_generation(place)
    try:
        if folder is None or read_record(folder) is None:
            return False
        with (folder / IMAGE_NAME).open("rb") as stream:
            found = json.loads(stream.read(1000))
        return bool(found["content"] == head.content) and (folder / "bin" / "python").exists()
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return False


def _read(line: bytes) -> Unpacked | TumplineError:
    answer = json.loads(line)
    error = error_of(answer)
    return error if error is not None else Unpacked(**answer)
