"""What the exports have in common: the packages of one target, and the account of what an export leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from tumpline.lock.model import Lock, LockedTarget, Pin
from tumpline.lock.parity import unknown_target
from tumpline.values import Name

__all__ = ["Export", "LeftOut", "pins_of"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A package that an export can not hold, because a module brings it (R6)."""

    name: Name
    version: str
    module: str


@dataclass(frozen=True, slots=True)
class Export:
    """The text for the other tool, and what it does not say."""

    text: str
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()


def pins_of(lock: Lock, target: str) -> tuple[LockedTarget, list[tuple[Name, Pin]]]:
    """Return a target and what is pinned there, by name; raises InputError ``unknown-target``."""
    found = lock.target(target)
    if found is None:
        raise unknown_target(lock, target)
    pins = ((package.name, package.pin(target)) for package in lock.packages)
    return found, [(name, pin) for name, pin in pins if pin is not None]
