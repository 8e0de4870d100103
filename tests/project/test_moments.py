"""The moment after which nothing is taken from an index."""

from __future__ import annotations

import pytest

from tumpline.errors import InputError
from tumpline.project.moments import parse_cutoff


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", "2026-02-01T00:00:00Z"),
        ("2024-02-28", "2024-02-29T00:00:00Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31t12:00:00z", "2026-01-31T12:00:00Z"),
        ("2026-01-31 12:00:00.999Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T23:00:00-05:00", "2026-02-01T04:00:00Z"),
        ("0999-01-31T23:00:00Z", "0999-01-31T23:00:00Z"),
    ],
)
def test_one_spelling_per_meaning(text: str, moment: str) -> None:
    assert parse_cutoff(text) == moment
    assert parse_cutoff(moment) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "P7D",
        "2026-1-31",
        "20260131",
        "2026-01",
        "2026-13-01",
        "9999-12-31",
        "2026-01-31T12:00:00",
        "2026-01-31T25:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "2026-01-31\n",
        "\u0662\u0660\u0662\u0666-01-31",
    ],
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_cutoff(text)
    (problem,) = caught.value.problems
    assert problem.code == "bad-date"
    assert problem.why
    assert "2026-01-31" in problem.hint
