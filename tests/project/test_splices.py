"""Pieces of a TOML text are added and removed so that nothing else changes, and undone byte for byte."""

from __future__ import annotations

import tomllib

import pytest

from tumpline.project.lines import KeyPath
from tumpline.project.splices import Splices, literal

DEPENDENCIES: KeyPath = ("project", "dependencies")

ADDED = {
    '["a", "b>=1"]': '["a", "b>=1", "new"]',
    '[ "a", "b>=1" ]': '[ "a", "b>=1", "new" ]',
    '["a", ]': '["a", "new", ]',
    "[]": '["new"]',
    "[  ]": '["new"  ]',
    "[\n]": '[\n    "new"\n]',
    "[\n    # nothing yet\n]": '[\n    # nothing yet\n    "new"\n]',
    '[\n    "a",  # one\n    "b>=1",\n]': '[\n    "a",  # one\n    "b>=1",\n    "new",\n]',
    '[\n  "a",\n  "b>=1"\n]': '[\n  "a",\n  "b>=1",\n  "new"\n]',
    '[\n  "a",\n  "b>=1"  # last\n]': '[\n  "a",\n  "b>=1",  # last\n  "new"\n]',
    '[\n\t"a",\n\t# of b\n\t"b", # why\n\t# end\n  ]': '[\n\t"a",\n\t# of b\n\t"b", # why\n\t# end\n\t"new",\n  ]',
    '["a",\n    "b"]': '["a",\n    "b",\n    "new"]',
    "['a, b', \"#\", '''x''']": "['a, b', \"#\", '''x''', \"new\"]",
}


@pytest.mark.parametrize(("before", "after"), ADDED.items())
def test_an_item_is_added_in_the_layout_that_is_there_and_leaves_no_trace(before: str, after: str) -> None:
    text = f"[project]\nname = 'x'\ndependencies = {before}  # comment\n\n[tool.x]\ny = 1"
    splices = Splices(text)
    splices.append(DEPENDENCIES, '"new"')
    assert splices.text == text.replace(before, after)
    splices.remove_item(DEPENDENCIES, len(tomllib.loads(splices.text)["project"]["dependencies"]) - 1)
    assert splices.text == text


REMOVED = {
    ('["a", "b", "c"]', 0): '["b", "c"]',
    ('["a", "b", "c"]', 1): '["a", "c"]',
    ('["a", "b", "c"]', 2): '["a", "b"]',
    ('["a", "b",]', 1): '["a",]',
    ('["a"]', 0): "[]",
    ('[\n    "a",  # one\n    "b",\n]', 0): '[\n    "b",\n]',
    ('[\n    "a",  # one\n    "b",  # two\n]', 1): '[\n    "a",  # one\n]',
    ('[\n    "a",\n    "b"\n]', 1): '[\n    "a"\n]',
    ('[\n    "a", "b",\n    "c",\n]', 0): '[\n    "b",\n    "c",\n]',
    ('[\n    "a", "b",\n    "c",\n]', 1): '[\n    "a", \n    "c",\n]',
    ('["a",\n    "b"]', 0): '[\n    "b"]',
    ('[\n    # about a\n    "a",\n]', 0): "[\n    # about a\n]",
    ('[\n  "a",\n]', 0): "[\n]",
}


@pytest.mark.parametrize(("before", "position"), REMOVED)
def test_an_item_is_removed_with_its_comma_and_its_comment(before: str, position: int) -> None:
    splices = Splices(f"[project]\ndependencies = {before}\n")
    splices.remove_item(DEPENDENCIES, position)
    assert splices.text == f"[project]\ndependencies = {REMOVED[before, position]}\n"


TABLES = ['[project]\nname = "x"\n', '[project]\nname = "x"', "# only a comment\n\n\n", "[a]\nb = 1 # c\n\n[d]\n"]
MADE: list[KeyPath] = [
    ("project", "dependencies"),
    ("dependency-groups", "pypi"),
    ("project", "optional-dependencies", "my docs"),
]


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("keys", MADE)
def test_what_is_made_for_the_first_item_goes_with_the_last(text: str, keys: KeyPath) -> None:
    splices = Splices(text)
    splices.add_array(keys, '"new"')
    data: object = tomllib.loads(splices.text)
    for key in keys:
        assert isinstance(data, dict)
        data = data[key]
    assert data == ["new"]
    splices.remove_item(keys, 0)
    assert splices.text == text


@pytest.mark.parametrize("text", TABLES)
def test_a_poetry_group_is_made_optional_and_goes_when_it_is_empty(text: str) -> None:
    keys: KeyPath = ("tool", "poetry", "group", "pypi", "dependencies")
    splices = Splices(text)
    splices.add_pair((*keys, "new"), '"~1.0"')
    splices.add_pair((*keys, "zope.interface"), '"*"')
    group = tomllib.loads(splices.text)["tool"]["poetry"]["group"]["pypi"]
    assert group == {"optional": True, "dependencies": {"new": "~1.0", "zope.interface": "*"}}
    for name in ("new", "zope.interface"):
        splices.remove_pair((*keys, name))
    assert splices.text == text


def test_a_list_that_something_names_stays() -> None:
    splices = Splices('[dependency-groups]\ndev = [\n    "new",\n]\n')
    splices.remove_item(("dependency-groups", "dev"), 0, keep=True)
    assert splices.text == "[dependency-groups]\ndev = [\n]\n"


@pytest.mark.parametrize("text", ['project.name = "x"\n', 'project = { name = "x" }\n'])
def test_a_table_without_a_header_is_refused(text: str) -> None:
    with pytest.raises(KeyError):
        Splices(text).add_array(DEPENDENCIES, '"new"')


@pytest.mark.parametrize("text", ["plain", 'a"b', "a'b", "a\\b", "é", "\x1b[31m", "both \" and '", "𝒳\u202e"])
def test_literals_say_what_they_stand_for(text: str) -> None:
    assert tomllib.loads(f"k = {literal(text)}")["k"] == text
    assert literal(text).isprintable()
