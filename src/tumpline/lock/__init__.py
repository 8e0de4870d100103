"""The lock: one resolution for all targets, as values and as ``tumpline.lock``."""

from tumpline.lock.model import (
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    Pin,
    WheelhouseArtefact,
)

__all__ = [
    "IndexArtefact",
    "Lock",
    "LockedPackage",
    "LockedTarget",
    "ModuleArtefact",
    "Pin",
    "WheelhouseArtefact",
]
