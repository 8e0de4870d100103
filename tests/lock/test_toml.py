"""The tiny writer: what it writes is read back by tomllib, whatever the strings."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumpline.lock.toml import Value, comment, quote, render

values: st.SearchStrategy[Value] = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b-c"]), inner, max_size=2),
    max_leaves=12,
)


@given(values)
def test_every_value_comes_back(value: Value) -> None:
    assert tomllib.loads(render({"key": value}, ())) == {"key": value}


@given(
    st.lists(st.fixed_dictionaries({"a": values, "rows": st.lists(st.fixed_dictionaries({"b": values}), max_size=2)}))
)
def test_arrays_of_tables_come_back(rows: list[dict[str, Value]]) -> None:
    expected = [{key: value for key, value in row.items() if value != []} for row in rows]
    read = tomllib.loads(render({"first": 1, "table": rows}, ("table", "rows")))
    found = [{key: value for key, value in row.items() if value != []} for row in read.get("table", [])]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", '"plain"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("a\\b", '"a\\\\b"'),
        ("two\nlines", '"two\\nlines"'),
        ("\x00\x1b\x7f\x85\u2028", '"\\u0000\\u001B\\u007F\\u0085\\u2028"'),
        ("é 😀", '"é 😀"'),
    ],
)
def test_strings(text: str, expected: str) -> None:
    assert quote(text) == expected


def test_a_comment_stays_one() -> None:
    assert comment("for x\nevil = 1\x85") == "# for x\\nevil = 1\\u0085"
