"""Who asks for a locked package: chains from the project's own requirements, from the lock alone."""

from __future__ import annotations

from dataclasses import dataclass

from tumpline.lock.model import Lock
from tumpline.values import Name

__all__ = ["Asker", "Chain", "askers_of", "chains_to"]


@dataclass(frozen=True, slots=True)
class Chain:
    """From a package that the project asks for to the one in question, both included; `targets` where it holds."""

    names: tuple[Name, ...]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asker:
    """A locked package that needs the one in question, its public version, and the targets on which it does."""

    name: Name
    version: str
    targets: tuple[str, ...]


def chains_to(lock: Lock, name: Name) -> tuple[Chain, ...]:
    """Return a shortest chain from each of the project's requirements that leads to a package, the shortest first."""
    found: dict[tuple[Name, ...], list[str]] = {}
    for target in lock.targets:
        asking: dict[Name, list[Name]] = {}
        for package in lock.packages:
            pin = package.pin(target.name)
            for needed in pin.requires if pin is not None else ():
                asking.setdefault(needed, []).append(package.name)
        # Back from the package, level by level: the first way found to a name is a shortest one.
        ahead: dict[Name, Name | None] = {name: None}
        pending = [name]
        for current in pending:
            for asker in asking.get(current, ()):
                if asker not in ahead:
                    ahead[asker] = current
                    pending.append(asker)
        for root in lock.roots:
            if root in ahead and any(p.name == root and p.pin(target.name) for p in lock.packages):
                found.setdefault(_way(root, ahead), []).append(target.name)
    chains = [Chain(names, tuple(targets)) for names, targets in found.items()]
    return tuple(sorted(chains, key=lambda chain: (len(chain.names), chain.names)))


def askers_of(lock: Lock, name: Name) -> tuple[Asker, ...]:
    """Return the locked packages that need a package themselves, sorted by name."""
    found = []
    for package in lock.packages:
        targets = tuple(pin.target for pin in package.pins if name in pin.requires)
        if targets:
            found.append(Asker(package.name, package.version, targets))
    return tuple(found)


def _way(root: Name, ahead: dict[Name, Name | None]) -> tuple[Name, ...]:
    names = [root]
    while (following := ahead[names[-1]]) is not None:
        names.append(following)
    return tuple(names)
