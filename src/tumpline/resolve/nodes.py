"""What the solver sees as packages and dependencies, and the words behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from tumpline.addresses import bare_address
from tumpline.values import Name

__all__ = ["Demand", "Node", "highest", "places_of"]


@dataclass(frozen=True, slots=True)
class Node:
    """A package as the solver sees it: the root has no name; `targets` is a set of places in the list, as bits."""

    name: Name
    extra: str
    targets: int


@dataclass(frozen=True, slots=True)
class Demand:
    """The words behind a dependency: who asks (a node and its version, as bits), for what, and where.

    A `constraint` only says what is allowed if something else asks for the package.
    """

    asker: int
    version: int
    asked: int
    requirements: tuple[Requirement, ...]
    origin: str = ""
    constraint: bool = False

    @property
    def requirement(self) -> str:
        """The requirements as they are written."""
        return ", ".join(map(_shown, self.requirements))


def places_of(targets: int) -> Iterator[int]:
    """Yield the places in the list of targets that a set of them holds."""
    place = 0
    while targets:
        if targets & 1:
            yield place
        targets >>= 1
        place += 1


def highest(values: int) -> int:
    """Return the highest bit of a set that is not empty."""
    return 1 << (values.bit_length() - 1)


def _shown(requirement: Requirement) -> str:
    """Return a requirement as text that people may see: an address without its password."""
    text = str(requirement)
    return text.replace(requirement.url, bare_address(requirement.url), 1) if requirement.url else text
