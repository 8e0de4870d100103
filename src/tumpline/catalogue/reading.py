"""What one wheel says, as values. This module travels, as `tumpline.host.patience` does."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Needs", "Reading"]


class Needs(NamedTuple):
    """What METADATA says that a resolution needs; lists are joined by newlines. Few of them exist, each is shared."""

    requires_python: str
    extras: str
    requires_dist: str


class Reading(NamedTuple):
    """What one wheel says, or why it could not be read.

    `record` is the sha256 of RECORD. `stands_for` is what a dummy's ``-noinstall`` requirement is named after. `code`
    and `why` are of the error; `again` says that the system failed, not the wheel, so that another try may succeed.
    """

    needs: Needs | None = None
    record: bytes = b""
    stands_for: str = ""
    code: str = ""
    why: str = ""
    again: bool = False
