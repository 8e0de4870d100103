"""What a person sees while an environment is made: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.environment.reporting import Step
from tumpline.errors import Problem

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tumpline.environment.footprint import Footprint
    from tumpline.host.room import Room

__all__ = ["SyncProgress", "tell_footprint"]

_WORDS: dict[Step, str] = {
    "download": "fetching",
    "build": "building",
    "create": "making an empty environment",
    "install": "installing",
    "project": "installing the project itself",
    "compile": "writing bytecode",
    "pack": "packing",
    "unpack": "unpacking",
    "verify": "reading all files",
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

    def expect(self, footprint: Footprint, rooms: tuple[Room, ...], quota: Room | None) -> None:
        """Say how large it will be, and where that does not fit."""
        with self._guard:
            tell_footprint(footprint, rooms, quota, self._terminal)

    def finish(self) -> None:
        """Take the bar away; what is left on the screen is the report."""
        with self._guard:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None


def tell_footprint(footprint: Footprint, rooms: tuple[Room, ...], quota: Room | None, terminal: Terminal) -> None:
    """Say how many files and bytes an environment has, its share of a quota, and which rooms are too small for it."""
    about = "" if footprint.exact else "about "
    share = f": {_share(footprint, quota)} of {quota.of}" if quota is not None else ""
    terminal.say(
        f"the environment will have {about}{footprint.files:,} files and folders, {footprint.size >> 20:,} MiB{share}"
    )
    for room in rooms:
        terminal.note(
            Problem(
                "may-not-fit",
                f"there is hardly room for the environment: {room}",
                hint="free some, or choose another place with --env: on a cluster, the job's own disk",
            )
        )


def _share(footprint: Footprint, quota: Room) -> str:
    parts = [(footprint.files, quota.files, "the files"), (footprint.size, quota.space, "the space")]
    return " and ".join(f"{used / limit:.1%} of {what}" for used, limit, what in parts if limit)


def _bar(terminal: Terminal) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TimeElapsedColumn())
    return Progress(*columns, console=Console(file=terminal.err), transient=True)
