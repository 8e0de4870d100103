"""What a person reads: data on stdout, everything else on stderr; no meaning depends on colour."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from tumpline.errors import Problem

__all__ = ["Terminal", "printable"]

_UNPRINTABLE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
"""Control characters but tabs and line feeds, what turns the direction of text, what has no width, and surrogates."""


def printable(text: str, *, lines: bool = True) -> str:
    """Return the text with everything spelled out that would steer a terminal or hide text: ``\\u001b`` for escape.

    File names, versions and metadata come from indexes and wheels. The spelling is that of JSON and TOML, so such
    output keeps its meaning. Without `lines`, line feeds are spelled out as well.
    """
    if not text.isprintable():
        # Few texts come here: the pattern is compiled for the first of them.
        text = re.sub(_UNPRINTABLE, lambda found: f"\\u{ord(found[0]):04x}", text)
    return text if lines else text.replace("\n", "\\n")


class Terminal(NamedTuple):
    """Where a command prints: `data` to stdout, `say` and `problem` to stderr. `verbosity` is -1, 0, 1 …

    All text goes through `printable`.
    """

    out: TextIO
    err: TextIO
    json: bool = False
    verbosity: int = 0

    @classmethod
    def for_process(cls, *, json: bool = False, verbosity: int = 0) -> Terminal:
        """Return the terminal of this process; what its character set lacks is spelled out."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(sys.stdout, sys.stderr, json, verbosity)

    @property
    def draws(self) -> bool:
        """Whether progress may be drawn: a person watches stderr and has not asked for quiet."""
        return self.err.isatty() and self.verbosity >= 0

    def data(self, text: str) -> None:
        """Print the answer itself."""
        print(printable(text), file=self.out)

    def say(self, text: str, level: int = 0) -> None:
        """Print a remark for the person; remarks of a higher level need ``-v``."""
        if self.verbosity >= level:
            print(printable(text), file=self.err)

    def note(self, remark: Problem) -> None:
        """Print a remark that stops nothing, in the form of a problem."""
        self._print("note", remark)

    def problem(self, problem: Problem) -> None:
        """Print a problem: where and what, why, and what to do next, each on its own line."""
        self._print("error", problem)

    def _print(self, kind: str, problem: Problem) -> None:
        where = f"{problem.where}: " if problem.where else ""
        # Only the cause may have several lines: what a file brings into the others can not pass for a line of ours.
        print(f"{kind}[{problem.code}]: {printable(where + problem.message, lines=False)}", file=self.err)
        for why in printable(problem.why).splitlines():
            print(f"  {why}", file=self.err)
        if problem.hint:
            print(f"hint: {printable(problem.hint, lines=False)}", file=self.err)
