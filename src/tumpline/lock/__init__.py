"""The lock: one resolution for all targets, as values and as ``tumpline.lock``.

`model` is the values, exported here, and `file` the file; `check` says whether a lock is out of date, `parity` compares
its targets, `pylock` and `requirements` write it for other tools.
"""

from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)

__all__ = [
    "Artefact",
    "IndexArtefact",
    "Lock",
    "LockedPackage",
    "LockedTarget",
    "ModuleArtefact",
    "PathArtefact",
    "Pin",
    "UrlArtefact",
    "VcsArtefact",
    "WheelhouseArtefact",
]
