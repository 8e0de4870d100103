"""What a person sees while ``tumpline lock`` resolves: a live line, or with ``-v`` every decision as it falls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.resolve.reporter import Reporter

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.values import Name

__all__ = ["LockProgress", "TimedReporter"]


class LockProgress(Reporter):
    """Shows the steps of a resolution."""

    def __init__(self, terminal: Terminal, live: LiveLine) -> None:
        self._terminal = terminal
        self._live = live
        self._tried = 0
        self._passed_over: set[tuple[Name, Version]] = set()

    def searching(self, number: int) -> None:
        """Say that it starts again: with more versions from the index, or with other packages apart."""
        if number > 1:
            self._live(f"search {number}")

    def diverging(self) -> None:
        """Say what takes so many searches."""
        self._live("not everything has one version for all targets: looking for the fewest packages that must differ")

    def trying(self, name: Name, version: Version, targets: tuple[str, ...]) -> None:
        """Show the decision."""
        self._tried += 1
        if self._terminal.verbosity > 0:
            self._terminal.say(f"  trying {name} {version} on {', '.join(targets)}", level=1)
        else:
            self._live.step(f"resolving: {self._tried:,} decisions, now {name} {version}")

    def unusable(self, name: Name, version: Version, reason: str) -> None:
        """Say that a version is passed over, once for all searches."""
        if self._terminal.verbosity > 0 and (name, version) not in self._passed_over:
            self._passed_over.add((name, version))
            self._terminal.say(f"  passing over {name} {version}, which can not be used: {reason}", level=1)

    def conflict(self, names: Iterable[Name]) -> None:
        """Show what can not hold together."""
        if self._terminal.verbosity > 0:
            self._terminal.say(f"  conflict: {', '.join(names)}", level=1)


class TimedReporter(Reporter):
    """Shows nothing, and looks at a clock at every decision; what the look raises ends the resolution."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look

    def searching(self, number: int) -> None:
        """Look whether there is time for one more."""
        self._look()

    def trying(self, name: Name, version: Version, targets: tuple[str, ...]) -> None:
        """Look whether there is time to go on."""
        self._look()
