"""RECORD against the files of a wheel."""

from __future__ import annotations

import pytest

from tests.wheelmaker import record_line
from tumpline.environment.rows import read_rows
from tumpline.errors import InputError

INFO = "a-1.dist-info"
GOOD = [record_line("a.py", b"x"), record_line("b,c.py", b"yy").replace("b,c.py", '"b,c.py"'), f"{INFO}/RECORD,,"]
SIZES = {"a.py": 1, "b,c.py": 2, f"{INFO}/RECORD": 10}
DIGEST = GOOD[0].split(",")[1]


def rows(lines: list[str], sizes: dict[str, int] | None = None) -> dict[str, object]:
    return dict(read_rows("a-1-py3-none-any.whl", INFO, "\n".join(lines).encode(), SIZES if sizes is None else sizes))


def test_good() -> None:
    assert list(rows(GOOD)) == ["a.py", "b,c.py"]


def test_signatures_need_no_row() -> None:
    signed = {**SIZES, f"{INFO}/RECORD.jws": 3, f"{INFO}/RECORD.p7s": 3}
    assert list(rows(GOOD, signed)) == ["a.py", "b,c.py"]


def test_size_may_be_left_out_and_padding_and_backslashes_are_borne() -> None:
    lines = [GOOD[0].rpartition(",")[0] + ",", GOOD[1], GOOD[2].replace("/", "\\"), ""]
    lines[0] = lines[0].replace(DIGEST, DIGEST + "=")
    assert list(rows(lines)) == ["a.py", "b,c.py"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (GOOD[1:], "'a.py' is there and not listed"),
        ([*GOOD, record_line("gone.py", b"")], "'gone.py' is listed and not there"),
        ([*GOOD, GOOD[0]], "listed twice"),
        ([GOOD[0].replace(",1", ",7"), *GOOD[1:]], "has 1 bytes, RECORD says 7"),
        ([f"a.py,{DIGEST},x", *GOOD[1:]], "a size that is no number"),
        ([f"a.py,{DIGEST},-1", *GOOD[1:]], "a size that is no number"),
        (["a.py,,1", *GOOD[1:]], "no digest"),
        (["a.py,md5=abc,1", *GOOD[1:]], "no digest of an accepted kind"),
        (["a.py,sha1=abc,1", *GOOD[1:]], "no digest of an accepted kind"),
        (["a.py,sha256=abc,1", *GOOD[1:]], "a digest that is none"),
        ([f"a.py,{DIGEST[:-1]}+,1", *GOOD[1:]], "a digest that is none"),
        ([f"a.py,{DIGEST}", *GOOD[1:]], "not path, digest, size"),
        (['"a.py', *GOOD[1:]], "not path, digest, size"),
    ],
)
def test_bad(lines: list[str], words: str) -> None:
    with pytest.raises(InputError) as caught:
        rows(lines)
    assert caught.value.code == "bad-record"
    assert words in caught.value.problems[0].why


def test_many_are_counted() -> None:
    with pytest.raises(InputError) as caught:
        rows(GOOD, {**SIZES, **{f"m{number}.py": 0 for number in range(9)}})
    assert caught.value.problems[0].why.endswith("and 4 more")


def test_not_text() -> None:
    with pytest.raises(InputError) as caught:
        read_rows("a.whl", INFO, b"\xff,,", {})
    assert caught.value.code == "bad-record"
