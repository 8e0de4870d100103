"""A tiny TOML writer: strings, integers, booleans, arrays and inline tables, always spelled the same way.

tomlkit keeps the formatting of files that people write and pays for it; a file that only the tool writes needs the same
bytes for the same values (R14) and lines that make a readable diff.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TypeAlias

__all__ = ["Value", "comment", "quote", "render"]

Value: TypeAlias = "str | int | Sequence[Value] | Mapping[str, Value]"

_WIDTH = 100
"""Arrays that do not fit in a line of this many characters are written one item to a line."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_TABLE = str.maketrans(
    {chr(code): f"\\u{code:04X}" for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]} | _ESCAPES
)


def quote(text: str) -> str:
    """Return the text as a TOML basic string on one line.

    Beyond what TOML demands, the C1 controls and the Unicode line separators are escaped: editors and
    terminals act on them.
    """
    return f'"{text.translate(_TABLE)}"'


def comment(text: str) -> str:
    """Return the text as one comment line; what could end the line is written as in a string."""
    return f"# {text.translate(_TABLE)}"


def render(document: Mapping[str, Value], blocks: Container[str], path: str = "") -> str:
    """Return a document as text, its keys in the order given; keys must be bare keys.

    A key in `blocks` holds a list of tables and becomes ``[[key]]`` blocks, after everything else of its table. All
    other tables are written inline, and an array that is too long for a line is written one item to a line.
    """
    lines = [_entry(key, value) for key, value in document.items() if key not in blocks]
    for key, rows in document.items():
        if key in blocks and isinstance(rows, Sequence):
            title = f"{path}.{key}" if path else key
            lines += [f"\n[[{title}]]\n{render(row, blocks, title)}" for row in rows if isinstance(row, Mapping)]
    return "".join(lines)


def _entry(key: str, value: Value) -> str:
    line = f"{key} = {_inline(value)}"
    if len(line) <= _WIDTH or isinstance(value, (str, int, Mapping)):
        return f"{line}\n"
    items = "".join(f"    {_inline(item)},\n" for item in value)
    return f"{key} = [\n{items}]\n"


def _inline(value: Value) -> str:
    match value:
        case str():
            return quote(value)
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Mapping():
            pairs = ", ".join(f"{key} = {_inline(item)}" for key, item in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
        case _:
            return f"[{', '.join(map(_inline, value))}]"
