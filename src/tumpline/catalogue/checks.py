"""What a content from elsewhere may hold: its names become parts of paths where wheels are installed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from tumpline.values import normalise
from tumpline.wheels.name import split_wheel_name

if TYPE_CHECKING:
    from tumpline.catalogue.content import Content, WheelRow

__all__ = ["check_content"]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9._+/-]+")
_PYTHON = re.compile(r"\d+(?:\.\d+)+[A-Za-z0-9.+]*", re.ASCII)
_MOST = 2**63


def check_content(content: Content) -> None:
    """Raise ValueError for a content that no scan and no list can have made."""
    if not _DAY.fullmatch(content.date):
        raise ValueError("its date is none")
    date.fromisoformat(content.date)
    for text in (content.site, content.made_by, content.fingerprint, *content.sources):
        _check_line(text)
    _check_modules(content)
    _check_layers(content.layers)
    for dummy in content.dummies:
        _check_part(dummy.name)
    _check_once((dummy.name for dummy in content.dummies), "a dummy")
    _check_once(content.pythons, "a Python")
    _check_once(((note.layer, note.file) for note in content.notes), "a file")
    _check_once(((wheel.layer, wheel.file) for wheel in content.wheels if wheel.tags), "a wheel")
    for wheel in content.wheels:
        _check_wheel(wheel)
    for note in content.notes:
        if not (0 <= note.size < _MOST and -_MOST <= note.mtime_ns < _MOST):
            raise ValueError("a number is out of range")
        for text in (note.layer, note.file, note.code):
            _check_line(text)
    for view in content.views:
        _check_layers(view.layers)


def _check_modules(content: Content) -> None:
    """Modules and Pythons are typed into shells, and parts of commands that are shown to be typed."""
    words: list[tuple[str, ...]] = [
        (row.environment, row.module, row.module_version, row.python) for row in content.modules
    ]
    words += [(note.environment, note.module, note.version, *note.needs) for note in content.module_notes]
    words += [(dummy.module,) for dummy in content.dummies]
    words += [(view.site, view.environment, view.level) for view in content.views]
    for word in {word for row in words for word in row}:
        if word and not _WORD.fullmatch(word):
            raise ValueError(f"{word[:50]!r} is not the name of a module, a site or an environment")
    for environment, python in content.pythons:
        if not _WORD.fullmatch(environment or "-") or not _PYTHON.fullmatch(python):
            raise ValueError(f"{python[:50]!r} is no version of Python")
    for row in content.modules:
        _check_part(row.name)
        _check_part(row.version)
    _check_once((note[:3] for note in content.module_notes), "a module")


def _check_once(things: Iterable[object], what: str) -> None:
    seen: set[object] = set()
    for thing in things:
        if thing in seen:
            raise ValueError(f"{what} is there twice")
        seen.add(thing)


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
