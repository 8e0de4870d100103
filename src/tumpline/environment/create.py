"""An empty virtual environment, made by virtualenv."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tumpline.environment.layout import Layout
from tumpline.environment.storage import disk_full, storage_failure
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.launch import child_variables, own_python
from tumpline.host.process import last_lines, run
from tumpline.host.pythons import Interpreter, without_python_variables

__all__ = ["check_starts", "create_environment", "says_disk_is_full"]

_SECONDS = 300.0

# One process does both: it says which pip virtualenv carries for this Python, then makes the environment.
_MAKE = """
from virtualenv.seed.wheels.embed import get_embed_wheel
wheel = get_embed_wheel("pip", sys.argv.pop(1))
print("pip-wheel:" + (str(wheel.path) if wheel else ""))
from virtualenv.__main__ import run_with_catch
run_with_catch(sys.argv[1:])
"""


def create_environment(root: Path, interpreter: Interpreter, prompt: str, environ: Mapping[str, str]) -> Path:
    """Make a virtual environment without packages in `root`, and return the wheel of the pip that belongs into it.

    virtualenv gets an app-data folder of its own that is thrown away: nothing is written to the home folder (R18),
    its file locks meet nobody (R20), and a stale seed can not get in. pip is left to our own installer, which takes a
    third of the time that virtualenv needs for it. Raises EnvironmentFailure ``virtualenv-failed``,
    ``python-too-old``, ``disk-full``, ``cannot-write``; InputError ``bad-folder``.
    """
    if os.pathsep in str(root):
        raise InputError.of(
            "bad-folder",
            f"an environment can not be made in a folder with {os.pathsep!r} in its path",
            where=str(root),
            why="the character separates the folders of PATH",
            hint="choose another folder with --env, or move the project",
        )
    try:
        with tempfile.TemporaryDirectory(prefix="tumpline-virtualenv-", dir=environ.get("TMPDIR")) as app_data:
            done = run(
                own_python(
                    _MAKE,
                    interpreter.minor,
                    *("--no-download", "--no-periodic-update", "--no-seed"),
                    *("--app-data", app_data, "--prompt", prompt, "-p", str(interpreter.path), str(root)),
                ),
                environment=child_variables(environ),
                timeout=_SECONDS,
            )
    except OSError as error:
        raise storage_failure(error, tempfile.gettempdir()) from error
    if done.status != 0:
        if says_disk_is_full(done.stderr + done.stdout):
            raise disk_full(root, "virtualenv found the disk full")
        raise EnvironmentFailure.of(
            "virtualenv-failed",
            "virtualenv could not make an environment",
            where=str(root),
            why=last_lines(done.stderr + done.stdout),
            hint=f"check that {interpreter.path} works and that the folder is writable",
        )
    found = next((line for line in done.stdout.splitlines() if line.startswith("pip-wheel:")), "")
    if not (wheel := found.removeprefix("pip-wheel:")):
        raise EnvironmentFailure.of(
            "python-too-old",
            f"virtualenv has no pip for Python {interpreter.minor}",
            hint="choose a newer Python for the target in pyproject.toml, then run: tumpline lock",
        )
    return Path(wheel)


def check_starts(layout: Layout, interpreter: Interpreter, environ: Mapping[str, str]) -> None:
    """Run the Python of a new environment; raises EnvironmentFailure ``environment-broken`` unless all is well."""
    command = [layout.python, "-I", "-c", "import sys; print(sys.prefix)"]
    done = run(command, environment=without_python_variables(environ), timeout=60.0)
    if done.status == 0 and os.path.realpath(done.stdout.strip()) == os.path.realpath(layout.root):
        return
    raise EnvironmentFailure.of(
        "environment-broken",
        "the new environment's Python does not start as it should",
        where=layout.python,
        why=done.stderr.strip()[-1000:] or f"it says its folder is {done.stdout.strip()!r}",
        hint=f"check that {interpreter.path} itself works",
    )


def says_disk_is_full(output: str) -> bool:
    """Whether a program's complaint is about space or a quota (it tells only in words)."""
    return any(words in output for words in ("No space left on device", "Disk quota exceeded"))
