"""The moment after which files of an index are no longer taken: one spelling per meaning."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from tumpline.errors import InputError

__all__ = ["parse_cutoff"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)")


def parse_cutoff(text: str) -> str:
    """Return the first moment that is too late, in UTC and to the second (``2026-01-02T00:00:00Z``).

    A day (``2026-01-01``) includes all of that day in UTC, so that it means the same everywhere (R14); a moment is
    written as RFC 3339 says, and is itself too late. Raises InputError ``bad-date``; what counts from today
    (``7 days``) is one, since the lock would depend on when it is made.
    """
    try:
        if _DAY.fullmatch(text):
            return f"{date.fromisoformat(text) + timedelta(days=1)}T00:00:00Z"
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
            return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
        why = "it is neither a day nor a moment with its offset from UTC"
    except (ValueError, OverflowError) as error:
        why = str(error)
    raise InputError.of(
        "bad-date",
        f"{text[:60]!r} is not a date",
        why=why,
        hint='write a day, as in "2026-01-31", or a moment, as in "2026-01-31T12:00:00Z"',
    )
