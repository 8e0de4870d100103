"""The rows of a catalogue's file as wheels again; `tumpline.catalogue.schema` says what they mean."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tumpline.catalogue.content import Needs, WheelRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tumpline.values import Name

__all__ = ["DIGEST", "Decoder"]

DIGEST = 32
"""Bytes of a sha256."""

_NOTHING = ("",) * 8
"""What stands for the fields of a line that are left out at its end."""


class Decoder:
    """Turns rows of ``projects`` back into wheels; `minors`, `layers` and `tags` are those tables.

    Raises ValueError for tags that are none.
    """

    def __init__(self, layers: Sequence[str], tags: Sequence[str], minors: Sequence[str]) -> None:
        if any(each.count("-") != 2 for each in tags):
            raise ValueError("tags of a wheel are three: INTERPRETER-ABI-PLATFORM")
        self._layers = ("", *layers)
        self._tags = ("", *tags)
        self._minors = tuple(minors)

    def pythons(self, bits: str) -> tuple[str, ...]:
        """Return the Pythons of a bit set."""
        number = int(bits or "0", 16)
        return tuple(python for bit, python in enumerate(self._minors) if number >> bit & 1)

    def offered(self, name: Name, lines: str, needs: str = "") -> Iterator[WheelRow]:
        """Give the wheels of a project without times and digests, which most questions are not about.

        What they need is in them where that column is given. Raises as `wheels` does, for a line only when it is
        reached.
        """
        usual = name.replace("-", "_")
        said = _said(needs)
        for line in lines.split("\n"):
            fields = line.split("\t")
            fields += _NOTHING[len(fields) :]
            version, pythons, layer, tags, size, need, build, spelling = fields
            yield WheelRow(
                name,
                version,
                self._layers[int(layer or 0)],
                self._tags[int(tags or 0)],
                build,
                spelling or usual,
                self.pythons(pythons) if pythons else (),
                int(size) if size else None,
                needs=said[int(need)] if needs and need else None,
            )

    def wheels(self, name: Name, lines: str, needs: str, mtimes: bytes, records: bytes) -> Iterator[WheelRow]:
        """Give the wheels of a project; raises ValueError, TypeError or LookupError for rows that make no sense."""
        usual = name.replace("-", "_")
        if len(mtimes) % 8:
            raise ValueError("times are cut short")
        said = _said(needs)
        times = struct.unpack(f">{len(mtimes) // 8}q", mtimes)
        start = -DIGEST
        # Written out, not shared with `offered`: whoever asks for a thousand names gets tens of thousands of wheels.
        for line, mtime_ns in zip(lines.split("\n"), times, strict=True):
            start += DIGEST
            fields = line.split("\t")
            fields += _NOTHING[len(fields) :]
            version, pythons, layer, tags, size, need, build, spelling = fields
            yield WheelRow(
                name,
                version,
                self._layers[int(layer or 0)],
                self._tags[int(tags or 0)],
                build,
                spelling or usual,
                self.pythons(pythons) if pythons else (),
                int(size) if size else None,
                mtime_ns,
                said[int(need or 0)],
                records[start : start + DIGEST] if need else b"",
            )


def _said(needs: str) -> list[Needs | None]:
    """Return what the METADATA files of a project say, by number; the first is for a wheel that was not read."""
    if not needs:
        return [None]
    import json

    return [None, *(_needs(*texts) for texts in json.loads(needs))]


def _needs(requires_python: str, extras: str, requires_dist: str) -> Needs:
    """Check the types, since JSON may hold anything."""
    return Needs("".join(requires_python), "".join(extras), "".join(requires_dist))
