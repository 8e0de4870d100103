"""How much room there is in a folder: on its file system, and in the person's quota where that can be read."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import run

__all__ = ["Room", "read_lustre_quota", "room_in"]

_SECONDS = 10.0
"""A file system that is slow to answer is not waited for: how much room there is, is only a remark."""

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)([kMGTPE]?)\*?\Z")
_UNITS = {"": 2**10, "k": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50, "E": 2**60}
"""``lfs quota`` counts in KiB unless it was asked for units; it marks what is over a limit with a star."""


class Room(NamedTuple):
    """What is left: `space` in bytes and `files` (folders count as well), None where that is unknown or unlimited.

    `of` says of what, for a message: ``the file system``, ``your quota``. `whole` says that it is what there may be in
    all, and that nothing is known of how much of it is used.
    """

    of: str
    space: int | None
    files: int | None
    whole: bool = False

    def __str__(self) -> str:
        said = [f"{self.files:,} files"] if self.files is not None else []
        said += [f"{self.space / 1e6:,.0f} MB"] if self.space is not None else []
        return f"{self.of} {'is' if self.whole else 'has'} {' and '.join(said)}{'' if self.whole else ' left'}"


def room_in(folder: Path, environ: Mapping[str, str], *, seconds: float = _SECONDS) -> tuple[Room, ...]:
    """Return what is known of the room in a folder, or in the nearest above it that is there; never raises.

    A quota that is not told in `seconds` is not known.
    """
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    found: list[Room] = []
    if hasattr(os, "statvfs"):
        try:
            status = os.statvfs(folder)
        except OSError:
            return ()
        # File systems without a fixed number of files say that they have none.
        files = status.f_favail if status.f_files else None
        found.append(Room("the file system", status.f_bavail * status.f_frsize, files))
    if (mount := _lustre_mount(folder)) and (program := shutil.which("lfs", path=environ.get("PATH", os.defpath))):
        try:
            done = run(
                [program, "quota", "-u", str(os.getuid()), mount],
                environment={**environ, "LC_ALL": "C"},
                timeout=seconds,
            )
        except EnvironmentFailure:
            return tuple(found)
        if done.status == 0 and (quota := read_lustre_quota(done.stdout)) is not None:
            found.append(quota)
    return tuple(found)


def read_lustre_quota(output: str) -> Room | None:
    """Return what is left of a user's quota by what ``lfs quota`` printed; None where that is not to be understood.

    After the file system's name, which has a line of its own where it is long, come used, quota, limit and grace of
    the space and then of the files. A limit of 0 is none.
    """
    words = output.split()
    if words.count("grace") != 2:
        return None
    row = words[len(words) - words[::-1].index("grace") :][1:9]
    if len(row) < 7:
        return None
    used, limit = _amount(row[0]), _amount(row[2])
    files, most = _count(row[4]), _count(row[6])
    if None in (used, limit, files, most):
        return None
    return Room("your quota", _left(limit, used), _left(most, files))


def _lustre_mount(folder: Path) -> str:
    """Return where the Lustre file system that holds a folder is mounted; empty where it is on another kind."""
    try:
        table = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
    place = os.path.realpath(folder)
    best, kind = "", ""
    for line in table.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[1])
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return best if kind == "lustre" else ""


def _left(limit: int | None, used: int | None) -> int | None:
    return max(0, limit - used) if limit and used is not None else None


def _amount(word: str) -> int | None:
    found = _NUMBER.match(word)
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def _count(word: str) -> int | None:
    found = _NUMBER.match(word)
    return int(found[1]) if found and found[1].isdigit() and not found[2] else None
