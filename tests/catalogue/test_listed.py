"""The script that makes the shipped catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.make_listed_catalogue import Lists, main, make_listed, read_lists
from tests.catalogue.sites import MODULES
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.shipped import DATA, open_shipped
from tumpline.errors import InputError
from tumpline.sites import Dummy
from tumpline.values import Name, normalise

DUMMIES = (Dummy(Name("pyarrow"), "arrow"),)


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "README.md").write_text("not a list")
    (folder / "Wheels3.9_2026-03-06.tsv").write_text("old\t1.0\n")
    (folder / "Wheels3.10_2026-05-17.tsv").write_text(
        "Babel, babel\t2.0, 1.0\nbio.num_x\t1.0rc1\npyarrow\t9999, 17.0.0\n"
    )
    (folder / "Wheels3.9_2026-05-17.tsv").write_text("babel\t1.0\n")
    return folder


def test_rows(lists: Path) -> None:
    content = make_listed(read_lists(lists), MODULES, DUMMIES, ())
    assert [(wheel.name, wheel.version, wheel.pythons) for wheel in content.wheels] == [
        ("babel", "1.0", ("3.9", "3.10")),
        ("babel", "2.0", ("3.10",)),
        ("bio-num-x", "1.0rc1", ("3.10",)),
    ]
    assert {wheel.file for wheel in content.wheels} == {""}
    assert (content.date, content.grade) == ("2026-05-17", "listed")
    assert (content.dummies, content.modules) == (DUMMIES, MODULES)


def test_an_unknown_dummy(lists: Path) -> None:
    with pytest.raises(InputError, match="pyarrow"):
        make_listed(read_lists(lists), (), (), ())


@pytest.mark.parametrize("row", ["babel", "babel\t", "babel, other\t1.0"])
def test_a_row_that_is_not_understood(lists: Path, row: str) -> None:
    (lists / "Wheels3.11_2026-05-17.tsv").write_text(f"fine\t1.0\n{row}\n")
    with pytest.raises(InputError, match=re.escape("Wheels3.11_2026-05-17.tsv:2")):
        read_lists(lists)


def test_no_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "out")]) == 2
    assert "there are no wheel lists" in capsys.readouterr().err


def test_the_file_twice_and_after_an_older_one(lists: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([str(lists), str(out)]) == 0
    (first,) = out.iterdir()
    before = (first.name, first.read_bytes())
    (out / "alliance-old.sqlite.xz").write_bytes(b"")
    assert main([str(lists), str(out)]) == 0
    (second,) = out.iterdir()
    assert (second.name, second.read_bytes()) == before
    with open_shipped(tmp_path / "cache", out) as catalogue:
        assert catalogue.names() == ("babel", "bio-num-x")


class TestAgainstTheLists:
    def test_the_shipped_one_is_made_from_them(self, shared: Path, tmp_path: Path) -> None:
        assert main([str(shared / "facts" / "wheel_lists"), str(tmp_path / "out")]) == 0
        assert [path.name for path in (tmp_path / "out").iterdir()] == [path.name for path in DATA.iterdir()]

    def test_no_name_is_lost(self, shared: Path, tmp_path: Path) -> None:
        found = read_lists(shared / "facts" / "wheel_lists")
        with open_shipped(tmp_path) as catalogue:
            names = set(catalogue.names())
            for file in (shared / "facts" / "wheel_lists").glob(f"*_{found.date}.tsv"):
                for line in file.read_text(encoding="utf-8").splitlines():
                    for spelling in line.partition("\t")[0].split(","):
                        name = normalise(spelling.strip())
                        assert name in names or catalogue.dummy(name) is not None
            rows = {(row.name, row.version): set(row.pythons) for row in catalogue.rows()}
            dummies = {dummy.name for dummy in catalogue.dummies()}
        assert rows == {key: pythons for key, pythons in found.rows.items() if key[0] not in dummies}


def test_modules_share_the_bits_of_the_lists() -> None:
    content = make_listed(_few(), MODULES, DUMMIES, ())
    assert encode(content).minors == ("3.9", "3.11", "3.12")


def _few() -> Lists:
    return Lists("2026-05-17", (), {(Name("a"), "1"): {"3.9"}}, {Name("a"): "A"})
