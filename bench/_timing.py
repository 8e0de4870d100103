"""Timing whole processes, and the peak memory of a process with its children."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run", "clean_variables", "in_turn", "peak_memory", "run_once"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took by the clock, the processor time of it and its children, its peak memory in MiB."""

    seconds: float
    processor: float
    mib: float
    stdout: str


def run_once(command: Sequence[str | Path], variables: Mapping[str, str]) -> Run:
    """Run a command to its end; raises SystemExit with what it said where it fails.

    The memory is ``ru_maxrss`` of `os.wait4`: of the process or that of its children which held most. Linux counts
    what the parent held when it started the process, so that no figure is below that of this interpreter.
    """
    # Files, not pipes: nobody has to read while the process runs.
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in command], env=dict(variables), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode:
            said = (stdout.read() + stderr.read())[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with status {process.returncode}\n{said}")
        mib = usage.ru_maxrss * _MAXRSS_UNIT / 2**20
        return Run(seconds, usage.ru_utime + usage.ru_stime, mib, stdout.read())


def in_turn(way: Callable[[str], Run], names: Iterable[str], runs: int) -> dict[str, tuple[Run, ...]]:
    """Try each name once unmeasured, which fills caches and writes bytecode, then all of them in turn, `runs` times."""
    order = tuple(names)
    for name in order:
        way(name)
    rounds = [[way(name) for name in order] for _ in range(runs)]
    return {name: tuple(found[place] for found in rounds) for place, name in enumerate(order)}


def clean_variables(**more: str) -> dict[str, str]:
    """Return this process's variables without what steers Python, pip, uv or virtualenv, and with `more`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_", "UV_", "VIRTUALENV_"))}
    return {**kept, **more}


def peak_memory(command: Sequence[str | Path], variables: Mapping[str, str]) -> float:
    """Run a command and return the most MiB that it and its descendants held together, looked up every 10 ms.

    A page that forked processes share counts once (PSS); where the system does not tell, once for each (RSS).
    """
    process = subprocess.Popen(
        [str(word) for word in command], env=dict(variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.01):
            peak = max(peak, sum(_held(pid) for pid in _family(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    status = process.wait()
    ended.set()
    watcher.join()
    if status:
        raise subprocess.CalledProcessError(status, str(command[0]))
    return peak / 2**20


def _family(root: int) -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found


def _held(pid: int) -> int:
    """Return the bytes that a process holds, its part of shared ones; 0 where it has ended."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0
