"""How a sync tells what it is doing, to whoever wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from tumpline.environment.footprint import Footprint
    from tumpline.host.room import Room

__all__ = ["Quiet", "Step", "SyncReporter"]

Step = Literal["create", "download", "build", "install", "compile", "project", "pack", "unpack", "verify"]


class SyncReporter(Protocol):
    """Told of each step as it begins, and of progress within; called from several threads, and never raises."""

    def start(self, step: Step, count: int, size: int) -> None:
        """Begin a step that concerns `count` wheels of `size` bytes; 0 where there is nothing to count."""
        ...

    def advance(self, size: int) -> None:
        """Say that `size` more bytes of the step are done; negative where some have to be done again."""
        ...

    def expect(self, footprint: Footprint, rooms: tuple[Room, ...], quota: Room | None) -> None:
        """Say how large the environment will be, before it is made, and which rooms are too small for it.

        `quota` is what may be there in all, where that is known.
        """
        ...

    def finish(self) -> None:
        """Say that no more comes, after success and failure alike."""
        ...


class Quiet:
    """A reporter that nobody listens to."""

    def start(self, step: Step, count: int, size: int) -> None:
        """Ignore it."""

    def advance(self, size: int) -> None:
        """Ignore it."""

    def expect(self, footprint: Footprint, rooms: tuple[Room, ...], quota: Room | None) -> None:
        """Ignore it."""

    def finish(self) -> None:
        """Ignore it."""
