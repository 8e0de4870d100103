"""Typed access to the tables of a lock; every complaint names its key path (``package[3].pin[0].file``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tumpline.errors import InputError, Problem

__all__ = ["Complaints", "Rule", "Table"]

Rule = Callable[[str], str]
Choice = TypeVar("Choice", bound=str)

_ENOUGH = 20
"""So many complaints tell the story; a damaged file could make thousands."""

_LARGEST = 2**53
"""The largest size in bytes that is believed (and that every reader of JSON keeps exactly)."""


class Complaints:
    """What is wrong with one file: collected, so that a person sees all of it at once."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._problems: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        """Note that the value at a key path can not be used."""
        if len(self._problems) < _ENOUGH:
            self._problems.append(
                Problem(
                    "lock-damaged",
                    f"{path} {message}",
                    where=self._where,
                    why="the file is not what this version of tumpline writes",
                    hint="restore the file from version control, or make it anew: tumpline lock",
                )
            )

    def finish(self) -> None:
        """Raise InputError with everything noted, if anything was."""
        if self._problems:
            raise InputError(*self._problems)


class Table:
    """One TOML table. A value that can not be used is noted and comes back empty, so that reading goes on.

    Call `done` at the end: keys that nobody asked for are complaints as well.
    """

    __slots__ = ("_complaints", "_path", "_unread", "_values")

    def __init__(self, values: Mapping[str, object], path: str, complaints: Complaints) -> None:
        self._values = values
        self._path = path
        self._complaints = complaints
        self._unread = dict.fromkeys(values)

    def complain(self, key: str, message: str) -> None:
        """Note a complaint about a key of this table."""
        self._complaints.add(f"{self._path}.{key}" if self._path else key, message)

    def text(self, key: str, rule: Rule, default: str | None = None) -> str:
        """Return a string that obeys the rule; `default` where the key is absent, else it is required."""
        value = self._take(key)
        if value is None:
            if default is None:
                self.complain(key, "is missing")
            return default or ""
        return self._checked(key, value, rule)

    def texts(self, key: str, rule: Rule, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return an array of strings that obey the rule; `default` where the key is absent."""
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, list):
            self.complain(key, "is not an array")
            return default
        return tuple(self._checked(f"{key}[{index}]", item, rule) for index, item in enumerate(value))

    def choice(self, key: str, choices: tuple[Choice, ...], *, required: bool = False) -> Choice | None:
        """Return one of the choices, or None where the key is absent (or its value is none of them)."""
        value = self._take(key)
        if value is None and required:
            self.complain(key, "is missing")
        for choice in choices:
            if value == choice:
                return choice
        if value is not None:
            self.complain(key, f"is none of {', '.join(choices)}")
        return None

    def flag(self, key: str) -> bool:
        """Return a boolean, False where the key is absent."""
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self.complain(key, "is neither true nor false")
        return False

    def size(self, key: str) -> int | None:
        """Return a count of bytes, or None where the key is absent."""
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
            self.complain(key, "is not a size in bytes")
            return None
        return value

    def tables(self, key: str) -> Iterator[Table]:
        """Go through an array of tables; an absent key is an empty one."""
        value = self._take(key)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.complain(key, "is not an array of tables")
            return
        path = f"{self._path}.{key}" if self._path else key
        for index, item in enumerate(value):
            yield Table(item, f"{path}[{index}]", self._complaints)

    def skip(self, *keys: str) -> None:
        """Take note that these keys were read elsewhere."""
        for key in keys:
            self._unread.pop(key, None)

    def done(self) -> None:
        """Complain about every key that was not read."""
        for key in self._unread:
            self.complain(key, "is not a known key")

    def _take(self, key: str) -> object:
        self._unread.pop(key, None)
        return self._values.get(key)

    def _checked(self, key: str, value: object, rule: Rule) -> str:
        if not isinstance(value, str):
            self.complain(key, "is not a string")
            return ""
        if wanted := rule(value):
            self.complain(key, f"is not {wanted}: {value[:80]!r}")
            return ""
        return value
