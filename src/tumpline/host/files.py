"""Writing files so that a reader never sees half of one, and looking whether something is there."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from tumpline.errors import EnvironmentFailure

__all__ = ["may_be", "write_atomically"]


def may_be(path: Path, kind: Callable[[int], bool]) -> bool:
    """Say whether something of a kind (`stat.S_ISDIR`, `stat.S_ISREG`) is there, or may be.

    Where the system will not tell, as a network file system that fails for a moment, it may be: whoever reads it then
    gets the reason. `Path.is_dir` of Python 3.14 takes every failure for "not there".
    """
    try:
        return kind(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by writing a neighbour and renaming it, with the old file's mode; creates missing parent folders.

    A reader, or a second writer, sees the old content or the new one. Needs no lock, so it also
    holds on network file systems. Raises EnvironmentFailure ``cannot-write`` and leaves the old file as it was.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with scratch.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileNotFoundError):
                scratch.chmod(stat.S_IMODE(path.stat().st_mode))
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFailure.of(
            "cannot-write",
            f"cannot write {path.name}",
            where=str(path),
            why=error.strerror or str(error),
            hint="check that the folder exists, is writable and has space left",
        ) from error
