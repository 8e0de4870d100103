from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tumpline.project.lines import KeyLines, KeyPath, show_keys

TEXT = '''# a comment with [brackets] and "quotes
title = "one"
"quoted key" = 1

[project]  # the table
name = "x"
dependencies = [
    "a",  # not a ] bracket
    # "commented",
    "b", "c",
    """d
    [over] lines""", 'e # no comment',
]

[tool."my tool".sub]
deep.er = { inline = [1, 2], other = "}" }

[[files]]
name = "first"

[[files]]
name = "second"
[files.sub]
key = \'\'\'it's
"three" lines\'\'\'
last = "\\" escaped ]"
'''

PLACES: list[tuple[KeyPath, int]] = [
    (("title",), 2),
    (("quoted key",), 3),
    (("project",), 5),
    (("project", "dependencies"), 7),
    (("project", "dependencies", 0), 8),
    (("project", "dependencies", 1), 10),
    (("project", "dependencies", 2), 10),
    (("project", "dependencies", 3), 11),
    (("project", "dependencies", 4), 12),
    (("tool", "my tool", "sub"), 15),
    (("tool", "my tool", "sub", "deep", "er", "inline", 1), 16),
    (("tool", "my tool", "sub", "deep", "er", "other"), 16),
    (("files", 0, "name"), 19),
    (("files", 1), 21),
    (("files", 1, "name"), 22),
    (("files", 1, "sub", "key"), 24),
    (("files", 1, "sub", "last"), 26),
]


@pytest.mark.parametrize(("keys", "number"), PLACES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_key_and_item_has_its_line(keys: KeyPath, number: int, newline: str) -> None:
    assert KeyLines(TEXT.replace("\n", newline)).line(keys) == number


def test_an_absent_key_has_the_line_of_its_table() -> None:
    lines = KeyLines(TEXT)
    assert lines.line(("project", "requires-python")) == 5
    assert lines.line(("nowhere", "at all")) is None


def paths(value: object, above: KeyPath = ()) -> list[KeyPath]:
    """Return the key paths of everything in a parsed document."""
    found = [above] if above else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += paths(inner, (*above, key))
    return found


def test_all_values_of_a_parser_are_found() -> None:
    lines = KeyLines(TEXT)
    assert [path for path in paths(tomllib.loads(TEXT)) if path not in lines] == []


@pytest.mark.shared
def test_all_values_of_real_files_are_found(shared: Path) -> None:
    for file in sorted((shared / "cases" / "pyproject").iterdir()):
        text = file.read_text(encoding="utf-8")
        lines = KeyLines(text)
        assert [path for path in paths(tomllib.loads(text)) if path not in lines] == [], file.name


def test_a_text_that_is_nested_beyond_reason_ends_quietly() -> None:
    assert KeyLines("a = 1\nb = " + "[" * 100_000).line(("a",)) == 1


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (("project", "dependencies", 3), "project.dependencies[3]"),
        (("tool", "poetry", "group", "my docs"), 'tool.poetry.group."my docs"'),
        (("a\nb",), '"a\\nb"'),
        (("zope.interface", "x"), '"zope.interface".x'),
    ],
)
def test_key_paths_are_shown_as_people_write_them(keys: KeyPath, text: str) -> None:
    assert show_keys(keys) == text
