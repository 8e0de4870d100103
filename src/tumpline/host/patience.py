"""Trying again where a file system failed for a moment, as CVMFS and other network file systems do.

This module travels: it also runs on the far side of a pull (`tumpline.catalogue.far.bundle`).
"""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, TypeVar

from tumpline.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Patience"]

_PASSING = frozenset(
    getattr(errno, name, -1)
    for name in (
        *("EIO", "ESTALE", "ENOTCONN", "ETIMEDOUT", "EAGAIN", "EBUSY", "EREMOTEIO"),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ECONNRESET", "ECONNREFUSED", "ECONNABORTED"),
    )
)
"""What a network file system says when a server or the network fails. "Not there" and "not allowed" are answers."""

_PAUSES = (0.1, 0.5, 2.5)
"""Seconds before the second try and those after it, to be varied by half."""

_Answer = TypeVar("_Answer")


class Patience:
    """Tries again, at most three times for one action and for `seconds` of waiting in all.

    The limit on all waiting keeps a scan of ten thousand wheels from waiting ten thousand times for a file system that
    is gone. `sleep` waits for seconds; `chance` is a number from 0 to 1 that varies the pauses, so that many processes
    do not come back at the same moment.
    """

    def __init__(
        self,
        seconds: float = 30.0,
        *,
        sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = lambda: os.urandom(1)[0] / 255,
    ) -> None:
        self._left = seconds
        self._sleep = sleep
        self._chance = chance

    def retry(self, action: Callable[[], _Answer]) -> _Answer:
        """Return what the action returns; raises what its last try raised.

        Tried again is what fails with an OSError of the passing kind, or with an EnvironmentFailure made from one.
        """
        for pause in _PAUSES:
            try:
                return action()
            except (OSError, EnvironmentFailure) as error:
                pause *= 0.5 + self._chance()
                if not _passing(error) or pause > self._left:
                    raise
            self._left -= pause
            self._sleep(pause)
        return action()


def _passing(error: BaseException) -> bool:
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in _PASSING
