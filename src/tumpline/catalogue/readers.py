"""Reading many wheels: in this process where they are few, in several where that is faster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from tumpline.catalogue.reader import read_wheel
from tumpline.catalogue.reading import Reading
from tumpline.errors import EnvironmentFailure
from tumpline.host.patience import Patience

__all__ = ["read_wheels"]

_CHUNK = 400
"""Wheels given to a worker at a time: a good 20 ms of work, against well under 1 ms to hand it over."""

_FEW = 1500
"""Below this number of wheels starting workers takes longer than they save."""

_WORKERS = 8
"""The most workers: the wheels lie on one file system, and a login node belongs to many."""

_patience = Patience()
"""That of a worker process; nothing else uses it up."""


def read_wheels(
    files: Sequence[tuple[str, str]],
    progress: Callable[[int], None],
    workers: int | None = None,
    patience: Patience | None = None,
) -> Iterator[Reading]:
    """Read wheels given as (folder, file name), in their order; `progress` is told how many are done.

    `workers` is their number (None: as fits); they are processes, since threads make it slower (measured: most of the
    time is spent in Python). `patience` tries again what fails for a moment; processes have their own. Raises
    EnvironmentFailure ``worker-died``.
    """
    chunks = [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]
    count = min(_WORKERS, _processors(), len(chunks)) if workers is None else workers
    if count < 2 or len(files) < _FEW:
        patience = patience or Patience()
        yield from _counted((_read_chunk(chunk, patience) for chunk in chunks), progress)
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


def _read_chunk(files: Sequence[tuple[str, str]], patience: Patience | None = None) -> list[Reading]:
    patience = patience or _patience
    return [read_wheel(folder, file, patience) for folder, file in files]
