"""A catalogue's content as the rows of its file, and the digest of them that is its identity."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tumpline.catalogue.content import Content, Needs, WheelRow
from tumpline.values import Name, version_key

__all__ = ["DIGEST", "Decoder", "Tables", "encode"]

DIGEST = 32
"""Bytes of a sha256."""

_FIELDS = 8

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Tables:
    """The rows of all tables that answer questions, in their order; `schema` says what they mean.

    Numbers are given in sorted order of what they stand for, so equal content gives equal rows. `identity` covers all
    of them but times (R14): it depends on neither when, where nor in what order a wheelhouse was read.
    """

    layers: tuple[str, ...]
    tags: tuple[str, ...]
    minors: tuple[str, ...]
    projects: tuple[tuple[str, str, str, bytes, bytes], ...]
    dummies: tuple[tuple[str, str], ...]
    modules: tuple[tuple[str, str, str, str, str, str], ...]
    pythons: tuple[tuple[str, str], ...]
    identity: str


def encode(content: Content) -> Tables:
    """Turn content into rows."""
    minors = _minors(content)
    bits = {python: 1 << bit for bit, python in enumerate(minors)}
    tags = tuple(sorted({wheel.tags for wheel in content.wheels if wheel.tags}))
    projects = tuple(_projects(content, tags, bits))
    dummies = tuple(sorted((dummy.name, dummy.module) for dummy in content.dummies))
    modules = tuple(_modules(content, bits))
    pythons = tuple(sorted(content.pythons))
    digest = hashlib.sha256(f"tumpline-catalogue-2\0{content.grade}\0".encode())
    for table in (content.layers, tags, minors, dummies, modules, pythons):
        digest.update(f"{len(table)}\0".encode())
        for row in table:
            digest.update(("\0".join((row,) if isinstance(row, str) else row) + "\0\0").encode())
    for name, lines, needs, _, records in projects:
        digest.update(f"{name}\0{lines}\0{needs}\0".encode())
        digest.update(records)
    identity = f"sha256:{digest.hexdigest()}"
    return Tables(content.layers, tags, minors, projects, dummies, modules, pythons, identity)


class Decoder:
    """Turns rows of ``projects`` back into wheels; `minors`, `layers` and `tags` are those tables."""

    def __init__(self, layers: Sequence[str], tags: Sequence[str], minors: Sequence[str]) -> None:
        self._layers = ("", *layers)
        self._tags = ("", *tags)
        self._minors = tuple(minors)

    def pythons(self, bits: str) -> tuple[str, ...]:
        """Return the Pythons of a bit set."""
        number = int(bits or "0", 16)
        return tuple(python for bit, python in enumerate(self._minors) if number >> bit & 1)

    def offered(self, name: Name, lines: str) -> Iterator[WheelRow]:
        """Give the wheels of a project without times, needs and digests, which most questions are not about.

        Raises as `wheels` does, for a line only when it is reached.
        """
        usual = name.replace("-", "_")
        for line in lines.split("\n"):
            yield self._row(name, usual, line.split("\t"))[0]

    def _row(self, name: Name, usual: str, fields: list[str]) -> tuple[WheelRow, str]:
        """Return the wheel of a line, and the number of its needs as text."""
        fields += [""] * (_FIELDS - len(fields))
        version, pythons, layer, tags, size, need, build, spelling = fields
        row = WheelRow(
            name,
            version,
            self._layers[int(layer or 0)],
            self._tags[int(tags or 0)],
            build,
            spelling or usual,
            self.pythons(pythons) if pythons else (),
            int(size) if size else None,
        )
        return row, need

    def wheels(self, name: Name, lines: str, needs: str, mtimes: bytes, records: bytes) -> Iterator[WheelRow]:
        """Give the wheels of a project; raises ValueError, TypeError or LookupError for rows that make no sense."""
        usual = name.replace("-", "_")
        if len(mtimes) % 8:
            raise ValueError("times are cut short")
        said = [None, *(_needs(*texts) for texts in json.loads(needs))] if needs else [None]
        times = struct.unpack(f">{len(mtimes) // 8}q", mtimes)
        for index, (line, mtime_ns) in enumerate(zip(lines.split("\n"), times, strict=True)):
            row, need = self._row(name, usual, line.split("\t"))
            record = records[index * DIGEST : (index + 1) * DIGEST] if need else b""
            yield WheelRow(*row[:8], mtime_ns, said[int(need or 0)], record)


def _needs(requires_python: str, extras: str, requires_dist: str) -> Needs:
    """Check the types, since JSON may hold anything."""
    return Needs("".join(requires_python), "".join(extras), "".join(requires_dist))


def _projects(
    content: Content, tags: Sequence[str], bits: Mapping[str, int]
) -> Iterator[tuple[str, str, str, bytes, bytes]]:
    layer_numbers = _numbers(content.layers)
    tag_numbers = _numbers(tags)
    ages = _ages({wheel.version for wheel in content.wheels})
    projects: dict[Name, list[WheelRow]] = {}
    for wheel in content.wheels:
        projects.setdefault(wheel.name, []).append(wheel)
    for project in sorted(projects):
        usual = project.replace("-", "_")
        needs = sorted({wheel.needs for wheel in projects[project] if wheel.needs is not None})
        need_numbers: dict[Needs | None, str] = {need: str(number) for number, need in enumerate(needs, 1)}
        need_numbers[None] = ""
        rows: list[tuple[int, str, int, bytes]] = []
        for _, version, layer, tag, build, spelling, pythons, size, mtime_ns, need, record in projects[project]:
            held = f"{sum(bits[python] for python in pythons):x}" if pythons else ""
            length = "" if size is None else size
            line = f"{version}\t{held}\t{layer_numbers[layer]}\t{tag_numbers[tag]}\t{length}\t{need_numbers[need]}"
            if build or spelling != usual:
                line += f"\t{build}\t{'' if spelling == usual else spelling}"
            line = line.rstrip("\t")
            rows.append((ages[version], line, mtime_ns, record))
        rows.sort()
        mtimes = struct.pack(f">{len(rows)}q", *[row[2] for row in rows])
        records = b"".join([row[3].ljust(DIGEST, b"\0") for row in rows]) if needs else b""
        yield project, "\n".join([row[1] for row in rows]), _json(needs) if needs else "", mtimes, records


def _ages(versions: Iterable[str]) -> dict[str, int]:
    """Number versions, the newest first, so that questions about the latest need not compare any."""
    return {version: age for age, version in enumerate(sorted(sorted(versions), key=version_key, reverse=True))}


def _numbers(values: Iterable[str]) -> dict[str, str]:
    """Number values from 1, as text; nothing is the number of nothing."""
    numbers = {value: str(number) for number, value in enumerate(values, 1)}
    numbers[""] = ""
    return numbers


def _minors(content: Content) -> tuple[str, ...]:
    listed = {python for wheel in content.wheels for python in wheel.pythons}
    named = listed | {package.python for package in content.modules}
    return tuple(
        sorted(named, key=lambda python: ([int(part) for part in python.split(".") if part.isdecimal()], python))
    )


def _modules(content: Content, bits: Mapping[str, int]) -> Iterator[tuple[str, str, str, str, str, str]]:
    pythons: dict[tuple[str, str, str, str, str], int] = {}
    for package in content.modules:
        key = (str(package.name), package.environment, package.module, package.module_version, package.version)
        pythons[key] = pythons.get(key, 0) | bits[package.python]
    for key, number in sorted(pythons.items()):
        yield *key, f"{number:x}"
