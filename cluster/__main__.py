"""``python -m cluster up|down|status``: start a test cluster, take it away, say whether it runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cluster.kinds import KINDS
from cluster.model import read_cluster
from cluster.processes import daemons
from cluster.running import down, up
from tumpline.cli.terminal import Terminal
from tumpline.errors import TumplineError

__all__ = ["main"]

_FOLDER = Path(__file__).resolve().parent.parent / ".work" / "cluster"


def main(words: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 no cluster, 2 bad input, 4 it could not be started, 130 interrupted."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description="A Slurm cluster on one machine.")
    parser.add_argument("what", choices=("up", "down", "status"))
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where all its files are (default: .work/cluster)")
    parser.add_argument("--like", choices=KINDS, default="narval", help="the site that it behaves like")
    parser.add_argument("--nodes", type=int, choices=range(1, 17), default=4, metavar="N", help="how many (default: 4)")
    options = parser.parse_args(words)
    terminal = Terminal.for_process()
    try:
        return _execute(options, terminal)
    except TumplineError as error:
        for problem in error.problems:
            terminal.problem(problem)
        return error.exit_status
    except KeyboardInterrupt:
        terminal.say("interrupted; make cluster-down removes what there is")
        return 130


def _execute(options: argparse.Namespace, terminal: Terminal) -> int:
    if options.what == "down":
        terminal.say("the cluster is gone" if down(options.folder) else "there is no cluster")
        return 0
    if options.what == "status":
        cluster = read_cluster(options.folder)
        if cluster is None:
            terminal.say("there is no cluster")
            return 1
        terminal.data(f"like {cluster.kind.name}: {cluster.kind.title}; {cluster.count} nodes")
        for pid, words in daemons(cluster).items():
            terminal.data(f"{pid} {words}")
        return 0
    kind = KINDS[options.like]
    cluster = up(options.folder, kind, options.nodes, say=terminal.say)
    terminal.say(f"{cluster.count} nodes are idle: like {kind.name}, {kind.title}")
    terminal.say("A shell on its login node, and a command there:")
    terminal.data(str(cluster.login))
    terminal.data(f"{cluster.login} srun --nodes={cluster.count} hostname")
    return 0


if __name__ == "__main__":
    sys.exit(main())
