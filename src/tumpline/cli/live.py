"""A live line on stderr for what takes longer than a second; nothing where stderr is no terminal."""

from __future__ import annotations

import contextlib
import threading
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

_INTERVAL = 0.1
"""Seconds between two changes of a line that tells of many small steps."""


class LiveLine:
    """Call it with a few words whenever something happens; it starts to draw after a second.

    With `alone` it also starts where nothing is said for long, as when an index does not answer. That takes a thread,
    so it is not for what starts processes. With ``-v`` the words are printed one after the other instead.
    """

    def __init__(self, terminal: Terminal, *, alone: bool = False) -> None:
        self._terminal = terminal
        self._draws = terminal.draws and terminal.verbosity == 0
        self._started = time.monotonic()
        self._guard = threading.Lock()
        self._words = ""
        self._shown = 0.0
        self._status: Status | None = None
        self._ended = False
        self._timer = threading.Timer(_PATIENCE, self._draw) if alone and self._draws else None

    def __call__(self, words: str) -> None:
        """Show what is being done now, and print it with ``-v``."""
        self._terminal.say(words, level=1)
        self._shown = 0.0
        self.step(words)

    def step(self, words: str) -> None:
        """Show one of many small steps, if there has been none just before."""
        if not self._draws:
            return
        now = time.monotonic()
        if now - self._shown < _INTERVAL:
            return
        self._shown = now
        self._words = words
        if now - self._started > _PATIENCE:
            self._draw()

    def _draw(self) -> None:
        with self._guard:
            if self._ended:
                return
            if self._status is not None:
                self._status.update(_text(self._words))
                return
            from rich.console import Console

            self._status = Console(file=self._terminal.err).status(_text(self._words))
            self._status.start()

    def __enter__(self) -> Self:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._guard:
            self._ended = True
            if self._status is not None:
                # What is left on the screen is the report; a terminal that went away is no concern of it.
                with contextlib.suppress(OSError):
                    self._status.stop()


def _text(words: str) -> Text:
    """Return words for rich as they are: what stands in brackets is no markup of ours."""
    from rich.text import Text

    return Text(printable(words, lines=False))
