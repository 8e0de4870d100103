"""The part of YAML that conda's environment files are written in, and nothing else of it.

Mappings and lists by indentation, plain and quoted scalars, comments, short lists in brackets. Anchors, aliases, tags,
merge keys, block texts and several documents are refused: no environment needs them, and with them a file of a
kilobyte can stand for gigabytes. Every scalar is text: ``1.10`` stays ``1.10``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from tumpline.errors import InputError

__all__ = ["Mapping", "Node", "Scalar", "parse_yaml"]

_DEEPEST = 20
_KEY = re.compile(r"""("[^"\\]*"|'[^']*'|[^\s#'"\[\]{},&*!|>%@`][^#:]*?)\s*:(?=\s|$)\s*""")
_COMMENT = re.compile(r"\s#.*$")
_REFUSED = {
    "&": "an anchor",
    "*": "an alias",
    "!": "a tag",
    "|": "a block text",
    ">": "a block text",
    "{": "a mapping in braces",
    "%": "a directive",
    "@": "a reserved sign",
    "`": "a reserved sign",
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text and the line it stands in; empty for a key without a value."""

    line: int
    text: str


@dataclass(slots=True)
class Mapping:
    """The values of keys, and the lines that the keys stand in."""

    values: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


Node: TypeAlias = "Scalar | list[Node] | Mapping"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    indent: int
    text: str


def parse_yaml(text: str, where: str) -> Node:
    """Return the document; `where` names the file in errors. Raises InputError ``bad-yaml`` with the line."""
    reader = _Reader(_lines(text, where), where)
    if not reader.lines:
        return Mapping()
    node, end = reader.node(0, 0)
    if end < len(reader.lines):
        raise reader.bad(reader.lines[end], "it is indented less than what it belongs to")
    return node


def _lines(text: str, where: str) -> list[_Line]:
    found: list[_Line] = []
    for number, raw in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped in ("---", "...") and not found:
            continue
        if raw.startswith(("---", "...")):
            if raw.startswith("..."):
                break
            raise _bad(where, number, "a second document begins here")
        indent = len(raw) - len(raw.lstrip(" "))
        if raw[indent] == "\t":
            raise _bad(where, number, "it is indented with a tab, which YAML does not allow")
        found.append(_Line(number, indent, stripped))
    return found


class _Reader:
    def __init__(self, lines: list[_Line], where: str) -> None:
        self.lines = lines
        self._where = where

    def bad(self, line: _Line, why: str) -> InputError:
        return _bad(self._where, line.number, why)

    def node(self, start: int, depth: int) -> tuple[Node, int]:
        """Read the node that begins at a line; return it, and the first line after it."""
        first = self.lines[start]
        if depth > _DEEPEST:
            raise self.bad(first, "it is nested too deeply")
        if _is_item(first.text):
            return self._list(start, depth)
        if _KEY.match(first.text):
            return self._mapping(start, depth)
        return self._scalar(first, first.text), start + 1

    def _list(self, start: int, depth: int) -> tuple[Node, int]:
        indent, place = self.lines[start].indent, start
        found: list[Node] = []
        while place < len(self.lines) and self.lines[place].indent == indent and _is_item(self.lines[place].text):
            line = self.lines[place]
            rest = line.text[1:].lstrip()
            if not rest or rest.startswith("#"):
                node, place = self._below(place, indent, depth)
                found.append(node)
                continue
            # What stands behind the dash is indented by where it stands.
            inner = _Line(line.number, indent + len(line.text) - len(rest), rest)
            if _is_item(rest) or _KEY.match(rest):
                self.lines[place] = inner
                node, place = self.node(place, depth + 1)
                found.append(node)
            else:
                found.append(self._value(inner, rest))
                place += 1
        return found, self._ended(place, indent)

    def _mapping(self, start: int, depth: int) -> tuple[Node, int]:
        indent, place = self.lines[start].indent, start
        found = Mapping()
        while place < len(self.lines) and self.lines[place].indent == indent:
            line = self.lines[place]
            key = _KEY.match(line.text)
            if key is None:
                if _is_item(line.text):
                    break
                raise self.bad(line, "there is no colon between a key and a value")
            name = key[1].strip("\"'")
            if name == "<<":
                raise self.bad(line, "it merges another mapping, which no environment needs")
            if name in found.lines:
                raise self.bad(line, f"the key {name} stands twice")
            found.lines[name] = line.number
            rest = line.text[key.end() :]
            if rest and not rest.startswith("#"):
                found.values[name] = self._value(line, rest)
                place += 1
            else:
                found.values[name], place = self._below(place, indent, depth)
        return found, self._ended(place, indent)

    def _below(self, place: int, indent: int, depth: int) -> tuple[Node, int]:
        """Read what stands under a key or a bare dash; nothing there is an empty text."""
        line = self.lines[place]
        if place + 1 < len(self.lines):
            under = self.lines[place + 1]
            # The items of a list may stand as far left as the key that they belong to.
            if under.indent > indent or (under.indent == indent and _is_item(under.text) and not _is_item(line.text)):
                return self.node(place + 1, depth + 1)
        return Scalar(line.number, ""), place + 1

    def _ended(self, place: int, indent: int) -> int:
        if place < len(self.lines) and self.lines[place].indent > indent:
            raise self.bad(self.lines[place], "it is indented more than what stands before it")
        return place

    def _value(self, line: _Line, text: str) -> Node:
        if not text.startswith("["):
            return self._scalar(line, text)
        body = _COMMENT.sub("", text).rstrip()
        if not body.endswith("]"):
            raise self.bad(line, "a list in brackets does not end on its line")
        items = [item.strip() for item in body[1:-1].split(",")]
        return [self._scalar(line, item) for item in items if item]

    def _scalar(self, line: _Line, text: str) -> Scalar:
        if text[0] in "\"'":
            end = text.find(text[0], 1)
            rest = text[end + 1 :].strip()
            if end < 0 or (rest and not rest.startswith("#")) or (text[0] == '"' and "\\" in text[:end]):
                raise self.bad(line, "a quoted text does not end, or holds escapes")
            return Scalar(line.number, text[1:end])
        if text[0] in _REFUSED:
            # A version range may begin with > or *, but nothing that stands here is one.
            raise self.bad(line, f"it is {_REFUSED[text[0]]}, which no environment needs")
        return Scalar(line.number, _COMMENT.sub("", text).strip())


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _bad(where: str, number: int, why: str) -> InputError:
    return InputError.of(
        "bad-yaml",
        "the line can not be read as part of an environment",
        where=f"{where}:{number}",
        why=why,
        hint="write it as conda env export does: keys, and lists of NAME=VERSION",
    )
