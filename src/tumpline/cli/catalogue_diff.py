"""``tumpline catalogue diff``: what is new and what is gone between two states of a wheelhouse."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.catalogue_source import is_same_catalogue, open_named
from tumpline.cli.terminal import Terminal
from tumpline.errors import InputError

if TYPE_CHECKING:
    from tumpline.catalogue.diff import Difference, Locked, Side
    from tumpline.lock import Lock

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("before", metavar="A", help="a snapshot, a catalogue's file, a site, or a tumpline.lock")
    parser.add_argument(
        "after",
        metavar="B",
        nargs="?",
        default="",
        help="likewise, but no lock (default: this site, else the Alliance)",
    )
    parser.add_argument(
        "--for", dest="project", type=Path, metavar="DIR", help="only what concerns the lock of the project there"
    )
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Compare; 0 where there is nothing to tell, 1 where there is something.

    Raises InputError ``lock-comes-first`` for a lock as B, ``nothing-to-compare`` for a lock that pins no wheel of the
    wheelhouse, and what opening catalogues and reading a lock raises.
    """
    from tumpline.catalogue.diff import compare, concern
    from tumpline.cli.diff_words import diff_data, diff_lines

    if _is_lock(options.after):
        raise InputError.of(
            "lock-comes-first",
            "a lock can only be the earlier state",
            where=options.after,
            hint=f"write it first: tumpline catalogue diff {options.after} SITE",
        )
    after = _side(options.after)
    difference: Difference | None = None
    path = _lock_path(options)
    if not _is_lock(options.before):
        difference = compare(_side(options.before), after)
    found = None
    if path is not None:
        lock = _read(path)
        found = concern(_locked(lock, after, path), after)
        if difference is not None:
            difference = difference.only(frozenset(package.name for package in lock.packages))
    if terminal.json:
        terminal.data(json.dumps(diff_data(difference, found, after), indent=2))
    else:
        for line in diff_lines(difference, found, after, everything=terminal.verbosity > 0):
            terminal.data(line)
    return 1 if difference or found else 0


def _is_lock(name: str) -> bool:
    return name.endswith(".lock")


def _lock_path(options: argparse.Namespace) -> Path | None:
    from tumpline.lock.file import LOCK_NAME

    if _is_lock(options.before):
        return Path(options.before)
    if options.project is None:
        return None
    project: Path = options.project
    return project if project.is_file() else project / LOCK_NAME


def _read(path: Path) -> Lock:
    from tumpline.lock.file import read_lock

    return read_lock(path)


def _side(name: str) -> Side:
    from tumpline.catalogue.diff import side_of

    with open_named(name) as catalogue:
        return side_of(catalogue, name)


def _locked(lock: Lock, after: Side, path: Path) -> list[Locked]:
    """Return the wheels that the lock pins for targets whose wheelhouse the state is of."""
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.diff import Locked
    from tumpline.lock import WheelhouseArtefact
    from tumpline.wheels.name import split_wheel_name

    targets = {target.name: target for target in lock.targets if is_same_catalogue(target.site, after.site)}
    found: list[Locked] = []
    for package in lock.packages:
        for pin in package.pins:
            target, artefact = targets.get(pin.target), pin.artefact
            if target is None or not isinstance(artefact, WheelhouseArtefact):
                continue
            parts = split_wheel_name(artefact.file) if artefact.file else None
            spelling, _, build, tags = parts or (package.name.replace("-", "_"), "", "", "")
            wheel = WheelRow(
                *(package.name, pin.version, artefact.layer, tags, build, spelling, (), artefact.size),
                record=bytes.fromhex(artefact.record),
            )
            python = ".".join(target.python.split(".")[:2])
            found.append(Locked(wheel, target.name, python, target.layers))
    if not found:
        raise InputError.of(
            "nothing-to-compare",
            f"the lock has no wheel of the wheelhouse of {after.site}",
            where=str(path),
            hint="compare it with the catalogue of a site that is among its targets",
        )
    return found
