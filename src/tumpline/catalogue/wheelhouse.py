"""A wheelhouse as a scan sees it: what is listed and read, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tumpline.catalogue.readers import read_wheels
from tumpline.catalogue.reading import Reading
from tumpline.catalogue.tree import Found, Tree, list_layers
from tumpline.host.patience import Patience

__all__ = ["LocalWheelhouse", "Wheelhouse"]


class Wheelhouse(Protocol):
    """The layers of a wheelhouse, in order, the best first. A scan makes the same catalogue of equal ones."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Where each layer lies, for people."""
        ...

    def tree(self) -> Tree:
        """List all layers; raises what `list_layers` raises rather than to leave out what can not be seen."""
        ...

    def readings(self, wheels: Sequence[Found], progress: Callable[[int], None]) -> Iterator[Reading]:
        """Read wheels of the tree, in the order given; `progress` is told how many are done."""
        ...


@dataclass(frozen=True, slots=True)
class LocalWheelhouse:
    """A wheelhouse in folders of this machine, given as (layer, folder).

    `workers` and `patience` are as for `read_wheels`; `patience` also tries the listing again.
    """

    folders: tuple[tuple[str, Path], ...]
    workers: int | None = None
    patience: Patience | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(layer for layer, _ in self.folders)

    @property
    def sources(self) -> tuple[str, ...]:
        """Layers and folders."""
        return tuple(f"{layer}: {folder}" for layer, folder in self.folders)

    def tree(self) -> Tree:
        """List the folders."""
        return list_layers(self.folders, self.patience)

    def readings(self, wheels: Sequence[Found], progress: Callable[[int], None]) -> Iterator[Reading]:
        """Read wheels; raises what `read_wheels` raises."""
        folders = {layer: str(folder) for layer, folder in self.folders}
        files = [(folders[found.layer], found.file) for found in wheels]
        return read_wheels(files, progress, self.workers, self.patience)
