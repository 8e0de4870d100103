"""``tumpline catalogue import``: take a snapshot over as the catalogue of a site."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
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
    from tumpline.sites import Site

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("source", metavar="FILE|ADDRESS", help="a snapshot, or the https address of one")
    parser.add_argument("--site", metavar="SITE", default="", help="the site it is for (default: the one it names)")
    parser.add_argument("--sha256", metavar="DIGEST", default="", help="the sha256 that the file must have")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to this file (default: where it is found)")
    parser.add_argument(
        "--force", action="store_true", help="import also what is worse than the catalogue here, or of another site"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Read, check, and store; the catalogue that is there survives every failure.

    Raises InputError ``bad-digest``, ``wrong-digest``, ``snapshot-of-tomorrow``, ``other-site``,
    ``better-catalogue-here``, and what fetching and reading a snapshot and finding a site raises.
    """
    from tumpline.catalogue.find import catalogue_path
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
        site = None if options.output else _site(options.site, content.site)
        output = options.output if site is None else catalogue_path(site, cache())
        before = _before(output)
        if not options.force:
            _check_day(content, source)
            if site is not None:
                _check_site(content, site, source)
            if before is not None:
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


def _site(given: str, stated: str) -> Site:
    """Return the site whose catalogue it will be; a snapshot may be of a site that is not known here."""
    try:
        return load_site_named(given or stated)
    except InputError as error:
        if given or error.code != "unknown-site":
            raise
        hint = "name the site that it is for with --site, or a file with --output"
        raise InputError(*(problem._replace(hint=hint) for problem in error.problems)) from error


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


def _check_day(content: Content, source: str) -> None:
    """See that no later catalogue will be taken for an older one."""
    # A day more: elsewhere it is tomorrow already.
    if content.date > (datetime.now(UTC).date() + timedelta(days=1)).isoformat():
        raise InputError.of(
            "snapshot-of-tomorrow",
            f"the snapshot is of {content.date}, which is still to come",
            where=source,
            why="later catalogues would be taken for older ones",
            hint="check the clock of this machine and where the file is from, or import it all the same with --force",
        )


def _check_site(content: Content, site: Site, source: str) -> None:
    """See that the snapshot speaks of the site: of its catalogue, or of all that it sees at one CPU level."""
    seen = (names for environment in site.environments for names in environment.layers.values())
    if content.site not in (site.name, site.catalogue) and not any(set(names) <= set(content.layers) for names in seen):
        raise InputError.of(
            "other-site",
            f"the snapshot is of {content.site}, not of {site.name}",
            where=source,
            why=f"it lacks layers that {site.name} sees",
            hint="leave --site out, or import it all the same with --force",
        )


def _check_better(before: CatalogueInfo, output: Path, content: Content) -> None:
    """See that what is there is not newer than what comes, has no other layers, and is not replaced by a list."""
    if before.grade == "scanned" and content.grade == "listed":
        why = "a scanned one would be replaced by a list"
    elif before.date > content.date:
        why = f"it is of {before.date}, the snapshot of {content.date}"
    elif before.grade == "scanned" and (lacking := [name for name in before.layers if name not in content.layers]):
        why = f"the snapshot lacks the layers {', '.join(lacking)}"
    else:
        return
    raise InputError.of(
        "better-catalogue-here",
        "the catalogue that is here is better than the snapshot",
        where=str(output),
        why=why,
        hint="keep it, or replace it all the same with --force",
    )


def _shown(address: str) -> str:
    from tumpline.index.settings import shown

    return shown(address)
