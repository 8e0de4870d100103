"""Reading many wheels: in this process where they are few, in several where that is faster."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tumpline.catalogue.content import Needs
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.wheels.name import parse_wheel_name
from tumpline.wheels.tail import Part, read_wheel_file

__all__ = ["Reading", "read_wheels"]

_CHUNK = 400
"""Wheels given to a worker at a time: a good 20 ms of work, against well under 1 ms to hand it over."""

_FEW = 1500
"""Below this number of wheels starting workers takes longer than they save."""

_WORKERS = 8
"""The most workers: the wheels lie on one file system, and a login node belongs to many."""

_PARTS: tuple[Part, ...] = ("RECORD",)

_NOINSTALL = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*?)[-_.]noinstall\b", re.MULTILINE)
"""A requirement that only a dummy has: ``pyarrow-noinstall==9999+dummy.computecanada``."""


class Reading(NamedTuple):
    """What one wheel says, or why it could not be read.

    `record` is the sha256 of RECORD. `stands_for` is what a dummy's ``-noinstall`` requirement is named after. `code`
    and `why` are of the error; `again` says that the system failed, not the wheel, so that another try may succeed.
    """

    needs: Needs | None = None
    record: bytes = b""
    stands_for: str = ""
    code: str = ""
    why: str = ""
    again: bool = False


def read_wheels(
    files: Sequence[tuple[str, str]], progress: Callable[[int], None], workers: int | None = None
) -> Iterator[Reading]:
    """Read wheels given as (folder, file name), in their order; `progress` is told how many are done.

    Workers are processes, since threads make it slower (measured: most of the time is spent in Python). Raises
    EnvironmentFailure ``worker-died``.
    """
    chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
    count = min(_WORKERS, _processors(), len(chunks)) if workers is None else workers
    if count < 2 or len(files) < _FEW:
        yield from _counted(map(_read_chunk, chunks), progress)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    try:
        with ProcessPoolExecutor(count) as pool:
            yield from _counted(pool.map(_read_chunk, chunks), progress)
    except BrokenProcessPool as error:
        raise EnvironmentFailure.of(
            "worker-died",
            "a process that read wheels was ended from outside",
            why="on a login node this happens to programs that need much memory or time",
            hint="scan again; what was there before is still in place",
        ) from error


def _processors() -> int:
    """Return how many processors this process may use, which in a job are fewer than the node has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _counted(chunks: Iterator[list[Reading]], progress: Callable[[int], None]) -> Iterator[Reading]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        progress(done)
        yield from chunk


def _read_chunk(files: Sequence[tuple[str, str]]) -> list[Reading]:
    return [_read(folder, file) for folder, file in files]


def _read(folder: str, file: str) -> Reading:
    try:
        info = read_wheel_file(f"{folder}/{file}", parse_wheel_name(file), parts=_PARTS, headers_only=True)
    except InputError as error:
        return Reading(code=error.code, why=error.problems[0].why or error.problems[0].message)
    except EnvironmentFailure as error:
        return Reading(code=error.code, why=error.problems[0].why or error.problems[0].message, again=True)
    core = info.core
    needs = Needs(core.requires_python, "\n".join(core.extras), "\n".join(core.requires_dist))
    dummy = _NOINSTALL.search(needs.requires_dist) if "noinstall" in needs.requires_dist else None
    return Reading(needs, hashlib.sha256(info.record).digest(), dummy[1] if dummy else "")
