"""Errors of the file system that an environment is written to."""

from __future__ import annotations

import errno
from pathlib import Path

from tumpline.errors import EnvironmentFailure

__all__ = ["disk_full", "image_failure", "image_unreadable", "storage_failure"]

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


def image_failure(error: OSError, where: Path | str) -> EnvironmentFailure:
    """Return ``disk-full`` or ``cannot-write`` for the file system that an image is written to."""
    full = error.errno in _FULL
    return EnvironmentFailure.of(
        "disk-full" if full else "cannot-write",
        "there is no space left for the image" if full else "the image can not be written",
        where=str(where),
        why=error.strerror or str(error),
        hint="free some space, or choose another place with -o"
        if full
        else "check that the folder exists and that you may write to it, or choose another place with -o",
    )


def image_unreadable(error: OSError, where: Path | str) -> EnvironmentFailure:
    """Return ``image-unreadable`` for an image that the system refuses to read."""
    return EnvironmentFailure.of(
        "image-unreadable",
        "the image can not be read",
        where=str(where),
        why=error.strerror or str(error),
        hint="check the path, its permissions and the file system that it is on",
    )
