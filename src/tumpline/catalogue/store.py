"""A catalogue file, opened to answer questions: read-only, and without waiting for anybody."""

from __future__ import annotations

import sqlite3
import stat
import struct
import weakref
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self, cast

from tumpline.catalogue.content import FileNote, ModuleNote, View, WheelRow
from tumpline.catalogue.decoding import Decoder
from tumpline.catalogue.model import CatalogueInfo, Wheel
from tumpline.catalogue.schema import APPLICATION, MAGIC, SCHEMA_VERSION, TABLES
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.values import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from tumpline.catalogue.content import Depth, ModuleEvidence, NoteKind
    from tumpline.catalogue.model import Grade
    from tumpline.sites import Dummy, ModulePackage

__all__ = ["Catalogue", "check_header", "open_catalogue", "open_in_memory"]

_HEADER = 100
"""Bytes of SQLite's file header: page size at 16, pages at 28, user version at 60, application id at 68."""

_STATEMENTS = {statement.strip() for statement in TABLES.split(";") if statement.strip()}
"""What SQLite keeps of how the tables were made: word by word as they are written."""

_NOTE = [str, str, str, str, str, int, int]
"""What the columns of a note hold."""

_PROJECTS = "SELECT name, wheels, needs, mtimes, records FROM projects"


class Catalogue:
    """An open catalogue; implements `CatalogueReader`, and reads nothing before it is asked.

    `where` is its path. Close it, or use it as a context manager; one that is dropped closes itself. Any method
    raises InputError ``catalogue-damaged`` where the file turns out to be broken, and ValueError once it is closed.
    """

    def __init__(self, connection: sqlite3.Connection, where: str) -> None:
        self._connection = connection
        self.where = where
        self._close = weakref.finalize(self, connection.close)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def info(self) -> CatalogueInfo:
        """Where the catalogue comes from."""
        about = self._about
        with _sound(self.where):
            if about["grade"] not in ("scanned", "listed"):
                raise ValueError(f"there is no grade {about['grade']!r}")
            return CatalogueInfo(
                site=about["site"],
                grade=cast("Grade", about["grade"]),
                date=about["date"],
                identity=about["identity"],
                made_by=about["made-by"],
                layers=self._column("layers", "layer"),
                sources=self._column("sources", "source"),
                wheels=int(about["wheels"]),
                projects=int(about["projects"]),
            )

    @property
    def depth(self) -> Depth:
        """What was read of the wheels: ``names`` or ``metadata``."""
        with _sound(self.where):
            return cast("Depth", self._about["depth"])

    @property
    def fingerprint(self) -> str:
        """The state of the folders that were scanned; empty for a list."""
        with _sound(self.where):
            return self._about["fingerprint"]

    def names(self) -> tuple[Name, ...]:
        """Return the names of all projects that have wheels, sorted."""
        return tuple(Name(row[0]) for row in self._texts("SELECT name FROM projects ORDER BY name"))

    def minors(self) -> tuple[str, ...]:
        """Return the Pythons that rows of a list and modules name."""
        return self._column("minors", "python")

    def wheels(self, name: Name) -> tuple[Wheel, ...]:
        """Return all wheels of a project, the newest version first, then by layer and tags."""
        return tuple(_wheel(row) for row in self._wheel_rows(f"{_PROJECTS} WHERE name = ?", name))

    def wheel(self, row: WheelRow) -> Wheel:
        """Return the wheel of a row that `offered` gave, with what it needs and its digest."""
        place = (row.layer, row.version, row.spelling, row.build, row.tags, row.pythons)
        for found in self._wheel_rows(f"{_PROJECTS} WHERE name = ?", row.name):
            if (found.layer, found.version, found.spelling, found.build, found.tags, found.pythons) == place:
                return _wheel(found)
        return _wheel(row)

    def offered(
        self, names: Iterable[Name] | None = None, *, needs: bool = False
    ) -> Iterator[tuple[Name, Iterator[WheelRow]]]:
        """Give projects, those named or all by name, each with its wheels as `Decoder.offered` does: newest first.

        Made for searching: what the answer does not need is neither read nor decoded.
        """
        said = "needs" if needs else "''"
        query = f"SELECT name, wheels, {said} FROM projects"  # noqa: S608 - constants
        if names is None:
            found = self._texts(f"{query} ORDER BY name")
        else:
            found = [row for name in names for row in self._texts(f"{query} WHERE name = ?", name)]
        for name, *columns in found:
            yield Name(name), self._sounded(Name(name), *columns)

    def _sounded(self, name: Name, lines: str, needs: str) -> Iterator[WheelRow]:
        with _sound(self.where):
            yield from self._decoder.offered(name, lines, needs)

    def dummy(self, name: Name) -> Dummy | None:
        """Say whether the name exists only as a dummy, and for which module."""
        from tumpline.sites import Dummy

        for (module,) in self._texts(
            "SELECT module FROM dummies WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM projects WHERE name = ?1)", name
        ):
            return Dummy(name, module)
        return None

    def dummies(self) -> tuple[Dummy, ...]:
        """Return all dummies, by name."""
        from tumpline.sites import Dummy

        return tuple(Dummy(Name(name), module) for name, module in self._texts("SELECT * FROM dummies ORDER BY name"))

    def modules_for(self, name: Name) -> tuple[ModulePackage, ...]:
        """Return every module that provides the name: by environment, module, its version, version and Python."""
        from tumpline.sites import ModulePackage

        rows = self._texts(
            "SELECT environment, module, module_version, version, pythons FROM modules WHERE name = ?"
            " ORDER BY environment, module, module_version, version",
            name,
        )
        with _sound(self.where):
            return tuple(
                ModulePackage(environment, module, module_version, python, name, version)
                for environment, module, module_version, version, pythons in rows
                for python in self._decoder.pythons(pythons)
            )

    def modules(self) -> tuple[ModulePackage, ...]:
        """Return all that modules bring: by environment, module, its version, Python and name."""
        from tumpline.sites import ModulePackage

        rows = self._texts("SELECT name, environment, module, module_version, version, pythons FROM modules")
        places = {python: place for place, python in enumerate(self._column("minors", "python"))}
        with _sound(self.where):
            found = [
                ModulePackage(environment, module, module_version, python, Name(name), version)
                for name, environment, module, module_version, version, pythons in rows
                for python in self._decoder.pythons(pythons)
            ]
            found.sort(key=lambda row: (row.environment, row.module, row.module_version, places[row.python], row.name))
        return tuple(found)

    def module_notes(self) -> tuple[ModuleNote, ...]:
        """Return how it is known what modules bring; none of a catalogue that has all from the site's profile."""
        rows = self._texts("SELECT * FROM module_notes ORDER BY environment, module, version")
        with _sound(self.where):
            return tuple(
                ModuleNote(environment, module, version, cast("ModuleEvidence", evidence), tuple(needs.splitlines()))
                for environment, module, version, evidence, needs in rows
            )

    def pythons(self) -> tuple[tuple[str, str], ...]:
        """Return the site's Pythons as (software environment, exact version), as the profile had them."""
        return tuple(self._texts("SELECT environment, python FROM pythons ORDER BY environment, python"))

    def notes(self) -> tuple[FileNote, ...]:
        """Return the files that are no wheels of the catalogue, and why."""
        rows = self._rows("SELECT layer, file, kind, code, why, size, mtime_ns FROM notes ORDER BY layer, file")
        with _sound(self.where):
            for row in rows:
                if [*map(type, row)] != _NOTE:
                    raise TypeError("a note is no note")
        return tuple(FileNote(layer, file, cast("NoteKind", kind), *rest) for layer, file, kind, *rest in rows)

    def views(self) -> tuple[View, ...]:
        """Return which layers each site sees, its default software environment first."""
        rows = self._texts("SELECT site, environment, level, layers FROM views ORDER BY id")
        return tuple(
            View(site, environment, level, tuple(layers.split("\n"))) for site, environment, level, layers in rows
        )

    def rows(self) -> Iterator[WheelRow]:
        """Give every wheel as it is stored, by project."""
        return self._wheel_rows(f"{_PROJECTS} ORDER BY id")

    @cached_property
    def _about(self) -> dict[str, str]:
        return dict(self._texts("SELECT key, value FROM about"))

    @cached_property
    def _decoder(self) -> Decoder:
        columns = (self._column("layers", "layer"), self._column("tags", "tags"), self._column("minors", "python"))
        with _sound(self.where):
            return Decoder(*columns)

    def _column(self, table: str, column: str) -> tuple[str, ...]:
        return tuple(row[0] for row in self._texts(f"SELECT {column} FROM {table} ORDER BY id"))  # noqa: S608 - constants

    def _wheel_rows(self, query: str, *parameters: object) -> Iterator[WheelRow]:
        with _sound(self.where):
            for name, lines, needs, mtimes, records in self._rows(query, *parameters):
                if not isinstance(records, bytes):
                    raise TypeError("the records of a project are not bytes")
                yield from self._decoder.wheels(Name(name), lines, needs, mtimes, records)

    def _texts(self, query: str, *parameters: object) -> list[Any]:
        """Return rows that hold text only; SQLite lets any column hold any kind of value."""
        rows = self._rows(query, *parameters)
        if any(type(value) is not str for row in rows for value in row):
            raise _damaged(self.where, "there is something else where text should be")
        return rows

    def _rows(self, query: str, *parameters: object) -> list[Any]:
        if not self._close.alive:
            raise ValueError(f"the catalogue {self.where} is closed")
        with _sound(self.where):
            return self._connection.execute(query, parameters).fetchall()


def open_catalogue(path: Path) -> Catalogue:
    """Open a catalogue file; nobody may change it in place (`write_catalogue` replaces it as a whole).

    Raises InputError ``catalogue-missing``, ``not-a-catalogue``, ``catalogue-newer``, ``catalogue-older``,
    ``catalogue-damaged``;
    EnvironmentFailure ``catalogue-unreadable``.
    """
    check_header(path)
    # A file that is never changed in place needs no locks, which network file systems may lack.
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return _opened(lambda: sqlite3.connect(address, uri=True, check_same_thread=False), str(path))


def open_in_memory(content: bytes, where: str) -> Catalogue:
    """Open the content of a catalogue file without a file; `where` names it in errors."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.deserialize(content)
        return connection

    return _opened(connect, where)


def check_header(path: Path) -> None:
    """Check that a file is a catalogue of a schema known here, and whole in length; raises as `open_catalogue`.

    Reads 100 bytes and nothing of SQLite, so it also guards a file that is about to be replaced.
    """
    where = str(path)
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            # To open a pipe would wait for somebody who writes.
            raise _not_a_catalogue(where, "it is not a regular file")
        with path.open("rb") as stream:
            header = stream.read(_HEADER)
        size = status.st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError.of(
            "catalogue-missing",
            "there is no such catalogue",
            where=where,
            hint="make one with: tumpline catalogue scan",
        ) from error
    except OSError as error:
        raise EnvironmentFailure.of(
            "catalogue-unreadable",
            "the catalogue can not be read",
            where=where,
            why=error.strerror or str(error),
            hint="check the permissions of the file and the state of the file system",
        ) from error
    if len(header) < _HEADER or not header.startswith(MAGIC):
        raise _not_a_catalogue(where, "it is not an SQLite file")
    (page,) = struct.unpack_from(">H", header, 16)
    (pages,) = struct.unpack_from(">I", header, 28)
    version, _, application = struct.unpack_from(">3I", header, 60)
    if application != APPLICATION or not version:
        raise _not_a_catalogue(where, "it is an SQLite file of another program")
    if version > SCHEMA_VERSION:
        raise InputError.of(
            "catalogue-newer",
            "the catalogue was made by a newer tumpline",
            where=where,
            why=f"its schema is {version}; this tumpline knows {SCHEMA_VERSION}",
            hint="update tumpline, or make the catalogue again with: tumpline catalogue scan",
        )
    if version < SCHEMA_VERSION:
        raise InputError.of(
            "catalogue-older",
            "the catalogue was made by an older tumpline",
            where=where,
            why=f"its schema is {version}; this tumpline knows {SCHEMA_VERSION}",
            hint="make the catalogue again with: tumpline catalogue scan",
        )
    # SQLite writes a page size of 65536 as 1.
    if size < pages * (65536 if page == 1 else page):
        raise _damaged(where, "the file is cut short")


def _opened(connect: Callable[[], sqlite3.Connection], where: str) -> Catalogue:
    with _sound(where):
        connection = connect()
        try:
            # A file from elsewhere must not run anything when it is read: no functions in it, no views, no triggers.
            connection.execute("PRAGMA trusted_schema = OFF")
            # Nor must a table work out its values: a generated column can make gigabytes of nothing.
            statements = {row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
            if statements != _STATEMENTS:
                raise ValueError("its tables are not those of a catalogue")
        except BaseException:
            connection.close()
            raise
    return Catalogue(connection, where)


@contextmanager
def _sound(where: str) -> Iterator[None]:
    """Turn what SQLite says of a broken file, and rows that make no sense, into ``catalogue-damaged``."""
    try:
        yield
    except (sqlite3.DatabaseError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise _damaged(where, str(error)) from error


def _wheel(row: WheelRow) -> Wheel:
    name, version, layer, tags, build, spelling, pythons, size, _, needs, record = row
    # `row.file` says the same, and would take the row apart again.
    file = f"{spelling}-{version}-{build}-{tags}.whl" if build else f"{spelling}-{version}-{tags}.whl"
    if not tags:
        file = ""
    if needs is None:
        return Wheel(name, version, layer, file, build, tags, pythons, size)
    python, extras, dist = needs
    return Wheel(
        *(name, version, layer, file, build, tags, pythons, size, _lines(dist), python, _lines(extras), record.hex()),
    )


@lru_cache(maxsize=256)
def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _not_a_catalogue(where: str, why: str) -> InputError:
    return InputError.of(
        "not-a-catalogue",
        "the file is not a catalogue",
        where=where,
        why=why,
        hint="give a file that tumpline catalogue scan has made",
    )


def _damaged(where: str, why: str) -> InputError:
    return InputError.of(
        "catalogue-damaged",
        "the catalogue is damaged",
        where=where,
        why=why,
        hint="make it again with: tumpline catalogue scan",
    )
