"""``tumpline avail-wheels`` against recorded answers of avail_wheels 2.1.3 on a small wheelhouse.

The recording is made by ``bench/search_agreement.py --record``, which has the program at hand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench.search_agreement import judge
from tests.catalogue.avail_tree import LAYERS, PYTHONS, make_tree
from tumpline.cli.app import run_command

RECORDED = json.loads((Path(__file__).parent.parent / "catalogue" / "avail_wheels_recorded.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("avail")
    make_tree(folder / "tree")
    for minor in PYTHONS:
        (folder / "pythons" / f"{minor}.1").mkdir(parents=True)
    links = " ".join(str(folder / "tree" / layer) for layer in LAYERS)
    (folder / "pip.conf").write_text(f"[wheel]\nfind-links = {links}\n")
    words = [
        "catalogue",
        "scan",
        "fir",
        "-q",
        "--wheelhouse",
        f"{folder / 'tree'}",
        "--output",
        f"{folder / 'c.sqlite'}",
    ]
    assert run_command(words) == 0
    return folder


@pytest.fixture
def cluster(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {
        "TUMPLINE_CATALOGUE": str(tree / "c.sqlite"),
        "PYTHON_DIRS": str(tree / "pythons"),
        "RSNT_ARCH": "avx512",
        "EBVERSIONGENTOO": "2023",
        "EBVERSIONPYTHON": "3.11.1",
        "PIP_CONFIG_FILE": str(tree / "pip.conf"),
        "CC_CLUSTER": "fir",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return tree


def test_the_recorded_answers(
    cluster: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = 0
    for row in RECORDED:
        with monkeypatch.context() as patch:
            for name, value in row["variables"].items():
                patch.setenv(name, value)
            assert run_command(["avail-wheels", *row["words"]]) == 0
        out = capsys.readouterr().out
        assert judge(row["words"], row["output"], out), (row["words"], row["output"], out)
        exact += row["output"] == out
    assert exact > len(RECORDED) * 0.7


class TestOptions:
    def answer(self, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
        assert run_command(["avail-wheels", *words]) == status
        out, err = capsys.readouterr()
        return out if status == 0 else err

    def test_dummies_are_listed_as_it_lists_them(self, cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "pyarrow  9999" in self.answer(capsys, "pyarrow")

    def test_a_name_counts_more_than_a_pattern(self, cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "pyarrow" in self.answer(capsys, "*arrow*")
        assert "pyarrow" not in self.answer(capsys, "*arrow*", "pyarrow<2")

    def test_what_follows_a_local_version_counts(self, cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "pyarrow" in self.answer(capsys, "pyarrow>=17+computecanada")
        assert "pyarrow" not in self.answer(capsys, "pyarrow>=17+computecanada,<17")

    def test_a_file_with_requirements(self, cluster: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        (tmp_path / "requirements.txt").write_text("pyarrow==17.0.0\nnosuch\n")
        out = self.answer(capsys, "-r", str(tmp_path / "requirements.txt"), "--not-available")
        assert [line.split() for line in out.splitlines()[2:]] == [["nosuch"], ["pyarrow", "17.0.0", "py3", "generic"]]

    def test_the_active_environment_counts_more_than_the_module(
        self, cluster: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "pyvenv.cfg").write_text("home = /x\nversion = 3.12.4\n")
        both = self.answer(capsys, "--column", "python", "--all-versions")
        monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
        assert "cp312" in self.answer(capsys, "--column", "python", "--all-versions")
        assert "cp312" not in both

    def test_a_list_is_told_and_has_no_files(
        self, cluster: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("TUMPLINE_CATALOGUE")
        monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path))
        assert run_command(["avail-wheels", "pyyaml", "--raw"]) == 0
        out, err = capsys.readouterr()
        assert re.fullmatch(r"pyyaml-[0-9.]+\n", out)
        assert err.startswith("a public list of 20")

    @pytest.mark.parametrize("words", [["--python", "2.6"], ["--arch", "sse3"], ["numpy=="]])
    def test_bad_values(self, cluster: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
        assert self.answer(capsys, *words, status=2).startswith("error[")
