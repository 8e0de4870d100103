"""Core metadata: the few fields of METADATA that a resolution needs."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["CoreMetadata", "parse_metadata"]

_FIELDS = re.compile(
    r"\n(?=[nvrp])(name|version|requires-dist|requires-python|provides-extra)[ \t]*:(.*(?:\n[ \t].*)*)", re.IGNORECASE
)
"""The fields of interest, each with its continuation lines; everything else is passed over without being cut up."""


class CoreMetadata(NamedTuple):
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
    end = content.find(b"\n\n")
    if end < 0 or content.find(b"\r", 0, end) >= 0:
        content = content.replace(b"\r\n", b"\n")
        end = content.find(b"\n\n")
    # Decoded in one go: a field at a time costs more than the search for the fields.
    headers = "\n" + (content if end < 0 else content[:end]).decode("utf-8", "replace")
    name = version = requires_python = ""
    requires_dist: list[str] = []
    extras: list[str] = []
    for field, raw in _FIELDS.findall(headers):
        value = raw.replace("\n", "").strip()
        field = field.lower()
        if field == "requires-dist":
            requires_dist.append(value)
        elif field == "provides-extra":
            extras.append(value)
        elif field == "name":
            name = value
        elif field == "version":
            version = value
        else:
            requires_python = value
    return CoreMetadata(name, version, tuple(requires_dist), requires_python, tuple(extras))
