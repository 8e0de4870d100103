"""Files and folders of this machine that a project takes packages from."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.reading import open_patiently

__all__ = ["digest_of", "folder_files", "portable_path"]

_PART = re.compile(r"(?!-|\.{1,2}\Z)[^/\\:\x00-\x1f\x7f]{1,255}\Z")
_MOST_READ = 4 << 20
"""Bytes of a file of metadata; `tumpline.project` reads no larger ones either."""


def portable_path(root: Path, path: Path) -> str:
    """Return a path from the project's folder, with forward slashes, as a lock holds it (design 5.4).

    Raises InputError ``path-not-portable`` for what lies neither in the project's folder nor beside it: nobody who has
    the project elsewhere has that. Nor may its names begin with a dash or hold what not every system takes.
    """
    for start, end in ((root, path), (Path(os.path.realpath(root)), Path(os.path.realpath(path)))):
        if end.is_relative_to(start.parent) and end not in (start, start.parent):
            found = Path(os.path.relpath(end, start)).as_posix()
            if all(map(_PART.match, found.removeprefix("../").split("/"))):
                return found
    raise InputError.of(
        "path-not-portable",
        f"{path} is neither in the project's folder nor beside it",
        why="a lock holds for every checkout of the project, so that it names no place of one machine",
        hint="move it there, under a plain name, or give it by https:// or git+https://",
    )


def folder_files(folder: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return those of the files that a folder has; those larger than 4 MiB count as absent.

    Raises EnvironmentFailure ``cannot-read``.
    """
    found: dict[str, bytes] = {}
    for name in names:
        path = folder / name
        try:
            status = path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_READ:
                found[name] = path.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(path, error) from error
    return found


def digest_of(path: Path) -> tuple[str, int]:
    """Return the sha256 of a file and its size in bytes; raises EnvironmentFailure ``cannot-read``."""
    try:
        with open_patiently(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-read",
        f"{path.name} cannot be read",
        where=str(path.parent),
        why=error.strerror or str(error),
        hint="check the permissions of the file and the state of the file system, then try again",
    )
