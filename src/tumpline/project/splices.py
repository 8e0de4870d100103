"""Small changes of a TOML text, each of which can be undone byte for byte.

A requirement that is added and removed again must leave no trace, which no library for editing TOML promises: a comma
stays, or a blank line goes. So the text is cut at the places that `KeyLines` knows, and everything else is not touched.
What was made here for the first item of a list - the key, and its table - goes with the last one.
"""

from __future__ import annotations

import re

from tumpline.project.lines import KeyLines, KeyPath, show_keys

__all__ = ["Splices", "literal"]

_INDENT = "    "
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_REST_OF_LINE = re.compile(r"[ \t]*(?:#[^\n]*)?")


def literal(text: str) -> str:
    """Return a string as TOML writes it; single quotes where the text has double ones and nothing speaks against it."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'


class Splices:
    """A text under change; line feeds are plain. Raises KeyError where what is to be changed is not there as needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._places = KeyLines(text)

    def has(self, keys: KeyPath) -> bool:
        """Say whether there is a value, or a table with a header, at a key path."""
        return keys in self._places.values or keys in self._places.headers

    def replace(self, keys: KeyPath, value: str) -> None:
        """Put another value, as TOML writes it, in the place of one."""
        start, stop = self._places.values[keys]
        self._cut(start, stop, value)

    def append(self, keys: KeyPath, item: str) -> None:
        """Add an item to an array, in the layout that the array has."""
        start, stop = self._places.values[keys]
        items = self._items(keys)
        inside = self.text[start + 1 : stop - 1]
        tail = start + 1 + len(inside.rstrip())
        if not items:
            if "\n" in inside:
                # Without a comma: it tells an array that was here before from one that `add_array` made.
                tail = start + 1 + inside.rfind("\n")
                self._cut(tail, tail, f"\n{_INDENT}{item}")
            else:
                self._cut(start + 1, start + 1, item)
            return
        last = items[-1]
        begin, end = self._places.values[last]
        gap = self._gap_before(keys, len(items) - 1, begin)
        comma = self._places.commas.get(last)
        if "\n" in gap:
            new = f"\n{gap.rpartition(chr(10))[2]}{item}"
            # Behind comments as well, which then still say the same of the same.
            if comma is None:
                self._cut(tail, tail, new)
                self._cut(end, end, ",")
            else:
                self._cut(tail, tail, f"{new},")
        elif comma is None:
            self._cut(end, end, f", {item}")
        else:
            self._cut(comma + 1, comma + 1, f" {item},")

    def add_array(self, keys: KeyPath, item: str) -> None:
        """Add a key with an array of one item to the table that has a header; makes the table where there is none."""
        self._add_lines(keys, f"{_key(keys[-1])} = [\n{_INDENT}{item},\n]")

    def add_pair(self, keys: KeyPath, value: str) -> None:
        """Add a key with a value to the table that has a header; makes the table where there is none."""
        self._add_lines(keys, f"{_key(keys[-1])} = {value}")

    def add_block(self, block: str) -> None:
        """Add lines at the end of the text, behind a blank line."""
        end = len(self.text.rstrip("\n"))
        self._cut(end, end, f"\n\n{block}" if end else block)

    def remove_item(self, array: KeyPath, position: int, *, keep: bool = False) -> None:
        """Remove an item of an array; with the last one goes what `add_array` made, unless it is to be kept."""
        keys = (*array, position)
        items = self._items(array)
        begin, end = self._places.values[keys]
        start, stop = self._places.values[array]
        if not keep and len(items) == 1 and self.text[start:stop] == f"[\n{_INDENT}{self.text[begin:end]},\n]":
            self.remove_pair(array)
            return
        gap = self._gap_before(array, position, begin)
        comma = self._places.commas.get(keys)
        rest = (comma + 1) if comma is not None else end
        last = position == len(items) - 1
        if "\n" in gap:
            line_end = self._rest_of_line(rest)
            alone = self.text.startswith("\n", line_end) or line_end == stop - 1
            begin -= len(gap) - gap.rfind("\n")
            if not alone:
                # Another item follows on the line, or the bracket does: that stays, and the line with it.
                begin, line_end = self._places.values[keys][0], self._skipped(rest)
            self._cut(begin, line_end if alone or not last else rest, "")
        elif last:
            before = self._places.commas.get((*array, position - 1)) if position else None
            if comma is None:
                self._cut(before if before is not None else begin, end, "")
            else:
                self._cut(before + 1 if before is not None else begin, rest, "")
            return
        else:
            self._cut(begin, self._skipped(rest), "")
        if last and comma is None and position:
            before = self._places.commas[(*array, position - 1)]
            self._cut(before, before + 1, "")

    def remove_pair(self, keys: KeyPath) -> None:
        """Remove a key and its value, and what else is on its lines; a table that `add_block` made goes when empty."""
        start = self._places.pairs[keys]
        stop = self._rest_of_line(self._places.values[keys][1])
        table = keys[:-1]
        header = self._places.headers.get(table)
        kept = header is not None and self.text[header[1] : start] == "\n\n"
        self._cut(max(0, self.text.rfind("\n", 0, start)), stop, "")
        if header is None or self._pairs_of(table):
            return
        end = self._places.headers[table][1]
        if kept:
            self._cut(end, end + 1, "")
        elif made := self._made_header(table):
            self._cut(end - len(made) - 2, end, "")

    def _add_lines(self, keys: KeyPath, lines: str) -> None:
        table = keys[:-1]
        if table not in self._places.headers:
            if any(
                path[: len(table)] == table and not self._is_in_table_below(path, table) for path in self._places.pairs
            ):
                # Written in another way: dotted keys, or an inline table.
                raise KeyError(show_keys(table))
            self.add_block(f"{_optional_header(table) or _header(table)}\n{lines}")
            return
        pairs = self._pairs_of(table)
        end = max((self._places.values[pair][1] for pair in pairs), default=self._places.headers[table][1])
        end = self._rest_of_line(end)
        # A blank line tells a table that was here before, and empty, from one that `add_block` made.
        blank = "\n" if not pairs and self._made_header(table) else ""
        self._cut(end, end, f"{blank}\n{lines}")

    def _made_header(self, table: KeyPath) -> str:
        """Return the headers of an empty table as `add_block` makes them; empty where they are written otherwise."""
        end = self._places.headers[table][1]
        if self.text[end : end + 2] not in ("", "\n", "\n\n"):
            return ""
        made = (_optional_header(table), _header(table))
        return next((headers for headers in made if headers and self.text.endswith(f"\n\n{headers}", 0, end)), "")

    def _pairs_of(self, table: KeyPath) -> list[KeyPath]:
        """Return the keys that are written under a header, dotted ones too, but not those of inline tables."""
        start = self._places.headers[table][0]
        following = min((at for at, _ in self._places.headers.values() if at > start), default=len(self.text))
        return [
            keys
            for keys, at in self._places.pairs.items()
            if start < at < following and keys[: len(table)] == table and self._is_outer(keys, table)
        ]

    def _is_outer(self, keys: KeyPath, table: KeyPath) -> bool:
        return not any(keys[:length] in self._places.values for length in range(len(table) + 1, len(keys)))

    def _is_in_table_below(self, path: KeyPath, table: KeyPath) -> bool:
        """Say whether a key stands under the header of a table inside of this one."""
        return any(path[:length] in self._places.headers for length in range(len(table), len(path)))

    def _items(self, array: KeyPath) -> list[KeyPath]:
        count = 0
        while (*array, count) in self._places.values:
            count += 1
        return [(*array, position) for position in range(count)]

    def _gap_before(self, array: KeyPath, position: int, begin: int) -> str:
        """Return the white space right before an item."""
        text = self.text[self._places.values[array][0] + 1 : begin]
        return text[len(text.rstrip()) :]

    def _rest_of_line(self, at: int) -> int:
        place = _REST_OF_LINE.match(self.text, at)
        return place.end() if place is not None else at

    def _skipped(self, at: int) -> int:
        """Return the position of what follows on the same line."""
        return at + len(self.text[at:]) - len(self.text[at:].lstrip(" \t"))

    def _cut(self, start: int, stop: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[stop:]
        self._places = KeyLines(self.text)


def _key(key: str | int) -> str:
    return key if isinstance(key, str) and _BARE_KEY.fullmatch(key) else literal(str(key))


def _header(table: KeyPath) -> str:
    return f"[{'.'.join(map(_key, table))}]"


def _optional_header(table: KeyPath) -> str:
    """Return the headers of a Poetry group that is only installed where it is asked for; empty for other tables."""
    if table[:3] != ("tool", "poetry", "group") or len(table) != 5:
        return ""
    return f"{_header(table[:-1])}\noptional = true\n\n{_header(table)}"
