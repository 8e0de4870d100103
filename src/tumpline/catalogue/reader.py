"""Reading one wheel for a catalogue. This module travels, as `tumpline.host.patience` does."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tumpline.catalogue.reading import Needs, Reading
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.wheels.name import parse_wheel_name
from tumpline.wheels.tail import read_wheel_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from tumpline.host.patience import Patience
    from tumpline.wheels.name import WheelName
    from tumpline.wheels.tail import DistInfo, Part

__all__ = ["PARTS", "read_wheel", "reading_of"]

PARTS: tuple[Part, ...] = ("RECORD",)
"""What a catalogue needs of a wheel besides METADATA."""

_NOINSTALL = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*?)[-_.]noinstall\b", re.MULTILINE)
"""A requirement that only a dummy has: ``pyarrow-noinstall==9999+dummy.computecanada``."""


def read_wheel(folder: str, file: str, patience: Patience) -> Reading:
    """Read a wheel on disk; what fails is in the answer."""
    path = folder + "/" + file

    def read(name: WheelName) -> DistInfo:
        return patience.retry(lambda: read_wheel_file(path, name, parts=PARTS, headers_only=True))

    return reading_of(file, read)


def reading_of(file: str, read: Callable[[WheelName], DistInfo]) -> Reading:
    """Return what `read` finds in the wheel of this name, or what it raises: InputError, or ``unreadable-wheel``."""
    try:
        info = read(parse_wheel_name(file))
    except (InputError, EnvironmentFailure) as error:
        again = isinstance(error, EnvironmentFailure)
        if again and error.code != "unreadable-wheel":
            raise
        problem = error.problems[0]
        return Reading(code=error.code, why=problem.why or problem.message, again=again)
    core = info.core
    needs = Needs(core.requires_python, "\n".join(core.extras), "\n".join(core.requires_dist))
    dummy = _NOINSTALL.search(needs.requires_dist) if "noinstall" in needs.requires_dist else None
    return Reading(needs, hashlib.sha256(info.record).digest(), dummy.group(1) if dummy else "")
