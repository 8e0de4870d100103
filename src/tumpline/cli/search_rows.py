"""``tumpline search --requires`` and ``--since``: questions that every wheel has to be looked at for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from tumpline.catalogue.query import Ask, Terms, looked_for, meant
from tumpline.cli.scope import check_needs_known
from tumpline.cli.tables import COLUMNS, raw_name, render
from tumpline.errors import InputError
from tumpline.values import normalise

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.cli.scope import Scope
    from tumpline.cli.terminal import Terminal

__all__ = ["list_dependers", "list_since"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def list_dependers(asks: Sequence[Ask], scope: Scope, options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the wheels that require a package, and by which requirement; 1 where there are none.

    Of each project only the newest version that fits counts, unless all are asked for. Raises InputError
    ``needs-unknown`` where the catalogue does not know what wheels require.
    """
    check_needs_known(scope.catalogue)
    wanted = normalise(options.requires)
    found: list[tuple[WheelRow, tuple[str, ...]]] = []
    terms = scope.terms._replace(latest=not options.all_versions)
    for rows in _projects(asks, scope, terms):
        for row in rows:
            lines = row.needs.requires_dist.split("\n") if row.needs is not None else []
            if asking := tuple(line for line in lines if _is_for(line, wanted)):
                found.append((row, asking))
    if terminal.json:
        from tumpline.cli.search_data import catalogue_data, lines_with_wheels, wheel_data

        head = {"schema": "tumpline.search-requires/1", "catalogue": catalogue_data(scope)}
        wheels = ({**wheel_data(row), "requires": list(lines)} for row, lines in found)
        for line in lines_with_wheels(head, wheels, {}):
            terminal.data(line)
    elif options.raw:
        for row, _ in found:
            terminal.data(raw_name(row))
    elif found:
        columns = options.column or ["name", "version", "python"]
        cells = dict.fromkeys((*(COLUMNS[column](row) for column in columns), "; ".join(lines)) for row, lines in found)
        for line in render(list(cells), [*columns, "requires"], "mediawiki" if options.mediawiki else options.format):
            terminal.data(line)
    else:
        terminal.say(f"nothing requires {options.requires}", level=-1)
    return 0 if found else 1


def list_since(asks: Sequence[Ask], scope: Scope, options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the wheels whose files are of a day or newer; 1 where there are none.

    Raises InputError ``bad-date``, and ``times-unknown`` where the catalogue has no times of files.
    """
    try:
        day = date.fromisoformat(options.since)
    except ValueError as error:
        raise InputError.of(
            "bad-date", f"{options.since!r} is not a day", where="--since", hint="write for example --since 2026-05-17"
        ) from error
    if scope.catalogue.info.grade == "listed":
        raise InputError.of(
            "times-unknown",
            "a public list does not say since when there is a wheel",
            where=scope.catalogue.where,
            hint="compare lists of two dates (tumpline catalogue diff), or scan the wheelhouse",
        )
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1e9)
    terms = scope.terms._replace(latest=False, prereleases=True)
    found = sorted(
        (row for wheels in _projects(asks, scope, terms) for row in wheels if row.mtime_ns >= start),
        key=lambda row: (-row.mtime_ns // 86_400_000_000_000, row.name, row.file),
    )
    if terminal.json:
        from tumpline.cli.search_data import catalogue_data, lines_with_wheels, wheel_data

        head = {
            "schema": "tumpline.search-since/1",
            "since": day.isoformat(),
            "catalogue": catalogue_data(scope),
        }
        for line in lines_with_wheels(head, map(wheel_data, found), {}):
            terminal.data(line)
    elif options.raw:
        for row in found:
            terminal.data(raw_name(row))
    elif found:
        columns = ["date", *(options.column or ["name", "version", "python", "arch"])]
        cells = [[_day(row), *(COLUMNS[column](row) for column in columns[1:])] for row in found]
        for line in render(cells, columns, "mediawiki" if options.mediawiki else options.format):
            terminal.data(line)
    else:
        terminal.say(f"no wheel is of {day} or newer", level=-1)
    return 0 if found else 1


def _day(row: WheelRow) -> str:
    return datetime.fromtimestamp(row.mtime_ns / 1e9, UTC).date().isoformat()


def _projects(asks: Sequence[Ask], scope: Scope, terms: Terms) -> Iterator[tuple[WheelRow, ...]]:
    """Yield the wheels that are looked for, with what they require, of each project that is meant, or of all."""
    for name, rows in groupby(scope.catalogue.rows(), key=lambda row: row.name):
        specifiers = [ask.specifier for ask in meant(asks, name)] if asks else [""]
        if specifiers:
            yield looked_for(rows, specifiers, terms)


def _is_for(line: str, wanted: str) -> bool:
    match = _NAME.match(line)
    return match is not None and normalise(match[0]) == wanted
