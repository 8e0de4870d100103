"""``tumpline export``: one target of the lock for other tools."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, load_site_of, open_index, read_lock_of
from tumpline.errors import InputError
from tumpline.host.files import write_atomically
from tumpline.lock.export import Export, pins_of
from tumpline.lock.locate import Location, locate_in_index, locate_in_wheelhouse
from tumpline.lock.model import IndexArtefact, Lock, WheelhouseArtefact
from tumpline.values import Name

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument(
        "--format",
        choices=("pylock", "requirements"),
        default="pylock",
        help="pylock: PEP 751, for pip 26.1 or newer and uv (the default); requirements: for pip of any age",
    )
    parser.add_argument("--target", metavar="NAME", help="the target to export; needed where the lock has several")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to this file instead of stdout")
    parser.add_argument(
        "--local",
        action="store_true",
        help="requirements for the site itself: its own version numbers, without what its modules bring",
    )


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the export; what it leaves out is said on stderr."""
    if options.local and options.format != "requirements":
        raise InputError.of(
            "local-without-requirements",
            "--local changes nothing in a pylock",
            why="it always holds the wheels of the target itself",
            hint="leave out --local, or use --format requirements",
        )
    root, lock = read_lock_of(options)
    target = options.target or _only_target(lock)
    export = _export(lock, root, target, options, terminal)
    for row in export.left_out:
        terminal.say(f"left out: {row.name} {row.version}, which the module {row.module} brings")
    for remark in export.remarks:
        terminal.say(remark)
    if options.output is None:
        terminal.data(export.text.removesuffix("\n"))
    else:
        write_atomically(options.output, export.text.encode())
        terminal.say(f"wrote {options.output}")
    return 0


def _export(lock: Lock, root: Path, target: str, options: argparse.Namespace, terminal: Terminal) -> Export:
    if options.format == "requirements":
        from tumpline.lock.requirements import export_requirements

        return export_requirements(lock, target, root, local=options.local)
    from tumpline.lock.pylock import check_pylock_name, export_pylock

    if options.output is not None:
        check_pylock_name(options.output, target)
    where, _ = pins_of(lock, target)
    with ExitStack() as stack, LiveLine(terminal) as live:
        # Opened when first needed: an index may be out of reach, or a wheelhouse elsewhere, and the target not care.
        index = cache(lambda: stack.enter_context(open_index(options)))
        wheelhouse = cache(lambda: load_site_of(where).wheelhouse)

        def locate(name: Name, artefact: IndexArtefact | WheelhouseArtefact) -> Location:
            live(f"looking for {artefact.file or name}")
            if isinstance(artefact, IndexArtefact):
                return locate_in_index(index(), name, artefact)
            folder = wheelhouse() if artefact.file else None
            return locate_in_wheelhouse(Path(folder) if folder else None, name, artefact)

        return export_pylock(lock, target, locate, root)


def _only_target(lock: Lock) -> str:
    if len(lock.targets) == 1:
        return lock.targets[0].name
    known = ", ".join(target.name for target in lock.targets)
    raise InputError.of(
        "target-needed",
        "the lock has several targets" if lock.targets else "the lock has no target",
        hint=f"name one with --target: {known}" if known else "add a target to pyproject.toml and run: tumpline lock",
    )
