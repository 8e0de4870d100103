"""What lies in the folders from which Python imports, told by the metadata that every installed package has there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tumpline.host.patience import Patience
from tumpline.values import Name, normalise, parse_version
from tumpline.wheels.metadata import parse_metadata

__all__ = ["Installed", "packages_below"]

_PYTHON = re.compile(r"python([0-9]+\.[0-9]+)")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")

_HEAD = 64 * 1024
"""Bytes of METADATA that are read: name and version are among its first lines."""


class Installed(NamedTuple):
    """A package that a Python finds: its minor version (``3.11``), the package's name and version."""

    python: str
    name: Name
    version: str


def packages_below(prefix: Path, patience: Patience) -> list[Installed] | None:
    """Return what ``lib/pythonX.Y/site-packages`` of a prefix hold, for every Python; None where it can not be read.

    A prefix without such a folder holds nothing, which is an answer; one that is not there is none. Metadata without a
    proper name and version is passed over, as installers pass over it.
    """
    found: list[Installed] = []
    try:
        if not patience.retry(lambda: _entries(prefix)):
            return found
        for entry in patience.retry(lambda: _entries(prefix / "lib", missing=())):
            if matched := _PYTHON.fullmatch(entry):
                folder = prefix / "lib" / entry / "site-packages"
                found += (Installed(matched[1], *named) for named in _distributions(folder, patience))
    except OSError:
        return None
    return found


def _entries(folder: Path, missing: tuple[str, ...] | None = None) -> tuple[str, ...]:
    try:
        return tuple(os.listdir(folder))  # noqa: PTH208 - names are wanted, not paths
    except (FileNotFoundError, NotADirectoryError):
        if missing is None:
            raise
        return missing


def _distributions(folder: Path, patience: Patience) -> Iterator[tuple[Name, str]]:
    for entry in patience.retry(lambda: _entries(folder, missing=())):
        if not entry.endswith(".dist-info"):
            continue
        path = folder / entry / "METADATA"
        try:
            metadata = parse_metadata(patience.retry(partial(_head, path)))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        if _NAME.fullmatch(metadata.name) and _is_version(metadata.version):
            yield normalise(metadata.name), metadata.version


def _head(path: Path) -> bytes:
    # What is no file (a pipe) would be waited for.
    if not path.is_file():
        raise FileNotFoundError(path)
    with path.open("rb") as stream:
        return stream.read(_HEAD)


def _is_version(text: str) -> bool:
    try:
        parse_version(text)
    except ValueError:
        return False
    return True
