"""``tumpline catalogue scan``: make a site's catalogue from its wheelhouse and its modules."""

from __future__ import annotations

import argparse
import json
import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, here, load_site_named
from tumpline.host import variables
from tumpline.host.files import may_be

if TYPE_CHECKING:
    from tumpline.catalogue.content import NoteKind
    from tumpline.catalogue.layers import Layers
    from tumpline.catalogue.scan import ScanReport
    from tumpline.sites import Site

__all__ = ["configure", "declare_forgetting", "execute", "scan_data", "tell_scan"]

_MOST_NOTES = 10
"""Notes shown without ``-v``."""

_KINDS: dict[NoteKind, str] = {
    "dummy": "dummies",
    "stray": "files that are no wheels",
    "refused": "wheels that are damaged",
    "unreadable": "wheels that could not be read",
}
_ALARMING = ("refused", "unreadable")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("site", nargs="?", metavar="SITE", default="here", help="the site (default: this one)")
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        "--wheelhouse",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="read this folder instead of the profile's: a wheelhouse, or one layer; can be repeated, best first",
    )
    places.add_argument(
        "--pip-config",
        type=Path,
        metavar="FILE",
        help="read also the folders that this pip configuration names (default, on the site: $PIP_CONFIG_FILE)",
    )
    parser.add_argument("--stdenv", default="", metavar="NAME", help="only the layers of this software environment")
    parser.add_argument("--cpu-level", default="", metavar="LEVEL", help="only the layers for this CPU level")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write to this file (default: in the cache, where it is found)"
    )
    parser.add_argument("--names-only", action="store_true", help="read file names only: quick, but no dependencies")
    parser.add_argument(
        "--no-modules", action="store_true", help="do not ask the module system: take modules as the profile has them"
    )
    declare_forgetting(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def declare_forgetting(parser: argparse.ArgumentParser) -> None:
    """Declare the option that allows a scan to lose layers."""
    parser.add_argument(
        "--forget-layers",
        action="store_true",
        help="give up layers that the catalogue has and this scan does not read (otherwise an error)",
    )


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Scan, and tell what was found."""
    from tumpline.catalogue.find import catalogue_path
    from tumpline.catalogue.layers import choose_layers
    from tumpline.catalogue.scan import scan
    from tumpline.catalogue.store import open_catalogue
    from tumpline.catalogue.wheelhouse import LocalWheelhouse
    from tumpline.cli.site_modules import asked_modules, module_facts, modules_data, profile_facts, tell_modules

    site = load_site_named(options.site)
    config, configured, addresses = _pip_config(options, site)
    layers = choose_layers(
        site, options.wheelhouse, configured=configured, environment=options.stdenv, cpu_level=options.cpu_level
    )
    with LiveLine(terminal) as live:

        def progress(done: int, total: int) -> None:
            # A line for every few hundred wheels helps where it is drawn over the one before, and only there.
            if terminal.draws:
                live(f"read {done:,} of {total:,} wheels")

        asked = asked_modules(site, live) if not options.no_modules and _is_here(options, site) else None
        live(f"listing {len(layers.found)} layers")
        report = scan(
            asked.with_pythons(site) if asked else site,
            LocalWheelhouse(layers.found),
            options.output or catalogue_path(site, cache()),
            today=datetime.now(UTC).date(),
            facts=module_facts(site, asked) if asked else profile_facts(site),
            metadata=not options.names_only,
            forget=options.forget_layers,
            progress=progress,
        )
    with open_catalogue(report.path) as catalogue:
        if terminal.json:
            evidence = {"pip-config": str(config) if config else None, "modules": modules_data(catalogue, asked)}
            terminal.data(json.dumps(scan_data(report, layers) | evidence, indent=2))
            return 0
        for address in addresses:
            terminal.say(
                f"note: pip's configuration names {address}, which is no folder: it is not part of a catalogue"
            )
        for folder in layers.gone:
            terminal.say(f"note: pip's configuration names {folder}, which is not there")
        tell_modules(catalogue, asked, terminal)
    tell_scan(report, layers, terminal)
    return 0


def _is_here(options: argparse.Namespace, site: Site) -> bool:
    """Say whether the site is that of this machine, whose variables speak of it."""
    return options.site == "here" or site.name == here().site_name


def _pip_config(options: argparse.Namespace, site: Site) -> tuple[Path | None, tuple[Path, ...], tuple[str, ...]]:
    """Return pip's configuration file, the folders it names, and the addresses that are none.

    Raises InputError ``pip-config-unreadable`` where one was named with ``--pip-config`` and is not there.
    """
    environ = variables()
    path = options.pip_config
    if path is None and not options.wheelhouse and _is_here(options, site):
        # One that is not there says nothing. One that can not be looked at is left to the reading, which says why.
        named = Path(environ.get("PIP_CONFIG_FILE", ""))
        path = named if may_be(named, stat.S_ISREG) else None
    if path is None:
        return None, (), ()
    from tumpline.index.pipconfig import link_folders

    return path, *link_folders(path, environ)


def tell_scan(report: ScanReport, layers: Layers, terminal: Terminal) -> None:
    """Tell a person what a scan found, and what it left out."""
    info = report.info
    if report.replaced:
        terminal.say(f"note: {report.replaced}; all was read anew")
    for layer in layers.missing:
        terminal.say(f"note: the layer {layer} is not there")
    for layer in report.forgotten:
        terminal.say(f"note: the layer {layer} was given up, with its wheels")
    alarming = [note for note in report.notes if note.kind in _ALARMING]
    shown = report.notes if terminal.verbosity > 0 else alarming[:_MOST_NOTES]
    for note in shown:
        terminal.say(f"note[{note.code}]: {note.layer}/{note.file}: {note.why}", -1 if note.kind in _ALARMING else 0)
    if len(shown) < len(alarming):
        terminal.say(f"note: {len(alarming) - len(shown)} more wheels can not be used (-v shows all)", -1)
    configured = [name for name, _ in layers.found if "pip-config" in layers.evidence.get(name, ())]
    if configured:
        terminal.say(f"pip's configuration names {len(configured)} of the layers: {', '.join(configured)}")
    terminal.say(f"{info.site}: {info.wheels:,} wheels of {info.projects:,} projects in {len(info.layers)} layers")
    kinds = Counter(note.kind for note in report.notes)
    if left_out := ", ".join(f"{kinds[kind]:,} {words}" for kind, words in _KINDS.items() if kinds[kind]):
        terminal.say(f"left out: {left_out}")
    if report.changed:
        terminal.say(f"read {report.read:,}, knew {report.kept:,} from before, {report.gone:,} are gone")
        terminal.say(f"wrote {report.path}")
    else:
        terminal.say(f"nothing has changed since {info.date}; {report.path} is as it was")


def scan_data(report: ScanReport, layers: Layers) -> dict[str, object]:
    """Return the outcome as plain data; its form is documented in ``docs/reference/catalogue.md``."""
    return {
        "schema": "tumpline.catalogue-scan/1",
        "file": str(report.path),
        "changed": report.changed,
        "read": report.read,
        "kept": report.kept,
        "gone": report.gone,
        "wheels": report.info.wheels,
        "projects": report.info.projects,
        "date": report.info.date,
        "identity": report.info.identity,
        "layers": [
            {"name": name, "folder": str(folder), "evidence": list(layers.evidence.get(name, ()))}
            for name, folder in layers.found
        ],
        "missing-layers": list(layers.missing),
        "forgotten-layers": list(report.forgotten),
        "notes": [
            {"layer": note.layer, "file": note.file, "kind": note.kind, "code": note.code, "why": note.why}
            for note in report.notes
        ],
    }
