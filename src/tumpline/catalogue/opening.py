"""Opening whatever holds a catalogue: its file, or a snapshot, which is unpacked into memory.

Quick to import: what reads snapshots is imported for a snapshot only.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tumpline.catalogue.schema import SNAPSHOT
from tumpline.catalogue.store import Catalogue, open_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from tumpline.catalogue.content import Content
    from tumpline.catalogue.encoding import Tables

__all__ = ["is_snapshot", "open_any", "open_content"]


def open_any(path: Path) -> Catalogue:
    """Open a catalogue's file or a snapshot; raises what `open_catalogue` and `unpack` raise."""
    try:
        snapshot = is_snapshot(path)
    except OSError:
        # The error for a file that can not be read is that of a catalogue.
        snapshot = False
    if not snapshot:
        return open_catalogue(path)
    from tumpline.catalogue.snapshot import read_snapshot, unpack

    return open_content(*unpack(read_snapshot(path), str(path)), str(path))


def is_snapshot(path: Path) -> bool:
    """Say whether a file begins as a snapshot of any form does; raises OSError where it can not be read."""
    if not stat.S_ISREG(path.stat().st_mode):
        return False
    with path.open("rb") as stream:
        return stream.read(len(SNAPSHOT)) == SNAPSHOT


def open_content(content: Content, tables: Tables, where: str) -> Catalogue:
    """Open a content, encoded as `tables`, as a catalogue that is in memory only; `where` names it in errors."""
    import sqlite3

    from tumpline.catalogue.writer import fill

    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    fill(connection, content, tables)
    return Catalogue(connection, where)
