"""Writing a catalogue file: whole or not at all."""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tumpline.catalogue.content import Content
from tumpline.catalogue.encoding import Tables
from tumpline.catalogue.schema import APPLICATION, SCHEMA_VERSION, TABLES
from tumpline.errors import EnvironmentFailure

__all__ = ["fill", "write_catalogue"]

_DAY = 86_400
"""In seconds."""


def write_catalogue(path: Path, content: Content, tables: Tables) -> None:
    """Write the content, encoded as `tables`, as a catalogue file; the same content gives the same bytes.

    The file is built beside its place and renamed, so a reader, or a second scan, sees the old catalogue or the new
    one, and a scan that is killed leaves the old one. Raises EnvironmentFailure ``cannot-write``.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_remains(path)
        try:
            _build(scratch, content, tables)
            with scratch.open("rb") as stream:
                os.fsync(stream.fileno())
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    except (OSError, sqlite3.OperationalError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise EnvironmentFailure.of(
            "cannot-write",
            f"cannot write {path.name}",
            where=str(path),
            why=why or str(error),
            hint="check that the folder exists, is writable and has space left",
        ) from error


def _remove_remains(path: Path) -> None:
    """Remove what scans that were killed left beside a catalogue, if that is more than a day ago."""
    # The name is a path's, and may hold what a pattern reads as something else.
    for remains in path.parent.glob(f".{glob.escape(path.name)}.*"):
        with contextlib.suppress(OSError):
            if time.time() - remains.stat().st_mtime > _DAY:
                remains.unlink()


def fill(connection: sqlite3.Connection, content: Content, tables: Tables) -> None:
    """Make and fill the tables of a catalogue in an empty database without transactions of its own."""
    connection.executescript(
        # The journal first: what comes before it would make one.
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
        f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA_VERSION}; {TABLES}"
    )
    connection.execute("BEGIN")
    _fill(connection.executemany, content, tables)
    connection.execute("COMMIT")


def _build(path: Path, content: Content, tables: Tables) -> None:
    # Nobody else knows the scratch file, and a failed one is thrown away: no locks (which network file systems
    # may lack) and no journal are needed.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?nolock=1", uri=True, isolation_level=None)
    try:
        fill(connection, content, tables)
    finally:
        connection.close()


def _fill(insert: Callable[[str, Iterable[Sequence[object]]], object], content: Content, tables: Tables) -> None:
    about = {
        "site": content.site,
        "grade": content.grade,
        "date": content.date,
        "made-by": content.made_by,
        "identity": tables.identity,
        "depth": content.depth,
        "fingerprint": content.fingerprint,
        "wheels": str(len(content.wheels)),
        "projects": str(len(tables.projects)),
    }
    insert("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
    insert("INSERT INTO sources VALUES (?, ?)", enumerate(content.sources, 1))
    insert("INSERT INTO layers VALUES (?, ?)", enumerate(tables.layers, 1))
    insert("INSERT INTO tags VALUES (?, ?)", enumerate(tables.tags, 1))
    insert("INSERT INTO minors VALUES (?, ?)", enumerate(tables.minors, 1))
    insert("INSERT INTO projects(name, wheels, needs, mtimes, records) VALUES (?, ?, ?, ?, ?)", tables.projects)
    insert("INSERT INTO dummies VALUES (?, ?)", tables.dummies)
    insert("INSERT INTO modules VALUES (?, ?, ?, ?, ?, ?)", tables.modules)
    insert(
        "INSERT INTO views VALUES (?, ?, ?, ?, ?)",
        [(number, *view[:3], "\n".join(view.layers)) for number, view in enumerate(content.views, 1)],
    )
    insert(
        "INSERT INTO module_notes VALUES (?, ?, ?, ?, ?)",
        [(*note[:4], "\n".join(note.needs)) for note in sorted(content.module_notes)],
    )
    insert("INSERT INTO pythons VALUES (?, ?)", tables.pythons)
    insert("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?)", sorted(content.notes))
