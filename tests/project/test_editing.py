"""Edits of pyproject.toml keep everything else as a person wrote it."""

from __future__ import annotations

import tomllib

import pytest

from tumpline.errors import InputError
from tumpline.project.editing import set_modules

HEAD = """\
# The project of the lake.
[project]
name    = 'x'   # not aligned
dependencies = [
  "numpy",  # for arrays
]

"""


def edited(text: str, **modules: list[str]) -> str:
    return set_modules(text.encode(), modules, "pyproject.toml").decode()


TABLE = "[tool.tumpline.targets.narval]  # the cluster\nsite = 'narval'\n"

CASES = {
    "no modules yet": (
        f"{TABLE}\n[tool.other]\nx = 1\n",
        ["arrow/17.0.0"],
        f'{TABLE}modules = ["arrow/17.0.0"]\n\n[tool.other]\nx = 1\n',
    ),
    "one more": (
        f"{TABLE}modules = ['gcc/12.3'] # loaded\npolicy = 'mixed'",
        ["gcc/12.3", "arrow/17.0.0"],
        f"{TABLE}modules = ['gcc/12.3', \"arrow/17.0.0\"] # loaded\npolicy = 'mixed'",
    ),
    "another version": (
        f"{TABLE}modules = [\n  'arrow/15.0.1', # as in 2024\n  'gcc/12.3',\n]\n",
        ["arrow/17.0.0", "gcc/12.3"],
        f"{TABLE}modules = [\n  \"arrow/17.0.0\", # as in 2024\n  'gcc/12.3',\n]\n",
    ),
    "one more of many lines": (
        f"{TABLE}modules = [\n  'gcc/12.3',  # first\n]\n",
        ["gcc/12.3", "arrow/17.0.0"],
        f"{TABLE}modules = [\n  'gcc/12.3',  # first\n  \"arrow/17.0.0\",\n]\n",
    ),
    "inline": (
        "[tool.tumpline.targets]\nnarval = { site = 'narval' }  # short\n",
        ["arrow/17.0.0"],
        "[tool.tumpline.targets]\nnarval = { site = 'narval', modules = [\"arrow/17.0.0\"]}  # short\n",
    ),
}


@pytest.mark.parametrize(("before", "modules", "after"), CASES.values(), ids=CASES.keys())
def test_only_the_modules_change(before: str, modules: list[str], after: str) -> None:
    assert edited(HEAD + before, narval=modules) == HEAD + after


@pytest.mark.parametrize(
    "before",
    [
        "tool.tumpline.targets.narval.site = 'narval'\n",
        "[tool]\ntumpline.targets.narval = {site = 'narval', modules = []}\n",
        "[tool.tumpline.targets.narval]\nsite = 'narval'\n[project]\nname = 'x'\n[tool.tumpline.packages]\nx = {}\n",
    ],
)
def test_other_ways_to_write_a_table(before: str) -> None:
    after = edited(before, narval=["arrow/17.0.0"])
    data = tomllib.loads(after)
    assert data["tool"]["tumpline"]["targets"]["narval"] == {"site": "narval", "modules": ["arrow/17.0.0"]}


@pytest.mark.parametrize("before", ["", HEAD, "[tool.tumpline]\npolicy = 'mixed'\n", "[tool.black]\nx = 1\n"])
def test_the_machine_at_hand_gets_a_table(before: str) -> None:
    after = edited(before, here=["arrow/17.0.0"])
    assert tomllib.loads(after)["tool"]["tumpline"]["targets"] == {
        "here": {"site": "here", "modules": ["arrow/17.0.0"]}
    }
    assert after.startswith(before)


def test_line_ends_and_byte_order_mark_stay() -> None:
    before = ("\ufeff" + HEAD + TABLE).replace("\n", "\r\n").encode()
    after = set_modules(before, {"narval": ["arrow/17.0.0"]}, "pyproject.toml")
    assert after == before + b'modules = ["arrow/17.0.0"]\r\n'


def test_what_can_not_be_edited_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import tomlkit

    # An edit that lost something would be a fault of tomlkit's, which happened in its history.
    monkeypatch.setattr(tomlkit, "dumps", lambda document: "[tool]\n")
    with pytest.raises(InputError) as caught:
        edited(HEAD + TABLE, narval=["arrow/17.0.0", "gcc/12.3"])
    (problem,) = caught.value.problems
    assert problem.code == "cannot-edit"
    assert problem.hint == 'add them by hand, for narval: modules = ["arrow/17.0.0", "gcc/12.3"]'
