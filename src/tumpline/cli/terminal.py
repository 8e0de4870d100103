"""What a person reads: data on stdout, everything else on stderr; no meaning depends on colour."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TextIO

from tumpline.errors import Problem

__all__ = ["Terminal"]


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command prints: `data` to stdout, `say` and `problem` to stderr. `verbosity` is -1, 0, 1 …"""

    out: TextIO
    err: TextIO
    json: bool = False
    verbosity: int = 0

    @classmethod
    def for_process(cls, *, json: bool = False, verbosity: int = 0) -> Terminal:
        """Return the terminal of this process."""
        return cls(sys.stdout, sys.stderr, json, verbosity)

    @property
    def draws(self) -> bool:
        """Whether progress may be drawn: a person watches stderr and has not asked for quiet."""
        return self.err.isatty() and self.verbosity >= 0

    def data(self, text: str) -> None:
        """Print the answer itself."""
        print(text, file=self.out)

    def say(self, text: str, level: int = 0) -> None:
        """Print a remark for the person; remarks of a higher level need ``-v``."""
        if self.verbosity >= level:
            print(text, file=self.err)

    def note(self, remark: Problem) -> None:
        """Print a remark that stops nothing, in the form of a problem."""
        self._print("note", remark)

    def problem(self, problem: Problem) -> None:
        """Print a problem: where and what, why, and what to do next, each on its own line."""
        self._print("error", problem)

    def _print(self, kind: str, problem: Problem) -> None:
        where = f"{problem.where}: " if problem.where else ""
        print(f"{kind}[{problem.code}]: {where}{problem.message}", file=self.err)
        for why in problem.why.splitlines():
            print(f"  {why}", file=self.err)
        if problem.hint:
            print(f"hint: {problem.hint}", file=self.err)
