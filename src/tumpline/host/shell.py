"""The shell that a command was started from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["calling_shell"]

_NAMES = ("bash", "zsh", "fish", "tcsh", "csh", "dash", "ksh", "sh")


def calling_shell(environ: Mapping[str, str]) -> str:
    """Return the name of the parent process where that is a shell, else of the login shell (``SHELL``); or ``bash``.

    In ``$(…)`` the parent is the shell itself. ``SHELL`` is not always the shell in use.
    """
    try:
        name = Path(f"/proc/{os.getppid()}/comm").read_text(encoding="utf-8", errors="replace").strip().lstrip("-")
    except OSError:
        name = ""
    if name in _NAMES:
        return name
    return os.path.basename(environ.get("SHELL", "")) or "bash"  # noqa: PTH119 - it may be anything
