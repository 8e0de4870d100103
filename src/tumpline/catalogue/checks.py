"""What a content from elsewhere may hold: its names become parts of paths where wheels are installed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tumpline.values import normalise
from tumpline.wheels.name import split_wheel_name

if TYPE_CHECKING:
    from tumpline.catalogue.content import Content, WheelRow

__all__ = ["check_content"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOST = 2**63


def check_content(content: Content) -> None:
    """Raise ValueError for a content that no scan and no list can have made."""
    if not _DAY.fullmatch(content.date):
        raise ValueError("its date is none")
    for text in (content.site, content.made_by, content.fingerprint):
        _check_line(text)
    _check_layers(content.layers)
    for dummy in content.dummies:
        _check_part(dummy.name)
    for wheel in content.wheels:
        _check_wheel(wheel)
    for note in content.notes:
        if not (0 <= note.size < _MOST and -_MOST <= note.mtime_ns < _MOST):
            raise ValueError("a number is out of range")
    for view in content.views:
        _check_layers(view.layers)


def _check_layers(layers: Iterable[str]) -> None:
    for layer in layers:
        _check_line(layer)
        # A layer's name is a relative path with forward slashes, on every system.
        if "\\" in layer or ":" in layer or any(part in ("", ".", "..") for part in layer.split("/")):
            raise ValueError(f"the layer {layer!r} leads out of the wheelhouse")


def _check_wheel(wheel: WheelRow) -> None:
    for text in (wheel.version, wheel.build, wheel.spelling, wheel.tags, *wheel.pythons):
        _check_part(text)
    if normalise(wheel.spelling) != wheel.name or not wheel.version:
        raise ValueError(f"a wheel of {wheel.name} is called otherwise")
    if wheel.tags and split_wheel_name(wheel.file) is None:
        raise ValueError(f"{wheel.file!r} is not the name of a wheel")
    if not (0 <= (wheel.size or 0) < _MOST and -_MOST <= wheel.mtime_ns < _MOST):
        raise ValueError("a number is out of range")


def _check_part(text: str) -> None:
    _check_line(text)
    if "/" in text:
        raise ValueError(f"{text!r} is no part of a file name")


def _check_line(text: str) -> None:
    if not text.isprintable():
        raise ValueError(f"{text[:50]!r} can not be printed")
