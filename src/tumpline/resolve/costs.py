"""What changes count, to put them in order: the less, the rather somebody would make it."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Cost"]


class Cost(IntEnum):
    """A module or a bound is changed more easily than a Python, and that more easily than a package is given up.

    The gaps leave room for steps: the second nearest Python counts one more than the nearest.
    """

    MODULE = 10
    STEERING = 15
    RELAX = 20
    CUTOFF = 25
    OTHER_MINOR = 30
    SOURCE = 30
    DIVERGE = 35
    PYTHON = 40
    ENVIRONMENT = 60
    BUILD = 70
    OTHER_MAJOR = 80
    LEAVE_OUT = 80
    REMOVE = 90
