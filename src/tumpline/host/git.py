"""The state of a folder in git: for the record of what a run was made from."""

from __future__ import annotations

from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import run

__all__ = ["state_of"]

_SECONDS = 20.0

# What a folder's own configuration could have git start is turned off.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def state_of(folder: Path) -> tuple[str, bool] | None:
    """Return the commit that is checked out, and whether files that git knows are changed.

    None where there is no commit, no repository or no git, or where git takes longer than 20 s.
    """
    try:
        commit = run([*_GIT, "-C", folder, "rev-parse", "--verify", "HEAD"], timeout=_SECONDS)
        changes = run([*_GIT, "-C", folder, "status", "--porcelain", "--untracked-files=no"], timeout=_SECONDS)
    except EnvironmentFailure:
        return None
    found = commit.stdout.strip()
    if commit.status or changes.status or not found.isalnum():
        return None
    return found, bool(changes.stdout.strip())
