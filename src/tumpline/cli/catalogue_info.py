"""``tumpline catalogue info``: say what a catalogue holds, where it is from and of what day."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.catalogue_source import is_same_catalogue, open_named
from tumpline.cli.site_modules import counted, module_counts
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import here

if TYPE_CHECKING:
    from tumpline.catalogue.store import Catalogue
    from tumpline.errors import Problem

__all__ = ["configure", "execute"]


class _Counts(NamedTuple):
    """Wheels by layer and by Python, files that are no wheels by kind; each in a fixed order."""

    layers: dict[str, int]
    pythons: dict[str, int]
    notes: dict[str, int]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SITE|FILE",
        default="",
        help="a site, a catalogue's file or a snapshot (default: this site, else the Alliance)",
    )
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="this file, rather than the site's")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Open the catalogue and tell."""
    from tumpline.catalogue.age import age_remark

    today = datetime.now(UTC).date()
    with open_named(options.source, options.catalogue) as catalogue:
        info = catalogue.info
        remark = age_remark(info, today, on_site=is_same_catalogue(info.site, here().site_name))
        counts = _counts(catalogue)
        if terminal.json:
            terminal.data(json.dumps(_info_data(catalogue, counts, today, remark), indent=2))
            return 0
        _tell_info(catalogue, counts, today, terminal)
    if remark is not None:
        terminal.note(remark)
    return 0


def _counts(catalogue: Catalogue) -> _Counts:
    """Count without reading what wheels require, which is most of a catalogue."""
    from tumpline.wheels.tags import fits_python

    layers: Counter[str] = Counter()
    tags: Counter[str] = Counter()
    pythons: Counter[str] = Counter()
    for _, rows in catalogue.offered():
        for row in rows:
            layers[row.layer] += 1
            tags[row.tags] += 1
            pythons.update(row.pythons)
    minors = {".".join(python.split(".")[:2]) for _, python in catalogue.pythons()} | {*catalogue.minors()}
    for minor in minors:
        pythons[minor] += sum(number for each, number in tags.items() if each and fits_python(each, minor))
    return _Counts(
        {layer: layers[layer] for layer in catalogue.info.layers},
        {minor: pythons[minor] for minor in sorted(minors, key=_by_number) if pythons[minor]},
        dict(sorted(Counter(note.kind for note in catalogue.notes()).items())),
    )


def _by_number(minor: str) -> list[int]:
    return [int(part) for part in minor.split(".") if part.isdecimal()]


def _tell_info(catalogue: Catalogue, counts: _Counts, today: date, terminal: Terminal) -> None:
    from tumpline.catalogue.age import age_in_days

    info = catalogue.info
    how = {
        "listed": "a public list: no layers, no dependencies, all software environments together",
        "scanned": "read from the wheel files"
        if catalogue.depth == "metadata"
        else "read from the file names: no dependencies",
    }
    days = age_in_days(info, today)
    rows = {
        "site": info.site,
        "grade": f"{info.grade} ({how[info.grade]})",
        "date": info.date + (f" ({days} days ago)" if days and days > 0 else ""),
        "made by": info.made_by,
        "identity": info.identity,
        "wheels": f"{info.wheels:,} of {info.projects:,} projects",
        "for": ", ".join(f"Python {minor}: {number:,}" for minor, number in counts.pythons.items()) or "not known",
        "layers": ", ".join(f"{layer}: {number:,}" for layer, number in counts.layers.items()) or "not known",
        "modules": counted(catalogue.modules(), catalogue.module_notes()) or "none",
        "dummies": ", ".join(dummy.name for dummy in catalogue.dummies()) or "none",
        "left out": ", ".join(f"{kind}: {number:,}" for kind, number in counts.notes.items()) or "nothing",
        "Pythons": ", ".join(f"{python} ({environment})" for environment, python in catalogue.pythons()) or "not known",
        "file": catalogue.where,
    }
    for name, value in rows.items():
        terminal.data(f"{name:<9} {value}")
    for source in info.sources:
        terminal.data(f"{'source':<9} {source}")


def _info_data(catalogue: Catalogue, counts: _Counts, today: date, remark: Problem | None) -> dict[str, object]:
    from tumpline.catalogue.age import age_in_days

    info = catalogue.info
    return {
        "schema": "tumpline.catalogue-info/1",
        "file": catalogue.where,
        "site": info.site,
        "grade": info.grade,
        "depth": catalogue.depth,
        "date": info.date,
        "age-days": age_in_days(info, today),
        "made-by": info.made_by,
        "identity": info.identity,
        "wheels": info.wheels,
        "projects": info.projects,
        "layers": list(info.layers),
        "modules": module_counts(catalogue.modules(), catalogue.module_notes()),
        "wheels-by-layer": counts.layers,
        "wheels-by-python": counts.pythons,
        "notes": counts.notes,
        "dummies": {dummy.name: dummy.module for dummy in catalogue.dummies()},
        "pythons": [{"environment": environment, "python": python} for environment, python in catalogue.pythons()],
        "sources": list(info.sources),
        "remarks": [] if remark is None else [{"code": remark.code, "message": remark.message, "hint": remark.hint}],
    }
