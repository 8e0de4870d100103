"""Errors of the file system that an environment is written to."""

from __future__ import annotations

import errno
from pathlib import Path

from tumpline.errors import EnvironmentFailure

__all__ = ["disk_full", "storage_failure"]

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def storage_failure(error: OSError, where: Path | str) -> EnvironmentFailure:
    """Return ``disk-full`` for a full disk or an exhausted quota, ``cannot-write`` for anything else."""
    if error.errno in _FULL:
        return disk_full(where, error.strerror or str(error))
    return EnvironmentFailure.of(
        "cannot-write",
        "the environment can not be written",
        where=str(where),
        why=error.strerror or str(error),
        hint="check that the folder exists and that you may write to it, or choose another one with --env",
    )


def disk_full(where: Path | str, why: str) -> EnvironmentFailure:
    """Return the error for a file system without space, or without files left in a quota."""
    return EnvironmentFailure.of(
        "disk-full",
        "there is no space left for the environment",
        where=str(where),
        why=f"{why}; the environment that was there before is untouched",
        hint="free some space or files (a quota counts both), or choose another folder with --env",
    )
