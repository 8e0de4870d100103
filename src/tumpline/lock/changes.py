"""What a new lock changes against the one before."""

from __future__ import annotations

from dataclasses import dataclass

from tumpline.lock.model import Lock
from tumpline.values import Name

__all__ = ["Change", "lock_changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """One package: `before` is empty where it is new, `after` where it is gone; both the public version.

    Where they are equal, the version stayed and what provides it changed on the targets named in `targets`.
    """

    name: Name
    before: str
    after: str
    targets: tuple[str, ...] = ()


def lock_changes(before: Lock | None, after: Lock) -> tuple[Change, ...]:
    """Compare two locks package by package, sorted by name; without a lock before, everything is new."""
    old = {package.name: package for package in before.packages} if before is not None else {}
    new = {package.name: package for package in after.packages}
    changes: list[Change] = []
    for name in sorted({*old, *new}):
        if name not in new:
            changes.append(Change(name, old[name].version, ""))
        elif name not in old:
            changes.append(Change(name, "", new[name].version))
        elif old[name] != new[name]:
            was = {pin.target: pin for pin in old[name].pins}
            now = {pin.target: pin for pin in new[name].pins}
            moved = tuple(target for target in {**now, **was} if was.get(target) != now.get(target))
            changes.append(Change(name, old[name].version, new[name].version, moved))
    return tuple(changes)
