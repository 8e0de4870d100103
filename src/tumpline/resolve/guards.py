"""What must not come from an index beside a wheelhouse's torch: CUDA of NVIDIA's own wheels, and a triton of PyPI's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.sites.companions import is_cuda_library
from tumpline.values import Name, normalise

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.resolve.offers import OfferBook

__all__ = ["TORCH", "Clash", "is_guarded", "stand_in", "torch_clash"]

TORCH = Name("torch")
_TRITON = frozenset({"triton", "pytorch-triton"})
"""What PyPI's torch is compiled for and with; a site that builds torch builds its own."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Why two packages can not be on a target together."""

    name: Name
    target: str

    def __str__(self) -> str:
        return (
            f"on {self.target}, {self.name} of the index does not go with the wheelhouse's torch, "
            "which is built for the site's own CUDA"
        )


def is_guarded(name: Name) -> bool:
    """Say whether a package of the index clashes with a wheelhouse's torch."""
    return name in _TRITON or is_cuda_library(name)


def stand_in(book: OfferBook, place: int, requirements: Iterable[Requirement]) -> tuple[list[Requirement], list[str]]:
    """Separate what a target needs from what the site's CUDA stands for there.

    Where manylinux is refused, NVIDIA's wheels can not be had, and the site's modules of CUDA are used instead: the
    wheel builder takes these requirements out of the wheelhouse's wheels, so they are left out of pure wheels of the
    index as well. What the wheelhouse has of them stays asked for.
    """
    target = book.targets[place]
    held: list[Requirement] = []
    left_out: list[str] = []
    for requirement in requirements:
        name = normalise(requirement.name)
        replaced = target.wheelhouse and not target.site.manylinux and not requirement.url and is_cuda_library(name)
        if replaced and not book.table(name).wheels[place]:
            left_out.append(str(requirement))
        else:
            held.append(requirement)
    return held, left_out


def torch_clash(book: OfferBook, name: Name, places: Iterable[int]) -> Iterator[tuple[int, int, Clash]]:
    """Yield, for each target where they clash, the versions of torch and those of a guarded package that do (bits)."""
    torch, other = book.table(TORCH), book.table(name)
    for place in places:
        if book.targets[place].wheelhouse:
            near = torch.from_wheelhouse(place)
            far = other.from_index(place)
            if near and far:
                yield near, far, Clash(name, book.targets[place].name)
