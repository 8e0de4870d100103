"""Typed access to the tables of a profile; every complaint names its file and key (``environments.2023.pythons``)."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.errors import InputError, Problem

__all__ = ["Complaints", "Form", "Table"]

_ENOUGH = 20
"""So many complaints tell the story; a damaged file could make thousands."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Form:
    """What a string must look like as a whole, and the words for it."""

    pattern: re.Pattern[str]
    words: str


class Complaints:
    """What is wrong with a profile: collected, so that a person sees all of it at once.

    `origins` says which file a key path came from, since profiles inherit; ``""`` is the profile itself.
    """

    def __init__(self, origins: Mapping[str, Path]) -> None:
        self._origins = origins
        self._problems: list[Problem] = []

    def add(self, path: str, message: str, hint: str = "") -> None:
        """Note that the value at a key path can not be used."""
        hint = hint or "see the reference of site profiles in the documentation"
        if len(self._problems) < _ENOUGH:
            where = str(self._origins[self._known(path)])
            self._problems.append(Problem("bad-profile", f"{path}: {message}", where=where, hint=hint))

    def finish(self) -> None:
        """Raise InputError ``bad-profile`` with everything noted, if anything was."""
        if self._problems:
            raise InputError(*self._problems)

    def _known(self, path: str) -> str:
        """Return the longest beginning of a key path whose origin is known."""
        while path and path not in self._origins:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return path


class Table:
    """One TOML table. A value that can not be used is noted and comes back as the default, so that reading goes on.

    Call `done` at the end: keys that nobody asked for are complaints as well.
    """

    __slots__ = ("_complaints", "_path", "asked", "values")

    def __init__(self, values: Mapping[str, object], complaints: Complaints, path: str = "") -> None:
        self.values = values
        self.asked: set[str] = set()
        self._complaints = complaints
        self._path = path

    def complain(self, key: str, message: str, hint: str = "") -> None:
        """Note what is wrong with a key."""
        self._complaints.add(self._path + _shown(key), message, hint)

    def done(self) -> None:
        """Complain about keys that were never asked for."""
        for key in self.values:
            if key not in self.asked:
                near = difflib.get_close_matches(key, sorted(self.asked), 1)
                self.complain(key, "there is no such key", f"did you mean {near[0]}?" if near else "")

    def need(self, *keys: str) -> None:
        """Complain about keys that are not there."""
        for key in keys:
            if key not in self.values:
                self.complain(key, "is missing")

    def text(self, key: str, default: str = "", *, form: Form | None = None, choices: Sequence[str] = ()) -> str:
        """Return a string of that form, or one of `choices`; `default` where the key is absent."""
        self.asked.add(key)
        if key not in self.values:
            return default
        value = self.values[key]
        if not isinstance(value, str):
            self.complain(key, f"expected a string, found {_kind(value)}")
        elif choices and value not in choices:
            self.complain(key, f"expected one of {', '.join(choices)}, found {_quoted(value)}")
        elif self._fits(key, value, form):
            return value
        return default

    def texts(self, key: str, *, form: Form | None = None) -> tuple[str, ...]:
        """Return an array of strings, each of that form; those that are not are left out."""
        self.asked.add(key)
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.complain(key, "expected an array of strings")
            return ()
        return tuple(item for item in value if self._fits(key, item, form))

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        self.asked.add(key)
        value = self.values.get(key, default)
        if isinstance(value, bool):
            return value
        self.complain(key, f"expected true or false, found {_kind(value)}")
        return default

    def count(self, key: str) -> int | None:
        """Return a whole number that is not negative, or None where the key is absent."""
        self.asked.add(key)
        value = self.values.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        self.complain(key, f"expected a whole number, found {_kind(value)}")
        return None

    def table(self, key: str) -> Table:
        """Return a table below this one; an empty one where it is missing."""
        self.asked.add(key)
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.complain(key, f"expected a table, found {_kind(value)}")
            value = {}
        return Table(value, self._complaints, f"{self._path}{_shown(key)}.")

    def rows(self, key: str) -> Iterator[Table]:
        """Return an array of tables."""
        self.asked.add(key)
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.complain(key, "expected an array of tables")
            return
        for position, item in enumerate(value):
            yield Table(item, self._complaints, f"{self._path}{_shown(key)}[{position}].")

    def names(self, form: Form) -> tuple[str, ...]:
        """Return the keys of a table whose keys are names, each of that form; those that are not are left out."""
        self.asked.update(self.values)
        return tuple(key for key in self.values if self._fits(key, key, form))

    def _fits(self, key: str, value: str, form: Form | None) -> bool:
        if form is not None and not form.pattern.fullmatch(value):
            self.complain(key, f"{_quoted(value)} is not {form.words}")
            return False
        # What is shown later must not be able to steer a terminal.
        if not value.isprintable():
            self.complain(key, f"{_quoted(value)} has characters that can not be shown")
            return False
        return True


def _shown(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= 80 else f"{text[:80]}…")


def _kind(value: object) -> str:
    names = {bool: "true or false", str: "a string", list: "an array", dict: "a table", float: "a fraction"}
    if isinstance(value, int) and not isinstance(value, bool):
        return "a negative number" if value < 0 else "a number"
    return names.get(type(value), "a date or time")
