"""A sync in a process of its own, which can be told to die at a named moment: ``python -m tests.environment.driver``.

Arguments: lock file, folder of wheels, place, moment. A moment is ``never``, the name of a step of the reporter, or
``before-``/``after-`` one of `HOOKS`; at that moment the process kills itself as SIGKILL does, without any clean-up.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from tests.environment.worlds import FolderIndex, variables
from tumpline.environment import generations, make
from tumpline.environment import sync as module
from tumpline.environment.reporting import Quiet
from tumpline.lock.file import read_lock

P = ParamSpec("P")
R = TypeVar("R")

HOOKS = ("create_environment", "settle_overlaps", "write_record", "publish", "remove")
MOMENTS = (
    "create",
    "install",
    "first-wheel",
    *(f"{when}-{hook}" for hook in HOOKS for when in ("before", "after")),
)


def die(moment: str, now: str) -> None:
    if moment == now:
        os.kill(os.getpid(), signal.SIGKILL)


class Deadly(Quiet):
    """A reporter that kills its process at a step."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def start(self, step: str, count: int, size: int) -> None:
        die(self._moment, step)

    def advance(self, size: int) -> None:
        die(self._moment, "first-wheel")


def deadly(moment: str, name: str, action: Callable[P, R]) -> Callable[P, R]:
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        die(moment, f"before-{name}")
        result = action(*args, **kwargs)
        die(moment, f"after-{name}")
        return result

    return wrapped


def main() -> None:
    lock_file, folder, place, moment = sys.argv[1:]
    # Where tests run in the background of a shell, interrupts are ignored unless this is said.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for owner, name in ((make, "create_environment"), (make, "settle_overlaps"), (module, "write_record")):
        setattr(owner, name, deadly(moment, name, getattr(owner, name)))
    publish = deadly(moment, "publish", generations.Generation.publish)
    setattr(generations.Generation, "publish", publish)  # noqa: B010 - a method may not be assigned to
    generations._remove = deadly(moment, "remove", generations._remove)
    lock = read_lock(Path(lock_file))
    module.sync(
        lock,
        lock.targets[0].name,
        Path(place),
        project=None,
        wheelhouse=None,
        index=FolderIndex(Path(folder)),
        environ=variables(),
        settings=module.SyncSettings(jobs=2),
        reporter=Deadly(moment),
    )


if __name__ == "__main__":
    main()
