"""Wheel file names (binary distribution format specification)."""

from __future__ import annotations

from typing import NamedTuple

from tumpline.errors import InputError
from tumpline.values import Name, normalise

__all__ = ["WheelName", "parse_wheel_name", "split_wheel_name"]


class WheelName(NamedTuple):
    """The parts of ``numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl``.

    `version` is spelled as in the file name, local part included; `tags` is the compressed tag set
    (``py2.py3-none-any``).
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
    parts = split_wheel_name(file)
    if parts is None:
        raise InputError.of(
            "not-a-wheel-name",
            f"{file!r} is not the name of a wheel",
            why="a wheel is named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl",
            hint="remove or rename the file",
        )
    spelling, version, build, tags = parts
    return WheelName(file, normalise(spelling), version, build, tags)


def split_wheel_name(file: str) -> tuple[str, str, str, str] | None:
    """Split a wheel's file name into the name as spelled, version, build and tags; None where it is not one.

    For callers with very many names, where making values and errors takes longer than the work.
    """
    parts = file[:-4].split("-")
    if "" in parts or "/" in file or not file.endswith(".whl"):
        return None
    if len(parts) == 5:
        name, version, python, abi, platform = parts
        return name, version, "", f"{python}-{abi}-{platform}"
    if len(parts) == 6:
        name, version, build, python, abi, platform = parts
        return name, version, build, f"{python}-{abi}-{platform}"
    return None
