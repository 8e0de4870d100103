"""The command line: one module per command, imported only when that command runs.

``tumpline --version`` must cost little more than starting Python, so nothing is imported at the top.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 1 the answer is no; 2 usage or bad input; 3 no resolution; 4 the machine or network failed; 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words in (["--version"], ["-V"]):
        from tumpline import __version__

        print(f"tumpline {__version__}")
        return 0
    from tumpline.cli.app import run_command

    return run_command(words)
