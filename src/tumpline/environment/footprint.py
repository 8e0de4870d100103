"""How many files and bytes an environment will have, before it is made, and whether there is room for them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tumpline.environment.plan import Plan, WheelStep
from tumpline.errors import TumplineError
from tumpline.host.room import Room
from tumpline.lock import VcsArtefact
from tumpline.values import Name
from tumpline.wheels import parse_wheel_name
from tumpline.wheels.tail import read_wheel_file

__all__ = ["Footprint", "footprint_of", "too_small"]

_EMPTY = (620, 7 << 20)
"""Files, folders and bytes of an environment with pip alone (virtualenv 21.15, pip 26.3)."""

_FILES_PER_BYTE = 60 / 2**20
_GROWTH = 3.6
"""What wheels become when unpacked, by an environment of 162 wheels: 700 MB became 2.5 GB in 43,800 files."""

_UNKNOWN = 2**20
"""Bytes of a wheel of which nothing is known."""


class Footprint(NamedTuple):
    """Files and folders, as quotas count them, and bytes; `exact` where every wheel was looked into (R24).

    Scripts of entry points and bytecode are not counted; they are few, and come later.
    """

    files: int
    size: int
    exact: bool


def footprint_of(plan: Plan, files: Mapping[Name, Path]) -> Footprint:
    """Return what an environment will have; `files` are the wheels that are here, by the names of their packages.

    Of these only the RECORD is read; a wheel that is not here, or can not be read, is estimated by its size.
    """
    count, size = _EMPTY
    exact = True
    for step in plan.wheels:
        found = _recorded(files.get(step.name))
        exact = exact and found is not None
        more = found or _estimated(step)
        count, size = count + more[0], size + more[1]
    return Footprint(count, size, exact)


def too_small(footprint: Footprint, rooms: Iterable[Room]) -> tuple[Room, ...]:
    """Return the rooms that an environment does not fit into."""
    return tuple(
        room
        for room in rooms
        if (room.space is not None and room.space < footprint.size)
        or (room.files is not None and room.files < footprint.files)
    )


def _recorded(wheel: Path | None) -> tuple[int, int] | None:
    if wheel is None or wheel.suffix != ".whl":
        return None
    try:
        record = read_wheel_file(wheel, parse_wheel_name(wheel.name), parts=["RECORD"]).record
        rows = list(csv.reader(record.decode().splitlines()))
    except (TumplineError, UnicodeDecodeError, csv.Error):
        return None  # what is wrong with it will be told when it is installed
    folders: set[str] = set()
    size = 0
    for row in rows:
        folder = row[0].rpartition("/")[0] if row else ""
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
        size += int(row[2]) if len(row) > 2 and row[2].isdecimal() else 0
    return len(rows) + len(folders), size


def _estimated(step: WheelStep) -> tuple[int, int]:
    known = None if isinstance(step.artefact, VcsArtefact) else step.artefact.size
    size = known or _UNKNOWN
    return 10 + round(size * _FILES_PER_BYTE), round(size * _GROWTH)
