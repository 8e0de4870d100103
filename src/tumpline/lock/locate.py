"""Where the locked files are now: a lock names files and hashes, and never an address (design 5.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit
from urllib.request import url2pathname

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index import IndexFile
from tumpline.lock.model import IndexArtefact, WheelhouseArtefact
from tumpline.values import Name
from tumpline.wheels import parse_wheel_name
from tumpline.wheels.tail import read_wheel_file

__all__ = ["FileFinder", "Locate", "Location", "locate_in_index", "locate_in_wheelhouse"]


@dataclass(frozen=True, slots=True)
class Location:
    """Where a file is - either `url` or `path` is set - and the sha256 of the whole file; `size` is in bytes."""

    sha256: str
    url: str = ""
    path: str = ""
    size: int | None = None


Locate = Callable[[Name, IndexArtefact | WheelhouseArtefact], Location]
"""Say where the file of a package is. Raises what the functions below raise."""


class FileFinder(Protocol):
    """The one question that is asked of the configured indexes."""

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        """Return the file of that name and hash as some index has it now; raises TumplineError where none has."""
        ...


def locate_in_index(finder: FileFinder, name: Name, artefact: IndexArtefact) -> Location:
    """Ask the indexes where a file is; credentials in the address are left out, since exports are shared.

    Raises what the finder raises.
    """
    found = finder.locate(name, artefact.file, artefact.sha256)
    size = artefact.size if artefact.size is not None else found.size
    parts = urlsplit(found.url)
    if parts.scheme == "file":
        return Location(artefact.sha256, path=url2pathname(parts.path), size=size)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    return Location(artefact.sha256, url=urlunsplit(bare), size=size)


def locate_in_wheelhouse(root: Path | None, name: Name, artefact: WheelhouseArtefact) -> Location:
    """Find a wheel under the root of a wheelhouse, check it against the lock (R17), and hash it: reads the whole file.

    Raises InputError ``wheel-unknown`` where the lock only knows of a list, EnvironmentFailure ``no-wheelhouse``,
    ``wheel-missing`` and ``wheel-changed``, and what `tumpline.wheels` says of a bad wheel.
    """
    if not artefact.file:
        raise InputError.of(
            "wheel-unknown",
            f"the lock does not say which wheel of {name} the wheelhouse has",
            why="it was made from a public list, which has no file names",
            hint="lock again with a scan of the wheelhouse, or export with --format requirements",
        )
    if root is None or not root.is_dir():
        raise EnvironmentFailure.of(
            "no-wheelhouse",
            f"the wheelhouse that has {artefact.file} is not here",
            where=str(root or ""),
            why="PEP 751 demands the hash of the whole file, and the lock has that of its RECORD",
            hint="run this on the target itself, or export with --format requirements",
        )
    path = root / artefact.layer / artefact.file
    try:
        size = path.stat().st_size
        contents = read_wheel_file(path, parse_wheel_name(artefact.file), parts=["RECORD"])
        record = hashlib.sha256(contents.record)
        if artefact.record and record.hexdigest() != artefact.record:
            raise EnvironmentFailure.of(
                "wheel-changed",
                f"{artefact.file} is not the wheel that was locked",
                where=str(path),
                why="its RECORD differs from the one in the lock",
                hint=f"scan the wheelhouse again, then run: tumpline lock --upgrade {name}",
            )
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EnvironmentFailure.of(
            "wheel-missing",
            f"cannot read {artefact.file}",
            where=str(path),
            why=error.strerror or str(error),
            hint=f"run this where the wheelhouse is; if the site has removed the wheel: tumpline lock --upgrade {name}",
        ) from error
    return Location(sha256, path=str(path), size=size)
