"""Wheels as rows of a table, in the columns and styles that ``avail_wheels`` has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tumpline.values import version_key

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow

__all__ = ["COLUMNS", "FORMATS", "condensed", "in_order", "natural_key", "raw_name", "render", "table_rows"]

FORMATS = (
    *("asciidoc", "double_grid", "double_outline", "fancy_grid", "fancy_outline", "github", "grid", "heavy_grid"),
    *("heavy_outline", "html", "jira", "latex", "latex_booktabs", "latex_longtable", "latex_raw", "mediawiki"),
    *("mixed_grid", "mixed_outline", "moinmoin", "orgtbl", "outline", "pipe", "plain", "presto", "pretty", "psql"),
    *("rounded_grid", "rounded_outline", "rst", "simple", "simple_grid", "simple_outline", "textile", "tsv"),
    *("unsafehtml", "youtrack"),
)
"""The styles of tables that the library `tabulate` knows."""

_PIECES = re.compile(r"(\d+|[a-z]+|\.|-)")


def _version(row: WheelRow) -> str:
    """Return the public version in its normal form, as `packaging` writes it."""
    text = row.version.partition("+")[0]
    if text.replace(".", "").isdecimal() and not re.search(r"(?:^|\.)0\d", text):
        return text
    _, key = version_key(row.version)
    return row.version if isinstance(key, str) else key.public


def _tags(row: WheelRow, place: int) -> str:
    parts = row.tags.split("-")
    return ",".join(sorted(set(parts[place].split(".")))) if len(parts) == 3 else ""


COLUMNS: dict[str, Callable[[WheelRow], str]] = {
    "name": lambda row: row.spelling,
    "version": _version,
    "localversion": lambda row: row.version.partition("+")[2],
    "build": lambda row: row.build,
    "python": lambda row: _tags(row, 0) or ",".join(row.pythons),
    "abi": lambda row: _tags(row, 1),
    "platform": lambda row: _tags(row, 2),
    "arch": lambda row: row.layer.rpartition("/")[2],
    "layer": lambda row: row.layer,
    "file": lambda row: row.file,
}
"""Column -> what stands in it."""


def raw_name(row: WheelRow) -> str:
    """Return the file name; of a list's row, which has none, the name and the version."""
    return row.file or f"{row.spelling}-{row.version}"


def in_order(rows: Iterable[WheelRow]) -> list[WheelRow]:
    """Sort wheels of one project: the newest first, then by architecture and Python, both from the end."""
    found = sorted(rows, key=lambda row: natural_key(COLUMNS["python"](row)), reverse=True)
    found.sort(key=COLUMNS["arch"], reverse=True)
    if len({row.version for row in found}) > 1:
        found.sort(key=lambda row: version_key(row.version), reverse=True)
    return found


def table_rows(projects: Iterable[Sequence[WheelRow]], columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each wheel."""
    cells = [COLUMNS[column] for column in columns]
    for wheels in projects:
        for row in wheels:
            yield [cell(row) for cell in cells]


def condensed(projects: Iterable[Sequence[WheelRow]], columns: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each project, with all that its wheels have in a column, from the end."""
    for wheels in projects:
        values = [{value for row in wheels for value in _values(row, column)} for column in columns]
        yield [", ".join(sorted(found, key=_any_key, reverse=True)) for found in values]


def _values(row: WheelRow, column: str) -> tuple[str, ...]:
    """Return what a wheel has in a column: of a list's row the Pythons one by one, which many rows share."""
    return row.pythons if column == "python" and row.pythons else (COLUMNS[column](row),)


def render(rows: Iterable[Sequence[str]], columns: Sequence[str], style: str = "simple") -> Iterator[str]:
    """Yield the lines of a table."""
    if style != "simple":
        from tabulate import tabulate

        # What looks like a number stays as it is: 1.10 is no 1.1.
        yield from tabulate([list(row) for row in rows], columns, style, disable_numparse=True).split("\n")
        return
    rows = list(rows)
    # A heading has two characters of room, as `tabulate` gives it.
    widths = [
        max(len(column) + 2, *map(len, cells), 0)
        for column, cells in zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True)
    ]
    form = "  ".join(f"{{:<{width}}}" for width in widths).format
    yield form(*columns).rstrip()
    yield "  ".join("-" * width for width in widths)
    for row in rows:
        yield form(*row).rstrip()


def natural_key(text: str) -> tuple[str, ...]:
    """Return a key for text that is no version: numbers count as such, and come before words; the end is a word."""
    pieces = [piece for piece in _PIECES.split(text.lower()) if piece and piece != "."]
    return (*(piece.zfill(8) if piece.isdecimal() else f"*{piece}" for piece in pieces), "*final")


def _any_key(text: str) -> tuple[int, object]:
    kind, key = version_key(text)
    return (kind, natural_key(text)) if isinstance(key, str) else (kind, key)
