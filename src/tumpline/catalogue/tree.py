"""What lies in the folders of a wheelhouse: one directory listing for each layer."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tumpline.catalogue.content import FileNote
from tumpline.errors import EnvironmentFailure, InputError

__all__ = ["Found", "Tree", "list_layers"]


class Found(NamedTuple):
    """A file named as a wheel; size in bytes."""

    layer: str
    file: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Tree:
    """The wheels and all other entries of the layers; `fingerprint` changes when a name, size or time does."""

    wheels: list[Found]
    others: list[FileNote]
    fingerprint: str


def list_layers(layers: Sequence[tuple[str, Path]]) -> Tree:
    """List the layers, given as (name, folder); symbolic links are followed, folders in them are not.

    Raises InputError ``layer-missing``, ``duplicate-layer``, ``empty-wheelhouse`` (not one wheel in any layer);
    EnvironmentFailure ``layer-unreadable``, rather than to take what can not be seen for what is not there.
    """
    wheels: list[Found] = []
    others: list[FileNote] = []
    digest = hashlib.sha256()
    names = [name for name, _ in layers]
    for name, folder in layers:
        if names.count(name) > 1:
            raise InputError.of(
                "duplicate-layer",
                f"two layers are named {name!r}",
                where=str(folder),
                hint="give each folder once; folders of the same name need to be scanned into different catalogues",
            )
        lines = _list_layer(name, folder, wheels, others)
        digest.update(f"{name}\0{len(lines)}\0".encode())
        digest.update("".join(sorted(lines)).encode("utf-8", "surrogateescape"))
    if not wheels:
        raise InputError.of(
            "empty-wheelhouse",
            "there is not one wheel in the wheelhouse",
            where=", ".join(str(folder) for _, folder in layers),
            hint="check that this is the wheelhouse and that its file system is mounted",
        )
    return Tree(wheels, others, digest.hexdigest())


def _list_layer(layer: str, path: Path, wheels: list[Found], others: list[FileNote]) -> list[str]:
    """Add the entries of a layer, and return a line for each with what its fingerprint covers."""
    folder = str(path)
    lines: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                file = entry.name
                if not file.endswith(".whl"):
                    why = "its name does not end in .whl"
                elif not file.isprintable():
                    why = "its name holds characters that can not be printed"
                else:
                    try:
                        status = entry.stat()
                    except OSError as error:
                        others.append(
                            FileNote(layer, file, "unreadable", "unreadable-wheel", error.strerror or str(error))
                        )
                        lines.append(f"{file}\0unreadable\0")
                        continue
                    if stat.S_ISREG(status.st_mode):
                        size, mtime_ns = status.st_size, status.st_mtime_ns
                        wheels.append(Found(layer, file, size, mtime_ns))
                        lines.append(f"{file}\0{size}\0{mtime_ns}\0")
                        continue
                    why = "it is not a regular file"
                others.append(_stray(layer, file, why))
                lines.append(f"{file}\0stray\0")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError.of(
            "layer-missing",
            f"the layer {layer} is not there",
            where=folder,
            why=error.strerror or "",
            hint="check the path and that its file system is mounted",
        ) from error
    except OSError as error:
        raise EnvironmentFailure.of(
            "layer-unreadable",
            f"the layer {layer} can not be listed",
            where=folder,
            why=error.strerror or str(error),
            hint="check the permissions of the folder and the state of the file system, then try again",
        ) from error
    return lines


def _stray(layer: str, file: str, why: str) -> FileNote:
    # A name is bytes to the system; what is no text, or would steer a terminal, is written with escapes.
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in file)
    return FileNote(layer, shown, "stray", "not-a-wheel-name", why)
