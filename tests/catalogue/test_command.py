"""``tumpline catalogue`` as a person or a script meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.catalogue.sites import make_wheelhouse
from tests.wheelmaker import make_wheel
from tumpline.cli.app import run_command

PROFILE = """
title = "Lake"
kind = "cluster"
catalogue = "lake"
wheelhouse = "{root}"
local-tag = "computecanada"
manylinux = false
cpu-levels = ["x86-64-v4", "x86-64-v3"]
default-environment = "2023"

[platform]
os = "linux"
machine = "x86_64"
tags = ["linux_x86_64"]

[environments.2023]
pythons = ["3.11.5"]
default-python = "3.11.5"

[environments.2023.layers]
x86-64-v4 = ["2023/v4", "2023/v3", "generic"]
x86-64-v3 = ["2023/v3", "generic"]

[environments.2026]
pythons = ["3.14.7"]
default-python = "3.14.7"

[environments.2026.layers]
x86-64-v4 = ["2026/v4", "generic"]
x86-64-v3 = ["generic"]
"""


class Console:
    """Runs commands with a cache, a config folder and a profile of their own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], root: Path, cache: Path) -> None:
        self._capsys = capsys
        self.root = root
        self.cache = cache
        self.out = self.err = ""

    def __call__(self, *words: str | Path) -> int:
        status = run_command([str(word) for word in words])
        self.out, self.err = self._capsys.readouterr()
        return status

    def json(self, *words: str | Path) -> dict[str, object]:
        assert self(*words, "--json") == 0, self.err
        answer = json.loads(self.out)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def console(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Console:
    root = tmp_path / "wheelhouse"
    make_wheelhouse(root)
    sites = tmp_path / "sites"
    sites.mkdir()
    (sites / "lake.toml").write_text(PROFILE.format(root=root))
    for name in ("CC_CLUSTER", "LMOD_CMD", "PIP_CONFIG_FILE", "TUMPLINE_CATALOGUE", "SLURM_TMPDIR", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUMPLINE_SITES", str(sites))
    monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Console(capsys, root, tmp_path / "cache")


class TestScan:
    def test_for_a_person(self, console: Console) -> None:
        assert console("catalogue", "scan", "lake") == 0
        assert console.out == ""
        assert console.err.splitlines() == [
            "note: the layer 2026/v4 is not there",
            *(line for line in console.err.splitlines() if line.startswith("note[")),
            "lake: 6 wheels of 3 projects in 3 layers",
            "left out: 2 dummies, 4 files that are no wheels",
            "read 8, knew 0 from before, 0 are gone",
            f"wrote {console.cache / 'catalogues' / 'lake.sqlite'}",
        ]
        assert "note[" not in console.err, "strays and dummies are told with -v"
        assert console("catalogue", "scan", "lake") == 0
        assert "nothing has changed since" in console.err

    def test_a_layer_that_vanished(self, console: Console) -> None:
        assert console("catalogue", "scan", "lake") == 0
        file = console.cache / "catalogues" / "lake.sqlite"
        before = file.read_bytes()
        shutil.rmtree(console.root / "2023" / "v4")
        assert console("catalogue", "scan", "lake", "-q") == 2
        assert "error[layers-lost]" in console.err
        assert "2023/v4" in console.err
        assert file.read_bytes() == before
        answer = console.json("catalogue", "scan", "lake", "--forget-layers")
        assert (answer["forgotten-layers"], answer["gone"]) == (["2023/v4"], 0)

    @pytest.mark.parametrize("words", [("--stdenv", "2026"), ("--cpu-level", "x86-64-v3"), ("--wheelhouse", "ONE")])
    def test_a_scan_of_less_does_not_replace_all(
        self, console: Console, tmp_path: Path, words: tuple[str, str]
    ) -> None:
        words = (words[0], words[1].replace("ONE", str(console.root / "generic")))
        assert console("catalogue", "scan", "lake") == 0
        before = (console.cache / "catalogues" / "lake.sqlite").read_bytes()
        assert console("catalogue", "scan", "lake", *words) == 2
        assert "error[layers-lost]" in console.err
        assert "--output" in console.err
        assert (console.cache / "catalogues" / "lake.sqlite").read_bytes() == before
        assert console("catalogue", "scan", "lake", *words, "--output", tmp_path / "less.sqlite") == 0

    @pytest.mark.parametrize("words", [("-v", "scan", "lake"), ("scan", "lake", "-v")])
    def test_more_for_a_person(self, console: Console, words: tuple[str, ...]) -> None:
        assert console("catalogue", *words) == 0
        assert "note[not-a-wheel-name]: generic/build.log: its name does not end in .whl" in console.err
        assert "note[dummy-wheel]: generic/pyarrow-9999+dummy.computecanada-py3-none-any.whl" in console.err

    def test_bad_wheels_are_told_even_when_quiet(self, console: Console) -> None:
        for number in range(12):
            make_wheel(console.root / "generic", f"bad{number}", "1").write_bytes(b"")
        assert console("catalogue", "-q", "scan", "lake") == 0
        assert console.err.count("note[truncated-wheel]: generic/bad") == 10
        assert "note: 2 more wheels can not be used (-v shows all)" in console.err
        assert "wrote" not in console.err

    def test_for_a_script(self, console: Console) -> None:
        make_wheel(console.root / "generic", "cut", "1").write_bytes(b"PK\3\4")
        answer = console.json("catalogue", "scan", "lake")
        assert answer["schema"] == "tumpline.catalogue-scan/1"
        assert (answer["wheels"], answer["projects"], answer["changed"]) == (6, 3, True)
        assert (answer["read"], answer["kept"], answer["gone"]) == (9, 0, 0)
        assert answer["missing-layers"] == ["2026/v4"]
        assert answer["layers"] == [
            {"name": name, "folder": str(console.root / name), "evidence": ["profile"]}
            for name in ("2023/v4", "2023/v3", "generic")
        ]
        assert isinstance(answer["notes"], list)
        assert {
            "layer": "generic",
            "file": "cut-1-py3-none-any.whl",
            "kind": "refused",
            "code": "truncated-wheel",
            "why": "it begins as a zip archive and has no end",
        } in answer["notes"]

    def test_part_of_it_to_a_file(self, console: Console, tmp_path: Path) -> None:
        output = tmp_path / "here" / "part.sqlite"
        words: list[str | Path] = [
            "catalogue",
            "scan",
            "lake",
            "--stdenv",
            "2023",
            "--cpu-level",
            "x86-64-v3",
            "--output",
            output,
        ]
        answer = console.json(*words, "--names-only")
        # Of the two dummies, one is known by its file name.
        assert (answer["file"], answer["read"], answer["wheels"]) == (str(output), 0, 6)
        assert not console.cache.exists()
        info = console.json("catalogue", "info", "--catalogue", output)
        assert (info["layers"], info["depth"]) == (["2023/v3", "generic"], "names")
        assert console("catalogue", "info", "--catalogue", output) == 0
        assert "read from the file names" in console.out

    def test_a_wheelhouse_of_ones_own(self, console: Console, tmp_path: Path) -> None:
        own = tmp_path / "lab"
        make_wheel(own, "mine", "1")
        answer = console.json("catalogue", "scan", "linux", "--wheelhouse", own)
        assert answer["layers"] == [{"name": "lab", "folder": str(own), "evidence": ["given"]}]
        assert answer["file"] == str(console.cache / "catalogues" / "linux.sqlite")

    def test_a_damaged_catalogue_is_told(self, console: Console) -> None:
        assert console("catalogue", "scan", "lake") == 0
        path = console.cache / "catalogues" / "lake.sqlite"
        path.write_bytes(path.read_bytes()[:-100])
        assert console("catalogue", "scan", "lake") == 0
        assert "note: the previous catalogue was damaged: the file is cut short; all was read anew" in console.err

    @pytest.mark.parametrize(
        ("words", "code", "status"),
        [
            (["scan", "nowhere"], "unknown-site", 2),
            (["scan", "linux"], "no-wheelhouse", 2),
            (["scan", "narval"], "layer-missing", 2),
            (["scan", "lake", "--stdenv", "2020"], "unknown-environment", 2),
            (["scan", "lake", "--cpu-level", "sse3"], "unknown-cpu-level", 2),
            (["scan", "lake", "--wheelhouse", "/nowhere"], "layer-missing", 2),
            (["scan", "lake", "--output", "/dev/null/x"], "cannot-write", 4),
            (["info", "lake"], "no-catalogue", 2),
            (["info", "linux"], "no-catalogue", 2),
            (["info", "--catalogue", "/nowhere"], "catalogue-missing", 2),
        ],
    )
    def test_failures(self, console: Console, words: list[str], code: str, status: int) -> None:
        assert console("catalogue", *words) == status
        assert f"error[{code}]" in console.err
        assert "hint: " in console.err
        assert console("catalogue", *words, "--json") == status
        assert json.loads(console.out)["problems"][0]["code"] == code


class TestInfo:
    def test_for_a_person(self, console: Console) -> None:
        assert console("catalogue", "scan", "lake") == 0
        assert console("catalogue", "info", "lake") == 0
        for line in (
            "site      lake",
            "grade     scanned (read from the wheel files)",
            "wheels    6 of 3 projects",
            "dummies   cv2-like, pyarrow",
            "layers    2023/v4: 1, 2023/v3: 4, generic: 1",
            "Pythons   3.11.5 (2023), 3.14.7 (2026)",
            f"source    generic: {console.root / 'generic'}",
        ):
            assert line in console.out.splitlines()
        assert console.err == ""

    def test_for_a_script(self, console: Console) -> None:
        scanned = console.json("catalogue", "scan", "lake")
        info = console.json("catalogue", "info", "lake")
        assert info["schema"] == "tumpline.catalogue-info/1"
        assert info["identity"] == scanned["identity"]
        assert info["dummies"] == {"cv2-like": "opencv", "pyarrow": "pyarrow"}

    def test_the_shipped_one_says_that_it_is_a_list(self, console: Console) -> None:
        assert console("catalogue", "info", "narval") == 0
        assert "grade     listed (a public list: no layers, no dependencies" in console.out
        assert "date      2026-05-17" in console.out

    def test_the_variable(self, console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        output = tmp_path / "mine.sqlite"
        console.json("catalogue", "scan", "lake", "--output", output)
        monkeypatch.setenv("TUMPLINE_CATALOGUE", str(output))
        assert console.json("catalogue", "info")["file"] == str(output)
