"""The tables of a catalogue file, and how such a file is recognised.

A project is one row: every question is about projects, and tens of thousands of rows, one for each wheel, would take
longer to write than their folders take to list. `wheels` is one line of text for each wheel, with the fields

    version, pythons, layer, tags, size, needs, build, spelling

separated by tabs, those that are empty at the end left out. The newest version comes first (PEP 440); what is no
version comes last. `pythons` is a bit set over ``minors`` in hexadecimal; `layer` and `tags` are numbers in the tables
of that name; `spelling` is the project's name in the file name where that is not the usual one. `needs` is a number
from 1 in the project's own list of what its METADATA files say, since most of them say the same: JSON,
``[[requires-python, extras, requires-dist], ...]`` with newlines inside of the latter two. `mtimes` (8 bytes each,
big-endian, signed) and `records` (32 bytes each, a sha256) are in the order of the lines; `records` is empty where no
RECORD was read. `layers` of a view are lines of text.

``module_notes`` say how it is known what a module brings (`evidence`), and what has to be loaded before it (`needs`,
separated by newlines). They are not part of a catalogue's identity.
"""

from __future__ import annotations

__all__ = ["APPLICATION", "MAGIC", "SCHEMA_VERSION", "SNAPSHOT", "TABLES"]

MAGIC = b"SQLite format 3\0"
"""The first bytes of every SQLite file."""

SNAPSHOT = b"tumpline snapshot "
"""The first bytes of every snapshot; the number of its form and a line feed follow."""

APPLICATION = 0x54554D50
"""``TUMP``, stored as SQLite's application id: tells a catalogue from any other SQLite file."""

SCHEMA_VERSION = 4
"""Stored as SQLite's user version; raised whenever an older tumpline could misread the tables."""

TABLES = """
CREATE TABLE about(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE sources(id INTEGER PRIMARY KEY, source TEXT NOT NULL);
CREATE TABLE layers(id INTEGER PRIMARY KEY, layer TEXT NOT NULL);
CREATE TABLE tags(id INTEGER PRIMARY KEY, tags TEXT NOT NULL);
CREATE TABLE minors(id INTEGER PRIMARY KEY, python TEXT NOT NULL);
CREATE TABLE projects(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    wheels TEXT NOT NULL,
    needs TEXT NOT NULL,
    mtimes BLOB NOT NULL,
    records BLOB NOT NULL
);
CREATE TABLE dummies(name TEXT PRIMARY KEY, module TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE modules(
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    module TEXT NOT NULL,
    module_version TEXT NOT NULL,
    version TEXT NOT NULL,
    pythons TEXT NOT NULL,
    PRIMARY KEY (name, environment, module, module_version, version)
) WITHOUT ROWID;
CREATE TABLE views(
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    environment TEXT NOT NULL,
    level TEXT NOT NULL,
    layers TEXT NOT NULL
);
CREATE TABLE module_notes(
    environment TEXT NOT NULL,
    module TEXT NOT NULL,
    version TEXT NOT NULL,
    evidence TEXT NOT NULL,
    needs TEXT NOT NULL,
    PRIMARY KEY (environment, module, version)
) WITHOUT ROWID;
CREATE TABLE pythons(environment TEXT, python TEXT, PRIMARY KEY (environment, python)) WITHOUT ROWID;
CREATE TABLE notes(
    layer TEXT NOT NULL,
    file TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    why TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (layer, file)
) WITHOUT ROWID;
"""
