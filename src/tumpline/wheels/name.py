"""Wheel file names (binary distribution format specification)."""

from __future__ import annotations

from dataclasses import dataclass

from tumpline.errors import InputError
from tumpline.values import Name, normalise

__all__ = ["WheelName", "parse_wheel_name"]


@dataclass(frozen=True, slots=True)
class WheelName:
    """The parts of ``numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl``.

    `version` is spelled as in the file name, local part included; `tags` is the compressed tag set (``py2.py3-none-any``).
    """

    file: str
    name: Name
    version: str
    build: str
    tags: str


def parse_wheel_name(file: str) -> WheelName:
    """Split a wheel's file name; raises InputError ``not-a-wheel-name``.

    Versions are not parsed here: a wheelhouse has tens of thousands of files and a question concerns a few.
    """
    parts = file[:-4].split("-")
    if not file.endswith(".whl") or len(parts) not in (5, 6) or "/" in file or not all(parts):
        raise InputError.of(
            "not-a-wheel-name",
            f"{file!r} is not the name of a wheel",
            why="a wheel is named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl",
            hint="remove or rename the file",
        )
    build = parts[2] if len(parts) == 6 else ""
    return WheelName(file, normalise(parts[0]), parts[1], build, "-".join(parts[-3:]))
