"""Whether a catalogue is so old that it matters."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tumpline.errors import Problem

if TYPE_CHECKING:
    from tumpline.catalogue.model import CatalogueInfo

__all__ = ["LISTED_DAYS", "SCANNED_DAYS", "age_in_days", "age_remark"]

LISTED_DAYS = 182
"""Half a year: a list then lacks one release in ten (``docs/explanation/catalogues.md`` has the figures)."""

SCANNED_DAYS = 28
"""Four weeks: on the site itself, where another scan takes seconds and some two hundred releases are new by then."""


def age_in_days(info: CatalogueInfo, today: date) -> int | None:
    """Return the age of a catalogue, None where its date is none; a clock that is wrong can make it negative."""
    try:
        return (today - date.fromisoformat(info.date)).days
    except ValueError:
        return None


def age_remark(info: CatalogueInfo, today: date, *, on_site: bool) -> Problem | None:
    """Return the remark ``catalogue-old`` where one is due; `on_site` says that the wheelhouse is at hand.

    A scanned catalogue away from its site is as old as whoever carried it wanted it to be.
    """
    days = age_in_days(info, today)
    if days is None:
        return None
    if info.grade == "listed" and days > LISTED_DAYS:
        return Problem(
            "catalogue-old",
            f"the list is {days} days old, and the wheelhouse has grown since",
            where=info.site,
            hint="scan the wheelhouse on the cluster (tumpline catalogue scan), or import a snapshot of it",
        )
    if info.grade == "scanned" and on_site and days > SCANNED_DAYS:
        return Problem(
            "catalogue-old",
            f"the scan is {days} days old, and the wheelhouse has grown since",
            where=info.site,
            hint="scan again: tumpline catalogue scan",
        )
    return None
