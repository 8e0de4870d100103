"""What lies in one folder of a wheelhouse. This module travels, as `tumpline.host.patience` does."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Literal

    from tumpline.host.patience import Patience

__all__ = ["Found", "Listing", "Odd", "lines_of", "list_folder"]

# Python 3.6 and Windows do not list a folder that is open.
_FROM_FOLDER = os.scandir in os.supports_fd


class Found(NamedTuple):
    """A file named as a wheel; size in bytes."""

    layer: str
    file: str
    size: int
    mtime_ns: int


class Odd(NamedTuple):
    """Another entry of a layer: no wheel, or one of which the system tells nothing. `file` is as `os.fsdecode` says."""

    layer: str
    file: str
    kind: Literal["stray", "unreadable"]
    why: str


class Listing(NamedTuple):
    """The entries of one layer, in no order."""

    wheels: list[Found]
    others: list[Odd]


def list_folder(layer: str, folder: str, patience: Patience) -> Listing:
    """List a layer; symbolic links are followed, folders in it are not. Raises OSError where it can not be listed."""
    return patience.retry(lambda: _list(layer, folder, patience))


def lines_of(listing: Listing) -> list[str]:
    """Return a line for each entry with all that a change of it changes, sorted."""
    lines = [f"{file}\0{size}\0{mtime_ns}\0" for _, file, size, mtime_ns in listing.wheels]
    lines += [f"{odd.file}\0{odd.kind}\0" for odd in listing.others]
    lines.sort()
    return lines


def _list(layer: str, folder: str, patience: Patience) -> Listing:
    if not _FROM_FOLDER:
        return _entries(layer, folder, patience)
    # Seen from the open folder, an entry is found without walking the whole path again: a quarter of a listing's time.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return _entries(layer, descriptor, patience)
    finally:
        os.close(descriptor)


def _entries(layer: str, folder: str | int, patience: Patience) -> Listing:
    wheels: list[Found] = []
    others: list[Odd] = []
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
                except OSError:
                    try:
                        status = patience.retry(entry.stat)
                    except FileNotFoundError:
                        others.append(Odd(layer, file, "stray", "it is a link that leads nowhere"))
                        continue
                    except OSError as error:
                        others.append(Odd(layer, file, "unreadable", error.strerror or str(error)))
                        continue
                if stat.S_ISREG(status.st_mode):
                    wheels.append(Found(layer, file, status.st_size, status.st_mtime_ns))
                    continue
                why = "it is not a regular file"
            others.append(Odd(layer, file, "stray", why))
    return Listing(wheels, others)
