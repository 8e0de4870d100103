"""Numbers of bytes and of days, as people say them."""

from __future__ import annotations

import argparse

__all__ = ["amount", "counted", "days"]


def amount(size: int) -> str:
    """Return a number of bytes: in units of a thousand, as quotas and disks have it."""
    if size < 1000:
        return f"{size} bytes"
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def counted(count: int, word: str) -> str:
    """Return a number with its word, in the plural unless it is one."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def days(text: str) -> float:
    """Return a number of days that was given with an option; raises ArgumentTypeError."""
    value = float(text)
    if not 0 <= value < 100_000:
        raise argparse.ArgumentTypeError("a number of days is needed")
    return value
