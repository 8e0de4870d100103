"""Starting the tool's own interpreter again, to do part of the work in another process."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping

from tumpline.host.pythons import without_python_variables

__all__ = ["child_variables", "follow", "own_python"]

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from tumpline.host.launch import follow; follow(int(sys.argv.pop(1)));"
)

_LOOK = 0.02
"""Seconds between two looks at whether the parent lives; what a child writes after that is in nobody's way any more."""


def own_python(code: str, *arguments: str) -> list[str]:
    """Return the command that runs `code` with this interpreter and this process's import path.

    The path is handed over as it is and the child runs isolated (``-I``), so that it finds the same tumpline and the
    same dependencies however this process found them, and nothing that PYTHONPATH brings besides. ``sys.argv[1:]``
    are `arguments`.
    """
    return [
        sys.executable,
        "-I",
        "-c",
        _BOOT + code,
        json.dumps([path for path in sys.path if path]),
        str(os.getpid()),
        *arguments,
    ]


def follow(parent: int) -> None:
    """End this process soon after its parent has ended, however that came about: nobody waits for what it does."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    if os.name != "nt":
        threading.Thread(target=watch, daemon=True).start()


def child_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for virtualenv: none that steer Python, and none of the person's settings for virtualenv."""
    kept = {
        name: value for name, value in without_python_variables(environ).items() if not name.startswith("VIRTUALENV_")
    }
    return {**kept, "VIRTUALENV_CONFIG_FILE": os.devnull}
