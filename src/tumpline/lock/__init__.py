"""The lock: one resolution for all targets, as values and as ``tumpline.lock``.

`model` is the values and `file` the file; `check` says whether a lock is out of date, `parity` compares its targets,
`pylock` and `requirements` write it for other tools.
"""

from tumpline.lock.file import LOCK_NAME, parse_lock, read_lock, render_lock, write_lock
from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    Pin,
    WheelhouseArtefact,
)

__all__ = [
    "LOCK_NAME",
    "Artefact",
    "IndexArtefact",
    "Lock",
    "LockedPackage",
    "LockedTarget",
    "ModuleArtefact",
    "Pin",
    "WheelhouseArtefact",
    "parse_lock",
    "read_lock",
    "render_lock",
    "write_lock",
]
