"""A catalogue's content as the columns of a snapshot, and back.

Each column but ``digests`` is text with one value a line, in the order of the wheels; ``name`` is empty where it is
that of the wheel before. What several wheels have in common stands once in a column of its own, and each of them has
its number.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, TypeVar, cast, get_args

from tumpline.catalogue.checks import check_content
from tumpline.catalogue.content import (
    Content,
    Depth,
    FileNote,
    ModuleEvidence,
    ModuleNote,
    Needs,
    NoteKind,
    View,
    WheelRow,
)
from tumpline.catalogue.decoding import DIGEST
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name

if TYPE_CHECKING:
    from tumpline.catalogue.model import Grade

__all__ = ["COLUMNS", "content_of_columns", "to_columns"]

_OF_A_WHEEL = (
    *("name", "spelling", "version", "layer", "tags", "build", "pythons", "size", "time", "nanosecond", "needs"),
    "record",
)
COLUMNS = ("tables", *_OF_A_WHEEL, "layers-named", "tags-named", "needs-named", "digests")
"""The columns in the order of the file; ``docs/reference/snapshot.md`` says what stands in each."""

_SECOND = 1_000_000_000

_MOST_VALUES = 1_000_000
"""Values of the small tables: those of the largest wheelhouse have some ten thousand."""

_LONGEST_PYTHONS = 400
"""Characters that say for which Pythons a wheel is listed; six take 30."""

T = TypeVar("T", bound=Hashable)


def to_columns(content: Content) -> dict[str, bytes]:
    """Return the columns of a content, uncompressed."""
    wheels = sorted(content.wheels, key=lambda row: row.name)
    layers, tags = _Numbers[str](), _Numbers[str]()
    needs, digests = _Numbers[Needs](), _Numbers[bytes]()
    names = [row.name for row in wheels]
    columns = {
        "tables": _json(
            {
                "site": content.site,
                "grade": content.grade,
                "date": content.date,
                "made-by": content.made_by,
                "fingerprint": content.fingerprint,
                "sources": content.sources,
                "layers": content.layers,
                "depth": content.depth,
                "dummies": [[each.name, each.module] for each in content.dummies],
                "modules": _grouped(content.modules),
                "pythons": content.pythons,
                "views": content.views,
                "module-notes": content.module_notes,
                "notes": content.notes,
            }
        ),
        "name": _lines("" if before == name else name for before, name in zip(["", *names], names, strict=False)),
        "spelling": _lines("" if row.spelling == row.name.replace("-", "_") else row.spelling for row in wheels),
        "version": _lines(row.version for row in wheels),
        "layer": _lines(layers.of(row.layer) for row in wheels),
        "tags": _lines(tags.of(row.tags) for row in wheels),
        "build": _lines(row.build for row in wheels),
        "pythons": _lines(" ".join(row.pythons) for row in wheels),
        "size": _lines("" if row.size is None else str(row.size) for row in wheels),
        "time": _lines(_steps([row.mtime_ns // _SECOND for row in wheels])),
        "nanosecond": _lines(str(row.mtime_ns % _SECOND or "") for row in wheels),
        "needs": _lines("" if row.needs is None else needs.of(row.needs) for row in wheels),
        "record": _lines(digests.of(row.record) if row.record else "" for row in wheels),
    }
    columns["layers-named"] = _lines(layers.values)
    columns["tags-named"] = _lines(tags.values)
    columns["needs-named"] = b"".join(_json(value) + b"\n" for value in needs.values)
    columns["digests"] = b"".join(digests.values)
    return columns


def content_of_columns(columns: Mapping[str, bytes], count: int) -> Content:
    """Return the content of the columns of `count` wheels.

    Raises ValueError, TypeError or LookupError for columns that make no sense, and for values that no wheelhouse has: a
    catalogue's names become parts of paths where wheels are installed.
    """
    for name, most in (("tables", _MOST_VALUES), ("needs-named", _MOST_VALUES + 16 * count)):
        # Counted before they are made: a bracket takes a byte, a list fifty.
        if sum(map(columns[name].count, (b"[", b"{", b"," if name == "tables" else b"{"))) > most:
            raise ValueError(f"{name} has too many values")
    tables = json.loads(columns["tables"])
    if not isinstance(tables, dict):
        raise TypeError("the tables are none")
    layers, tags = _values(columns["layers-named"], count), _values(columns["tags-named"], count)
    named = columns["needs-named"].splitlines()
    if len(named) > count:
        raise ValueError("there are more needs than wheels")
    needs = [Needs(*_texts(json.loads(line), 3)) for line in named]
    wheels = tuple(_wheels(columns, layers, tags, needs, count))
    content = Content(
        site=_text(tables["site"]),
        grade=cast("Grade", _one_of(tables["grade"], ("scanned", "listed"))),
        date=_text(tables["date"]),
        made_by=_text(tables["made-by"]),
        sources=tuple(_texts(tables["sources"])),
        layers=tuple(_texts(tables["layers"])),
        wheels=wheels,
        dummies=tuple(Dummy(Name(name), module) for name, module in map(_pair, tables["dummies"])),
        modules=tuple(_ungrouped(tables["modules"])),
        pythons=tuple(map(_pair, tables["pythons"])),
        notes=tuple(_note(row) for row in tables["notes"]),
        depth=cast("Depth", _one_of(tables["depth"], get_args(Depth))),
        fingerprint=_text(tables["fingerprint"]),
        views=tuple(_view(*row) for row in tables["views"]),
        # The first snapshots were without.
        module_notes=tuple(_module_note(*row) for row in tables.get("module-notes", ())),
    )
    check_content(content)
    return content


def _wheels(
    columns: Mapping[str, bytes], layers: Sequence[str], tags: Sequence[str], needs: Sequence[Needs], count: int
) -> Iterator[WheelRow]:
    digests = columns["digests"]
    if len(digests) % DIGEST or len(digests) > DIGEST * count:
        raise ValueError("the digests are cut short, or too many")
    records = [digests[start : start + DIGEST] for start in range(0, len(digests), DIGEST)]
    own = {name: _values(columns[name], count, exactly=True) for name in _OF_A_WHEEL}
    name = ""
    times = accumulate(_number(step, signed=True) for step in own["time"])
    for named, spelling, version, layer, tag, build, pythons, size, time, nanosecond, need, record in zip(
        *(own[column] for column in _OF_A_WHEEL[:8]),
        times,
        *(own[column] for column in _OF_A_WHEEL[9:]),
        strict=True,
    ):
        name = named or name
        if len(pythons) > _LONGEST_PYTHONS:
            raise ValueError("a wheel is for too many Pythons")
        yield WheelRow(
            Name(name),
            version,
            layers[_number(layer)],
            tags[_number(tag)],
            build,
            spelling or name.replace("-", "_"),
            tuple(pythons.split()),
            _number(size) if size else None,
            time * _SECOND + _number(nanosecond or "0"),
            needs[_number(need)] if need else None,
            records[_number(record)] if record else b"",
        )


def _module_note(environment: object, module: object, version: object, evidence: object, needs: object) -> ModuleNote:
    names = _texts([environment, module, version], 3)
    known = cast("ModuleEvidence", _one_of(evidence, get_args(ModuleEvidence)))
    return ModuleNote(names[0], names[1], names[2], known, tuple(_texts(needs)))


class _Numbers(Generic[T]):
    """Gives each distinct value a number, from 0, in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[T, str] = {}

    def of(self, value: T) -> str:
        """Return the number of a value as text."""
        return self._numbers.setdefault(value, str(len(self._numbers)))

    @property
    def values(self) -> Iterable[T]:
        """The values in the order of their numbers."""
        return self._numbers


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _lines(values: Iterable[str]) -> bytes:
    """Return a line for each value; a value that is not one line could not be told from two."""
    lines = list(values)
    if any("\n" in line for line in lines):
        raise ValueError("a value has several lines")
    return "".join(f"{line}\n" for line in lines).encode()


def _values(column: bytes, most: int, *, exactly: bool = False) -> list[str]:
    # Counted before they are made: a line feed takes a byte, a text fifty.
    found = column.count(b"\n")
    if found > most or (exactly and found < most):
        raise ValueError("a column has too many or too few values")
    lines = column.decode().split("\n")
    if lines.pop():
        raise ValueError("a column is cut short")
    return lines


def _number(text: str, *, signed: bool = False) -> int:
    digits = text.removeprefix("-") if signed else text
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 20):
        raise ValueError("a number is none")
    return int(text)


def _steps(numbers: Sequence[int]) -> Iterator[str]:
    """Yield each number as its distance from the one before: times that are near each other make short steps."""
    for before, number in zip([0, *numbers], numbers, strict=False):
        yield str(number - before)


def _grouped(packages: Iterable[ModulePackage]) -> list[list[object]]:
    """Return modules with the Pythons of one (environment, module, version, package, version) together."""
    pythons: dict[tuple[str, ...], list[str]] = {}
    for row in packages:
        key = (row.environment, row.module, row.module_version, row.name, row.version)
        pythons.setdefault(key, []).append(row.python)
    return [[*key, found] for key, found in pythons.items()]


def _ungrouped(rows: Iterable[Sequence[object]]) -> Iterator[ModulePackage]:
    for *key, pythons in rows:
        environment, module, module_version, name, version = _texts(key, 5)
        for python in _texts(pythons):
            yield ModulePackage(environment, module, module_version, python, Name(name), version)


def _view(site: object, environment: object, level: object, layers: object) -> View:
    names = _texts([site, environment, level], 3)
    return View(names[0], names[1], names[2], tuple(_texts(layers)))


def _note(row: Sequence[object]) -> FileNote:
    layer, file, kind, code, why = _texts(row[:5], 5)
    size, mtime_ns = row[5:]
    if not isinstance(size, int) or not isinstance(mtime_ns, int):
        raise TypeError("a note has no size or time")
    return FileNote(layer, file, cast("NoteKind", _one_of(kind, get_args(NoteKind))), code, why, size, mtime_ns)


def _texts(values: object, count: int | None = None) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("what should be texts is something else")
    if count is not None and len(values) != count:
        raise ValueError("there are too many or too few values")
    return values


def _text(value: object) -> str:
    return _texts([value])[0]


def _pair(row: object) -> tuple[str, str]:
    one, other = _texts(row, 2)
    return one, other


def _one_of(value: object, choices: Sequence[str]) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is none of {', '.join(choices)}")
    return str(value)
