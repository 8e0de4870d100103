"""A live line on stderr for what takes longer than a second; nothing where stderr is no terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tumpline.cli.terminal import Terminal, printable

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text

__all__ = ["LiveLine"]

_PATIENCE = 1.0
"""Seconds after which a person wants to know what is happening."""


class LiveLine:
    """Call it with a few words whenever something happens; it starts to draw after a second."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._started = time.monotonic()
        self._status: Status | None = None

    def __call__(self, words: str) -> None:
        """Show what is being done now."""
        self._terminal.say(words, level=1)
        if self._status is not None:
            self._status.update(_text(words))
        elif self._terminal.draws and time.monotonic() - self._started > _PATIENCE:
            from rich.console import Console

            self._status = Console(file=self._terminal.err).status(_text(words))
            self._status.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()


def _text(words: str) -> Text:
    """Return words for rich as they are: what stands in brackets is no markup of ours."""
    from rich.text import Text

    return Text(printable(words, lines=False))
