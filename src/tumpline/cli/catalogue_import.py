"""``tumpline catalogue import``: take a snapshot over as the catalogue of a site."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, load_site_named
from tumpline.errors import InputError
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue import CatalogueInfo
    from tumpline.catalogue.content import Content

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("source", metavar="FILE|ADDRESS", help="a snapshot, or the https address of one")
    parser.add_argument("--site", metavar="SITE", default="", help="the site it is for (default: the one it names)")
    parser.add_argument("--sha256", metavar="DIGEST", default="", help="the sha256 that the file must have")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file (default: where it is found)")
    parser.add_argument(
        "--force", action="store_true", help="replace also a newer catalogue, or a scanned one by a list"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Read, check, and store; the catalogue that is there survives every failure.

    Raises InputError ``bad-digest``, ``wrong-digest``, ``better-catalogue-here``, and what fetching and reading a
    snapshot and finding a site raises.
    """
    from tumpline.catalogue.snapshot import LARGEST, read_snapshot, unpack
    from tumpline.catalogue.writer import write_catalogue

    if options.sha256 and not re.fullmatch(r"(?:sha256:)?[0-9a-fA-F]{64}", options.sha256):
        raise InputError.of(
            "bad-digest",
            "that is no sha256",
            where="--sha256",
            hint="give the 64 hexadecimal digits of the file's sha256",
        )
    address = "://" in options.source
    source = _shown(options.source) if address else options.source
    with LiveLine(terminal) as live:
        if address:
            from tumpline.index.fetch import fetch
            from tumpline.index.pipconfig import read_pip_settings

            live("downloading the snapshot")
            raw = fetch(options.source, read_pip_settings(variables()), limit=LARGEST)
        else:
            raw = read_snapshot(Path(options.source))
        found = hashlib.sha256(raw).hexdigest()
        if options.sha256 and found != options.sha256.lower().removeprefix("sha256:"):
            raise InputError.of(
                "wrong-digest",
                "the file does not have the sha256 that it must have",
                where=source,
                why=f"it has {found}",
                hint="get the file again, or the digest, from where they were published",
            )
        live("unpacking the snapshot")
        content, tables = unpack(raw, source)
        output = options.output or _place(options.site, content.site)
        before = _before(output)
        if before is not None and not options.force:
            _check_better(before, output, content)
        write_catalogue(output, content, tables)
    if terminal.json:
        data = {
            "schema": "tumpline.catalogue-import/1",
            "file": str(output),
            "site": content.site,
            "grade": content.grade,
            "date": content.date,
            "identity": tables.identity,
            "wheels": len(content.wheels),
            "sha256": found,
            "replaced": None
            if before is None
            else {"site": before.site, "grade": before.grade, "date": before.date, "identity": before.identity},
        }
        terminal.data(json.dumps(data, indent=2))
    else:
        terminal.say(f"{content.site}: {len(content.wheels):,} wheels, {content.grade} {content.date}")
        if before is not None:
            terminal.say(f"replaced the catalogue of {before.site}, {before.grade} {before.date}")
        terminal.say(f"wrote {output}")
    return 0


def _place(given: str, stated: str) -> Path:
    """Return where the catalogue of the site is found; a snapshot may be of a site that is not known here."""
    from tumpline.catalogue.find import catalogue_path

    try:
        site = load_site_named(given or stated)
    except InputError as error:
        if given or error.code != "unknown-site":
            raise
        hint = "name the site that it is for with --site, or a file with --output"
        raise InputError(*(problem._replace(hint=hint) for problem in error.problems)) from error
    return catalogue_path(site, cache())


def _before(output: Path) -> CatalogueInfo | None:
    """Return what the catalogue is that will be replaced; one that is of no use counts as none."""
    from tumpline.catalogue.store import open_catalogue

    try:
        with open_catalogue(output) as catalogue:
            return catalogue.info
    except InputError as error:
        if error.code in ("catalogue-missing", "catalogue-damaged", "catalogue-older"):
            return None
        raise


def _check_better(before: CatalogueInfo, output: Path, content: Content) -> None:
    """See that what is there is not better than what comes: newer, or scanned where that is a list."""
    listed = before.grade == "scanned" and content.grade == "listed"
    if before.date > content.date or listed:
        raise InputError.of(
            "better-catalogue-here",
            "the catalogue that is here is better than the snapshot",
            where=str(output),
            why="a scanned one would be replaced by a list"
            if listed
            else f"it is of {before.date}, the snapshot of {content.date}",
            hint="keep it, or replace it all the same with --force",
        )


def _shown(address: str) -> str:
    from tumpline.index.settings import shown

    return shown(address)
