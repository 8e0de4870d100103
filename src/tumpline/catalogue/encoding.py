"""A catalogue's content as the rows of its file, and the digest of them that is its identity."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tumpline.catalogue.content import Content, Needs, WheelRow
from tumpline.catalogue.decoding import DIGEST
from tumpline.values import Name, version_key

__all__ = ["IDENTITY_SCHEME", "Tables", "encode"]

IDENTITY_SCHEME = 2
"""Raised whenever `Tables.identity` is worked out in another way, so that identities of before are not compared."""

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
    digest = hashlib.sha256(f"tumpline-catalogue-{IDENTITY_SCHEME}\0{content.grade}\0".encode())
    for table in (content.layers, tags, minors, dummies, modules, pythons):
        digest.update(f"{len(table)}\0".encode())
        for row in table:
            digest.update(("\0".join((row,) if isinstance(row, str) else row) + "\0\0").encode())
    for name, lines, needs, _, records in projects:
        digest.update(f"{name}\0{lines}\0{needs}\0".encode())
        digest.update(records)
    identity = f"sha256:{digest.hexdigest()}"
    return Tables(content.layers, tags, minors, projects, dummies, modules, pythons, identity)


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
