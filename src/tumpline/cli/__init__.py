"""The command line: one module per command, imported only when that command runs.

``tumpline --version`` must cost little more than starting Python, so nothing is imported at the top.
"""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 1 the answer is no; 2 usage or bad input; 3 no resolution; 4 the machine or network failed; 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(words)
    finally:
        _flush()
        if arguments is None:
            # The process ends here. To look for cycles once more takes a twelfth of a search's time, and frees nothing
            # that is needed.
            gc.freeze()


def _run(words: list[str]) -> int:
    if words in (["--version"], ["-V"]):
        from tumpline import __version__

        print(f"tumpline {__version__}")
        return 0
    # A command makes hundreds of thousands of small values, few cycles, and ends soon: looking for cycles after every
    # 700 of them took a tenth of a scan's time, and a millisecond while modules are imported.
    gc.set_threshold(200_000, 20, 20)
    from tumpline.cli.app import run_command

    return run_command(words)


def _flush() -> None:
    """Write what is left; where nobody takes it any more, drop it, since at exit Python would complain of that."""
    try:
        print(end="", flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
