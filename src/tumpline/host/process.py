"""Running other programs: always as a list of arguments, never through a shell (R23)."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.errors import EnvironmentFailure

__all__ = ["Completed", "last_lines", "run"]


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended, and what it said."""

    status: int
    stdout: str
    stderr: str


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a program to its end and capture what it prints; `timeout` is in seconds.

    Raises EnvironmentFailure ``program-missing`` or ``program-hangs``; an exit status other than 0 is no failure here.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env=None if environment is None else dict(environment),
            cwd=cwd,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise EnvironmentFailure.of(
            "program-missing",
            f"cannot run {words[0]}",
            why=error.strerror or str(error),
            hint=f"install {words[0]} or load the module that has it",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailure.of(
            "program-hangs",
            f"{words[0]} gave no answer in {timeout:.0f} s" if timeout else f"{words[0]} gave no answer",
            hint="try again; if it hangs again, run the command by hand to see what it waits for",
        ) from error
    return Completed(done.returncode, done.stdout, done.stderr)


def last_lines(output: str, count: int = 15) -> str:
    """Return the end of what a program said, which is where the reason is."""
    return "\n".join(line[:500] for line in output.strip().splitlines()[-count:])
