"""Core metadata: the few fields of METADATA that a resolution needs."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CoreMetadata", "parse_metadata"]


@dataclass(frozen=True, slots=True)
class CoreMetadata:
    """Name, version, dependencies, Requires-Python and extras, as written in METADATA."""

    name: str
    version: str
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    extras: tuple[str, ...] = ()


def parse_metadata(content: bytes) -> CoreMetadata:
    """Read the fields above from a METADATA or PKG-INFO file.

    Tolerant, since wheelhouses hold old wheels: unknown fields, odd encodings and continuation lines are no
    error, and a missing name or version comes back empty for the caller to judge.
    """
    name = version = requires_python = ""
    requires_dist: list[str] = []
    extras: list[str] = []
    headers, _, _ = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    for line in headers.decode("utf-8", "replace").replace("\n ", " ").replace("\n\t", " ").split("\n"):
        field, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.strip()
        match field.lower():
            case "name":
                name = value
            case "version":
                version = value
            case "requires-dist":
                requires_dist.append(value)
            case "requires-python":
                requires_python = value
            case "provides-extra":
                extras.append(value)
    return CoreMetadata(name, version, tuple(requires_dist), requires_python, tuple(extras))
