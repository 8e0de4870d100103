"""Making a site's catalogue from a wheelhouse on another machine: a scan whose wheelhouse is far away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tumpline.catalogue.facts import SiteFacts
from tumpline.catalogue.far.journal import Journal, journal_path
from tumpline.catalogue.far.link import Link
from tumpline.catalogue.far.wheelhouse import FarWheelhouse
from tumpline.catalogue.listing import Found, Listing, Odd
from tumpline.catalogue.scan import ScanReport, scan
from tumpline.catalogue.store import check_header, open_catalogue
from tumpline.errors import InputError
from tumpline.sites import Site

__all__ = ["PullReport", "pull"]


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull did: as a scan, of which `resumed` wheels were received by a pull that was cut off."""

    scan: ScanReport
    resumed: int


def pull(
    site: Site,
    link: Link,
    layers: Sequence[tuple[str, str]],
    output: Path,
    *,
    today: date,
    facts: SiteFacts,
    forget: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PullReport:
    """Make the catalogue `output` of layers, given as (name, folder there); it equals that of a scan made there.

    Only what `output` does not know yet is transferred. What was received is kept beside it until it is written, so a
    pull that was cut off goes on where it stopped. Raises what `scan` and `Link` raise.
    """
    known = _known(output)
    journal = Journal(journal_path(output))
    try:
        wheelhouse = FarWheelhouse(link, layers, known, journal)
        report = scan(site, wheelhouse, output, today=today, facts=facts, forget=forget, progress=progress)
        journal.remove()
    finally:
        journal.close()
    return PullReport(report, wheelhouse.resumed)


def _known(output: Path) -> dict[str, Listing]:
    """Return the listings that the catalogue of before was made from; empty where there is none of use."""
    listings: dict[str, Listing] = {}
    try:
        check_header(output)
        with open_catalogue(output) as catalogue:
            for row in catalogue.rows():
                found = Found(row.layer, row.file, row.size or 0, row.mtime_ns)
                listings.setdefault(row.layer, Listing([], [])).wheels.append(found)
            for note in catalogue.notes():
                listing = listings.setdefault(note.layer, Listing([], []))
                if note.size or note.mtime_ns:
                    listing.wheels.append(Found(note.layer, note.file, note.size, note.mtime_ns))
                elif note.kind in ("stray", "unreadable"):
                    listing.others.append(Odd(note.layer, note.file, note.kind, note.why))
    except InputError as error:
        # The scan replaces a catalogue that is damaged or old; it refuses a file that is none before anything is read.
        if error.code not in ("catalogue-missing", "catalogue-damaged", "catalogue-older"):
            raise
        return {}
    return listings
