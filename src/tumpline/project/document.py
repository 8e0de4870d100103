"""A pyproject.toml in memory: typed access to its values, and complaints that name key path and line.

Complaints are collected, so that a person sees all of them at once; `Document.finish` raises them. A value of the wrong
type is complained of and comes back as None, so that reading goes on.
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from tumpline.errors import InputError, Problem
from tumpline.project.lines import KeyLines, KeyPath, show_keys

__all__ = ["Document", "nearest", "quoted", "type_name"]

_LARGEST = 4 * 1024 * 1024
"""Bytes; real ones are a hundred times smaller, and a hostile one should not fill the memory."""

_ENOUGH = 100
"""So many complaints about one file tell the story."""

_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "a table"),
)


def quoted(text: str, longest: int = 100) -> str:
    """Return the text in quotes for a message: shortened, and with control characters made visible."""
    return repr(text if len(text) <= longest else f"{text[: longest - 1]}…")


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return a hint that names the closest choice, or all of them where none is close; empty without choices."""
    from difflib import get_close_matches  # only ever needed for a complaint

    known = sorted(choices)
    if close := get_close_matches(word, known, n=1):
        return f"did you mean {close[0]}?"
    return f"choose one of: {', '.join(known)}" if known else ""


def type_name(value: object) -> str:
    """Say in TOML's words what kind of value this is."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "a date or time")


class Document:
    """One parsed file. `path` is as the user gave it, and heads every complaint."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text
        self._data = _parse(path, text)
        self._lines: KeyLines | None = None
        self._problems: list[Problem] = []
        self._notes: dict[Problem, None] = {}

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read a file.

        Raises InputError ``no-pyproject``, ``cannot-read``, ``too-large``, ``not-utf-8``, ``not-toml``.
        """
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise InputError.of(
                    "cannot-read",
                    f"{path.name} is not a file",
                    where=str(path),
                    hint="give the folder that holds the project's pyproject.toml",
                )
            with path.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        except FileNotFoundError as error:
            raise InputError.of(
                "no-pyproject",
                f"there is no {path.name} here",
                where=str(path),
                hint="go to the project's folder, or write a pyproject.toml with a [project] table",
            ) from error
        except OSError as error:
            raise InputError.of(
                "cannot-read",
                f"{path.name} can not be read",
                where=str(path),
                why=error.strerror or str(error),
                hint="check the file's permissions",
            ) from error
        if len(content) > _LARGEST:
            raise InputError.of(
                "too-large",
                f"{path.name} is larger than {_LARGEST // 2**20} MiB",
                where=str(path),
                hint="check that this is the right file",
            )
        try:
            # Editors on Windows put a byte order mark in front, which TOML does not know.
            return cls(path, content.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise InputError.of(
                "not-utf-8",
                f"{path.name} is not UTF-8 text",
                where=f"{path}:{line}",
                why=f"byte {error.start} is {content[error.start]:#04x}",
                hint="save the file as UTF-8, which TOML demands",
            ) from error

    def get(self, keys: KeyPath) -> object:
        """Return the value at a key path as parsed, or None where there is none."""
        value: object = self._data
        for key in keys:
            if isinstance(value, dict) and isinstance(key, str):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def table(self, keys: KeyPath) -> Mapping[str, object] | None:
        """Return a table, or None where it is absent or no table."""
        value = self.get(keys)
        if isinstance(value, dict):
            return value
        self._mistyped(keys, value, "a table")
        return None

    def items(self, keys: KeyPath) -> list[object]:
        """Return an array, empty where it is absent or no array."""
        value = self.get(keys)
        if isinstance(value, list):
            return value
        self._mistyped(keys, value, "an array")
        return []

    def text(self, keys: KeyPath, hint: str = "") -> str | None:
        """Return a string, or None where it is absent or no string."""
        value = self.get(keys)
        if isinstance(value, str):
            return value
        self._mistyped(keys, value, "a string", hint)
        return None

    def flag(self, keys: KeyPath) -> bool:
        """Return a boolean, False where it is absent or no boolean."""
        value = self.get(keys)
        if isinstance(value, bool):
            return value
        self._mistyped(keys, value, "true or false")
        return False

    def texts(self, keys: KeyPath) -> list[tuple[KeyPath, str]]:
        """Return the strings of an array with their key paths; items that are no strings are complained of."""
        found = []
        for position in range(len(self.items(keys))):
            item = (*keys, position)
            if (text := self.text(item)) is not None:
                found.append((item, text))
        return found

    def where(self, keys: KeyPath) -> str:
        """Return ``FILE:LINE`` of a value; the line of its table where the value itself is absent."""
        if self._lines is None:
            self._lines = KeyLines(self._text)
        line = self._lines.line(keys)
        return str(self.path) if line is None else f"{self.path}:{line}"

    def complain(self, code: str, message: str, keys: KeyPath, *, why: str = "", hint: str = "") -> None:
        """Collect a complaint about the value at a key path; `message` goes on after the key path."""
        if len(self._problems) < _ENOUGH:
            self._problems.append(Problem(code, f"{show_keys(keys)} {message}", self.where(keys), why, hint))

    def blame(self, error: InputError, keys: KeyPath) -> None:
        """Collect the problems of a reader whose messages are sentences about the value."""
        for problem in error.problems:
            if len(self._problems) < _ENOUGH:
                message = f"{show_keys(keys)}: {problem.message}"
                self._problems.append(problem._replace(message=message, where=self.where(keys)))

    def take(self, problems: Iterable[Problem]) -> None:
        """Collect problems of another file that this one refers to."""
        self._problems.extend(list(problems)[: max(0, _ENOUGH - len(self._problems))])

    def note(self, code: str, message: str, keys: KeyPath, *, why: str = "", hint: str = "") -> None:
        """Collect a remark: something was read otherwise than it is written."""
        self.remark([Problem(code, f"{show_keys(keys)} {message}", self.where(keys), why, hint)])

    def remark(self, notes: Iterable[Problem]) -> None:
        """Collect remarks of another file that this one refers to; the same remark counts once."""
        self._notes.update(dict.fromkeys(notes))

    @property
    def notes(self) -> tuple[Problem, ...]:
        """The remarks so far."""
        return tuple(self._notes)

    def finish(self) -> None:
        """Raise InputError with everything complained of, if anything was."""
        if self._problems:
            raise InputError(*dict.fromkeys(self._problems))

    def unknown_keys(self, keys: KeyPath, known: Iterable[str]) -> None:
        """Complain (``unknown-key``) about the keys of a table that are not known."""
        table = self.get(keys)
        choices = set(known)
        for key in table if isinstance(table, dict) else ():
            if key not in choices:
                self.complain("unknown-key", "is not a known key", (*keys, key), hint=nearest(key, choices))

    def _mistyped(self, keys: KeyPath, value: object, wanted: str, hint: str = "") -> None:
        if value is not None:
            shown = f"{value!r:.60}" if isinstance(value, (bool, int, float)) else ""
            kind = f"{type_name(value)} ({shown.lower()})" if shown else type_name(value)
            self.complain("wrong-type", f"is {kind}, not {wanted}", keys, hint=hint or f"write {wanted}")


def _parse(path: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise InputError.of(
            "not-toml", f"{path.name} is nested too deeply", where=str(path), hint="check that this is the right file"
        ) from error
    except ValueError as error:
        message, place, position = str(error).rpartition(" (at ")
        line = position.removeprefix("line ").partition(",")[0]
        raise InputError.of(
            "not-toml",
            f"{path.name} is not valid TOML",
            where=f"{path}:{line}" if place and line.isdigit() else str(path),
            why=f"{message} at {position.rstrip(')')}" if place else str(error),
            hint="correct the file at that place",
        ) from error
