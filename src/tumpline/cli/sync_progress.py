"""What a person sees while an environment is made: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.environment.reporting import Step

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["SyncProgress"]

_WORDS: dict[Step, str] = {
    "download": "fetching",
    "build": "building",
    "create": "making an empty environment",
    "install": "installing",
    "project": "installing the project itself",
    "compile": "writing bytecode",
}


class SyncProgress:
    """A reporter of `tumpline.environment`; it may be called from several threads."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._guard = threading.Lock()

    def start(self, step: Step, count: int, size: int) -> None:
        """Show the next step."""
        words = f"{_WORDS[step]} {count} wheel{'s' if count > 1 else ''}" if count else _WORDS[step]
        if not self._terminal.draws:
            megabytes = f" ({size / 2**20:.0f} MiB)" if size >= 2**20 else ""
            self._terminal.say(f"{words}{megabytes}")
            return
        with self._guard:
            if self._bar is None:
                self._bar = _bar(self._terminal)
                self._bar.start()
            elif self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(words, total=size or None)

    def advance(self, size: int) -> None:
        """Move the bar."""
        with self._guard:
            if self._bar is not None and self._task is not None:
                self._bar.advance(self._task, size)

    def finish(self) -> None:
        """Take the bar away; what is left on the screen is the report."""
        with self._guard:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None


def _bar(terminal: Terminal) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=terminal.err), transient=True)
