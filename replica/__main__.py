"""``python -m replica OUT``: make a replica wheelhouse, or complete one."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from replica.build import make_replica
from tumpline.cli.terminal import Terminal
from tumpline.errors import TumplineError

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Run the command; 0 done, 2 bad input, 4 the network or the disk failed, 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m replica",
        description="Make a small wheelhouse like the Alliance's from real wheels of the index that pip uses here.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to make it in")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="X.Y",
        help="a Python to have wheels for; may be repeated (default: up to two that are at hand)",
    )
    options = parser.parse_args(words)
    terminal = Terminal.for_process()
    try:
        replica = make_replica(options.out, options.python, say=terminal.say)
    except TumplineError as error:
        for problem in error.problems:
            terminal.problem(problem)
        return error.exit_status
    except KeyboardInterrupt:
        terminal.say("interrupted; run the same command again to go on")
        return 130
    terminal.say("To make this shell behave as on the cluster:")
    for name, value in replica.variables().items():
        terminal.data(f"export {name}={shlex.quote(value)}")
    terminal.data(f"export PATH={shlex.quote(str(replica.bin))}:$PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
