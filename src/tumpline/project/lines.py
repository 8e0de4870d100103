"""Where things are written in a TOML file: key path -> line, and -> position in the text.

Parsers of TOML give values without positions, and ``project.dependencies[17]`` without a line makes people count.
This scanner walks a text that a real parser has already accepted and only keeps the places, so it needs none of a
parser's checks. It runs only when there is something to say, or to edit.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from typing import TypeAlias

__all__ = ["KeyLines", "KeyPath", "show_keys"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""A way into a document: names of keys, and positions in arrays counted from 0."""

_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2}(?!"))'
    r"|'''.*?'''(?:'{0,2}(?!'))"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


def show_keys(keys: KeyPath) -> str:
    """Return the key path as people write it: ``project.dependencies[3]``, ``tool.poetry.group."my docs"``."""
    shown = ""
    for key in keys:
        if isinstance(key, int):
            shown += f"[{key}]"
        else:
            word = key if _BARE_KEY.fullmatch(key) else f'"{ascii(key)[1:-1]}"'
            shown += f".{word}" if shown else word
    return shown


class KeyLines:
    """The places of all keys and array items of one valid TOML text; lines count from 1.

    Positions count from 0 in the text with plain line feeds. `values` are the spans of values, `pairs` the starts of
    their keys, `commas` the positions of the commas behind array items, `headers` the spans of ``[table]`` headers.
    """

    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self.values: dict[KeyPath, tuple[int, int]] = {}
        self.pairs: dict[KeyPath, int] = {}
        self.commas: dict[KeyPath, int] = {}
        self.headers: dict[KeyPath, tuple[int, int]] = {}
        self._ends = [place.start() for place in re.finditer("\n", self._text)]
        self._lines: dict[KeyPath, int] = {}
        self._tables: dict[KeyPath, int] = {}
        self._at = 0
        # Nested beyond reason, or not valid after all: what was found so far still serves.
        with suppress(RecursionError, IndexError):
            self._document()

    def line(self, keys: KeyPath) -> int | None:
        """Return the line of a value, else that of the closest table around it; None where nothing is known."""
        while keys:
            if (line := self._lines.get(keys)) is not None:
                return line
            keys = keys[:-1]
        return None

    def __contains__(self, keys: KeyPath) -> bool:
        return keys in self._lines

    def _document(self) -> None:
        prefix: KeyPath = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[[", self._at):
                prefix = self._header(2)
            elif self._text[self._at] == "[":
                prefix = self._header(1)
            else:
                self._pair(prefix)

    def _header(self, brackets: int) -> KeyPath:
        start = self._at
        self._at += brackets
        names = self._key()
        self._at += brackets
        path: KeyPath = ()
        for position, name in enumerate(names):
            path = (*path, name)
            last = position == len(names) - 1
            if last and brackets == 2:
                self._tables[path] = self._tables.get(path, -1) + 1
            self._note(path, start)
            if path in self._tables:
                path = (*path, self._tables[path])
                self._note(path, start)
        self.headers[path] = (start, self._at)
        return path

    def _pair(self, prefix: KeyPath) -> None:
        start = self._at
        path = prefix
        for name in self._key():
            path = (*path, name)
            self._note(path, start)
        self.pairs[path] = start
        self._at += 1  # the equals sign
        self._value(path)

    def _key(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_SPACE)
            quoted = self._text[self._at] in "\"'"
            place = (_STRING if quoted else _BARE_KEY).match(self._text, self._at)
            if place is None:
                raise IndexError
            names.append(str(tomllib.loads(f"k = {place[0]}")["k"]) if quoted else place[0])
            self._at = place.end()
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        self._skip(_SPACE)
        start = self._at
        match self._text[start]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                place = _STRING.match(self._text, start)
                if place is None:
                    raise IndexError
                self._at = place.end()
            case _:
                self._skip(_SCALAR)
        self.values[path] = (start, self._at)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        position = 0
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "]":
                self._at += 1
                return
            item = (*path, position)
            self._note(item, self._at)
            self._value(item)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self.commas[item] = self._at
                self._at += 1
            position += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while True:
            self._skip(_BLANK)
            if self._text[self._at] == "}":
                self._at += 1
                return
            self._pair(path)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        place = pattern.match(self._text, self._at)
        self._at = place.end() if place is not None else self._at

    def _note(self, path: KeyPath, start: int) -> None:
        self._lines.setdefault(path, bisect_right(self._ends, start - 1) + 1)
