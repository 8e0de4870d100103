"""Checking what the far side answers: it may be anything, and must not mislead or exhaust the near side."""

from __future__ import annotations

import json
from typing import cast

from tumpline.catalogue.far.frames import BadMessage
from tumpline.catalogue.listing import Found, Odd
from tumpline.catalogue.reading import Needs, Reading

__all__ = ["decode", "entry_of", "integers_of", "listing_row", "reading_of_row", "reading_row"]

_LONGEST_NAME = 1024
"""Characters of a file name; file systems allow 255 bytes."""

_LARGEST = 2**63 - 1


def decode(body: bytes) -> object:
    """Return the value of a message's JSON; raises BadMessage."""
    try:
        return cast("object", json.loads(body.decode("ascii")))
    except (ValueError, RecursionError):
        raise BadMessage("what should be JSON is none") from None


def integers_of(value: object, *, least: int = 0, most: int = _LARGEST) -> list[int]:
    """Return a list of integers within bounds."""
    if not isinstance(value, list) or not all(type(item) is int and least <= item <= most for item in value):
        raise BadMessage("numbers were expected")
    return value


def entry_of(layer: str, value: object) -> Found | Odd:
    """Return one entry of a listing: [file, size, time] of a wheel, or [file, kind, why] of something else."""
    match value:
        case [str(file), int(size), int(mtime_ns)] if 0 <= size <= _LARGEST and -_LARGEST <= mtime_ns <= _LARGEST:
            if _is_name(file) and file.endswith(".whl") and file.isprintable():
                return Found(layer, file, int(size), int(mtime_ns))
        case [str(file), "stray" | "unreadable" as kind, str(why)] if _is_name(file) and _is_text(why, 1024):
            return Odd(layer, file, kind, why)
    raise BadMessage("an entry of a folder makes no sense")


def listing_row(entry: Found | Odd) -> list[object]:
    """Return the row that `entry_of` understands."""
    return list(entry[1:])


def reading_of_row(value: object) -> Reading | None:
    """Return what was read of a wheel, or None where the far side could not tell."""
    match value:
        case None:
            return None
        case [str(python), str(extras), str(requires), str(record), str(stands_for)] if len(record) == 64:
            try:
                for text in (python, extras, requires, stands_for):
                    text.encode()
                return Reading(Needs(python, extras, requires), bytes.fromhex(record), stands_for)
            except ValueError:  # lone surrogates, which no wheel's metadata gives; no hexadecimal digits
                pass
    raise BadMessage("what was read of a wheel makes no sense")


def reading_row(reading: Reading) -> list[object]:
    """Return the row that `reading_of_row` understands."""
    if reading.needs is None:
        raise ValueError("there is nothing to write of a wheel that was not read")
    return [*reading.needs, reading.record.hex(), reading.stands_for]


def _is_name(file: str) -> bool:
    try:
        # Also bytes that are no text can be a name.
        file.encode("utf-8", "surrogateescape")
    except ValueError:
        return False
    return 0 < len(file) <= _LONGEST_NAME and not {"/", "\0"} & set(file) and file not in (".", "..")


def _is_text(text: str, most: int) -> bool:
    try:
        return len(text.encode()) <= most
    except ValueError:
        return False
