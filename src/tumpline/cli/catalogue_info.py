"""``tumpline catalogue info``: say what a catalogue holds, where it is from and of what day."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, load_site_named
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue.store import Catalogue

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("site", nargs="?", metavar="SITE", default="here", help="the site (default: this one)")
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="this file, rather than the site's")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Open the catalogue and tell."""
    from tumpline.catalogue.find import find_catalogue
    from tumpline.catalogue.store import open_catalogue

    given = options.catalogue or (Path(chosen) if (chosen := variables().get("TUMPLINE_CATALOGUE")) else None)
    found = open_catalogue(given) if given else find_catalogue(load_site_named(options.site), cache())
    with found as catalogue:
        if terminal.json:
            terminal.data(json.dumps(_info_data(catalogue), indent=2))
        else:
            _tell_info(catalogue, terminal)
    return 0


def _tell_info(catalogue: Catalogue, terminal: Terminal) -> None:
    info = catalogue.info
    how = {
        "listed": "a public list: no layers, no dependencies, all software environments together",
        "scanned": "read from the wheel files"
        if catalogue.depth == "metadata"
        else "read from the file names: no dependencies",
    }
    rows = {
        "site": info.site,
        "grade": f"{info.grade} ({how[info.grade]})",
        "date": info.date,
        "made by": info.made_by,
        "identity": info.identity,
        "wheels": f"{info.wheels:,} of {info.projects:,} projects",
        "dummies": ", ".join(dummy.name for dummy in catalogue.dummies()) or "none",
        "layers": ", ".join(info.layers) or "not known",
        "Pythons": ", ".join(f"{python} ({environment})" for environment, python in catalogue.pythons()) or "not known",
        "file": catalogue.where,
    }
    for name, value in rows.items():
        terminal.data(f"{name:<9} {value}")
    for source in info.sources:
        terminal.data(f"{'source':<9} {source}")


def _info_data(catalogue: Catalogue) -> dict[str, object]:
    info = catalogue.info
    return {
        "schema": "tumpline.catalogue-info/1",
        "file": catalogue.where,
        "site": info.site,
        "grade": info.grade,
        "depth": catalogue.depth,
        "date": info.date,
        "made-by": info.made_by,
        "identity": info.identity,
        "wheels": info.wheels,
        "projects": info.projects,
        "layers": list(info.layers),
        "dummies": {dummy.name: dummy.module for dummy in catalogue.dummies()},
        "pythons": [{"environment": environment, "python": python} for environment, python in catalogue.pythons()],
        "sources": list(info.sources),
    }
