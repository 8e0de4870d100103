"""Running a program that works on somebody else's content: it may take only so long, and write only so much."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import Completed

__all__ = ["Bounds", "run_bounded"]

_LOOK = 0.5
"""Seconds between two looks at how much was written."""

_MOST_SAID = 16 << 20
"""Bytes that a program may print."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a program may take, in seconds, and how much it may write into a folder, in bytes."""

    seconds: float
    folder: Path
    size: int


def run_bounded(command: Sequence[str | Path], bounds: Bounds, *, environment: Mapping[str, str]) -> Completed:
    """Run a program in the folder of `bounds`, to its end or until it goes out of bounds; then all it started ends too.

    It has no terminal, so that it can ask for nothing and must do without an answer. What it prints comes back
    with the bytes that are not UTF-8 as surrogates. Raises EnvironmentFailure ``program-missing``, ``program-hangs``,
    ``program-too-large``.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(
                words,
                env=dict(environment),
                cwd=bounds.folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except OSError as error:
            raise EnvironmentFailure.of(
                "program-missing",
                f"cannot run {words[0]}",
                why=error.strerror or str(error),
                hint=f"install {words[0]} or load the module that has it",
            ) from error
        try:
            _watch(process, words[0], bounds, (stdout, stderr))
        finally:
            _end(process)
        return Completed(process.returncode, _text(stdout), _text(stderr))


def _watch(process: subprocess.Popen[bytes], program: str, bounds: Bounds, outputs: tuple[IO[bytes], ...]) -> None:
    """Wait for the end; raises EnvironmentFailure ``program-hangs`` and ``program-too-large``."""
    deadline = time.monotonic() + bounds.seconds
    while True:
        left = deadline - time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, min(_LOOK, left)))
        if any(os.fstat(output.fileno()).st_size > _MOST_SAID for output in outputs):
            raise _too_large(program, "it prints without end")
        if process.returncode is not None:
            return
        if left <= 0:
            raise EnvironmentFailure.of(
                "program-hangs",
                f"{program} gave no answer in {bounds.seconds:.0f} s",
                hint="try again; if it hangs again, run the command by hand to see what it waits for",
            )
        if _size(bounds.folder) > bounds.size:
            raise _too_large(program, f"it has written more than {bounds.size >> 20} MB")


def _too_large(program: str, why: str) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "program-too-large",
        f"{program} was stopped",
        why=why,
        hint="look at what it works on: nothing that is installed is so large",
    )


def _size(folder: Path) -> int:
    total = 0
    for path, _, files in os.walk(folder):
        for file in files:
            with suppress(OSError):  # it may be gone already
                total += os.lstat(f"{path}/{file}").st_size
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it has started, which is all in one session."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read(_MOST_SAID).decode("utf-8", "surrogateescape")
