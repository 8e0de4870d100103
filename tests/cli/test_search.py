"""``tumpline search`` as a person or a script meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.catalogue.sites import make_wheelhouse
from tests.catalogue.test_command import PROFILE, Console
from tests.wheelmaker import make_wheel


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """A cluster ``lake`` whose wheelhouse is scanned, with StdEnv/2023 and no Python loaded."""
    for name in (
        "CC_CLUSTER",
        "EBVERSIONGENTOO",
        "RSNT_ARCH",
        "EBVERSIONPYTHON",
        "TUMPLINE_CATALOGUE",
        "LOADEDMODULES",
    ):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "wheelhouse"
    make_wheelhouse(root)
    make_wheel(root / "2026/v4", "numpy", "2.4.0+computecanada", tags="cp314-cp314-linux_x86_64")
    sites = tmp_path / "sites"
    sites.mkdir()
    modules = """
[dummies]
pyarrow = "arrow"

[[modules]]
environment = "2023"
module = "arrow"
version = "17.0.0"
pythons = ["3.11"]
provides = { pyarrow = "17.0.0" }
"""
    (sites / "lake.toml").write_text(PROFILE.format(root=root) + modules)
    monkeypatch.setenv("TUMPLINE_SITES", str(sites))
    monkeypatch.setenv("TUMPLINE_SITE", "lake")
    monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    run = Console(capsys, root, tmp_path / "cache")
    assert run("catalogue", "scan", "-q") == 0
    return run


def rows(console: Console) -> list[list[str]]:
    return [line.split() for line in console.out.splitlines()[2:]]


class TestTable:
    def test_a_name(self, console: Console) -> None:
        assert console("search", "NumPy") == 0
        assert console.out.splitlines()[0].split() == ["name", "version", "python", "arch"]
        assert rows(console) == [
            ["numpy", "2.2.2", "cp311", "v4"],
            ["numpy", "2.2.2", "cp312", "v3"],
            ["numpy", "2.2.2", "cp311", "v3"],
        ]
        assert "StdEnv/2023" in console.err

    def test_where_to_look(self, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
        assert console("search", "numpy", "--python", "3.12") == 0
        assert rows(console) == [["numpy", "2.2.2", "cp312", "v3"]]
        assert console("search", "numpy", "--arch", "v4") == 0
        assert rows(console) == [["numpy", "2.2.2", "cp311", "v4"]]
        assert console("search", "numpy", "--stdenv", "2026") == 0
        assert rows(console) == [["numpy", "2.4.0", "cp314", "v4"]]
        assert console("search", "numpy", "--all-archs") == 0
        assert rows(console)[0] == ["numpy", "2.4.0", "cp314", "v4"]
        monkeypatch.setenv("EBVERSIONPYTHON", "3.12.4")
        assert console("search", "numpy") == 0
        assert rows(console) == [["numpy", "2.2.2", "cp312", "v3"]]
        assert console("search", "numpy", "--all-pythons") == 0
        assert len(rows(console)) == 3

    def test_layers_that_were_not_scanned_are_told(self, console: Console) -> None:
        assert (
            console("catalogue", "scan", "-q", "--stdenv", "2023", "--cpu-level", "x86-64-v3", "--forget-layers") == 0
        )
        assert console("search", "numpy", "--quiet") == 0
        assert {row[3] for row in rows(console)} == {"v3"}
        assert console.err == "not looked into, since the catalogue does not know them: 2023/v4\n"
        assert console("search", "numpy", "--json") == 0
        assert json.loads(console.out)["catalogue"]["unread-layers"] == ["2023/v4"]
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "numpy", "--json") == 0
        assert json.loads(console.out)["catalogue"]["unread-layers"] == []

    def test_of_two_catalogues_that_know_the_site_the_one_of_its_profile_counts(
        self, console: Console, tmp_path: Path
    ) -> None:
        kept = tmp_path / "cache" / "catalogues"
        (other,) = kept.glob("*.sqlite")
        older = other.rename(kept / "aaa.sqlite")
        make_wheel(console.root / "generic", "newer", "1.0+computecanada")
        assert console("catalogue", "scan", "-q") == 0
        assert older.exists()
        assert console("search", "newer", "--offline") == 0

    def test_only_the_catalogue_of_the_profile_counts(self, console: Console, tmp_path: Path) -> None:
        (scanned,) = (tmp_path / "cache" / "catalogues").glob("*.sqlite")
        scanned.rename(scanned.with_name("other.sqlite"))
        assert console("search", "numpy") == 2
        assert "error[no-catalogue]: lake" in console.err
        profile = tmp_path / "sites" / "lake.toml"
        profile.write_text(profile.read_text().replace('catalogue = "lake"', 'catalogue = "other"'))
        assert console("search", "numpy") == 0
        scanned.with_name("other.sqlite").write_bytes(b"no catalogue")
        assert console("search", "numpy") == 2
        assert "error[not-a-catalogue]" in console.err

    def test_a_catalogue_that_can_not_be_read_does_not_stand_in_the_way(self, console: Console, tmp_path: Path) -> None:
        (tmp_path / "cache" / "catalogues" / "broken.sqlite").write_bytes(b"no catalogue")
        (tmp_path / "cache" / "catalogues" / "folder.sqlite").mkdir()
        assert console("search", "numpy") == 0

    def test_a_target(self, console: Console, tmp_path: Path) -> None:
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy", "nosuch"]\n'
            '[tool.tumpline.targets.here]\nsite = "lake"\npython = "3.11"\ncpu-level = "x86-64-v3"\n'
        )
        assert console("search", "-r", tmp_path / "pyproject.toml", "--target", "here", "--offline") == 0
        assert rows(console) == [["numpy", "2.2.2", "cp311", "v3"]]
        assert "nothing fits nosuch" in console.err
        assert console("search", "numpy", "--target", "there") == 2
        assert "choose one of: here" in console.err

    def test_display(self, console: Console) -> None:
        assert console("search", "foo-bar", "--raw") == 0
        assert console.out == "Foo.Bar-1.0+computecanada-py3-none-any.whl\n"
        assert console("search", "numpy", "--condense", "--column", "name", "python") == 0
        assert console.out.splitlines()[2:] == ["numpy   cp312, cp311"]
        assert console("search", "foo.bar", "--format", "github") == 0
        assert console.out.splitlines()[1].startswith("|-")
        assert console("search", "foo.bar", "nosuch", "--not-available", "--offline") == 0
        assert rows(console) == [["Foo.Bar", "1.0", "py3", "generic"], ["nosuch"]]
        assert console("search", "foo.bar", "nosuch", "--not-available-only", "--offline") == 0
        assert rows(console) == [["nosuch"]]
        assert console("search", "foo.bar", "nosuch", "--not-available-only", "--offline", "--raw") == 0
        assert console.out == "nosuch\n"
        assert console("search", "foo.bar", "nosuch", "--not-available", "--offline", "--raw") == 0
        assert console.out == "Foo.Bar-1.0+computecanada-py3-none-any.whl\nnosuch\n"

    def test_versions(self, console: Console) -> None:
        make_wheel(console.root / "generic", "foo.bar", "0.9+computecanada")
        make_wheel(console.root / "generic", "foo.bar", "2.0rc1+computecanada")
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "foo.bar", "--all-versions", "--column", "version") == 0
        assert rows(console) == [["2.0rc1"], ["1.0"], ["0.9"]]
        assert console("search", "foo.bar", "--version", "0.*", "--column", "version") == 0
        assert rows(console) == [["0.9"]]
        assert console("search", "foo.bar<1", "--column", "version") == 0
        assert rows(console) == [["0.9"]]

    def test_what_metadata_says_of_pythons(self, console: Console) -> None:
        make_wheel(console.root / "generic", "pure", "1.0+computecanada", requires_python=">=3.9")
        make_wheel(console.root / "generic", "pure", "2.0+computecanada", requires_python=">=3.12,<4")
        make_wheel(console.root / "generic", "pure", "3.0+computecanada", requires_python="nonsense")
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "pure<3", "--python", "3.11", "--column", "version") == 0
        assert rows(console) == [["1.0"]]
        assert console("search", "pure<3", "--python", "3.11", "3.12", "--column", "version") == 0
        assert rows(console) == [["2.0"]]
        assert console("search", "pure", "--python", "3.11", "--column", "version") == 0
        assert rows(console) == [["3.0"]], "pip takes what can not be read"
        assert console("search", "pure==2.*", "--python", "3.11", "--offline") == 1
        assert "nothing fits pure==2.*: other versions: 3.0, 1.0; for other Pythons: >=3.12,<4" in console.err
        assert console("search", "--since", "2000-01-01", "pure", "--python", "3.11", "--raw") == 0
        assert len(console.out.splitlines()) == 2

    def test_what_was_not_read_is_not_held_against_a_wheel(self, console: Console) -> None:
        make_wheel(console.root / "generic", "pure", "2.0+computecanada", requires_python=">=3.12")
        names = console.root / "names.sqlite"
        assert console("catalogue", "scan", "-q", "--names-only", "--output", names) == 0
        assert console("search", "pure", "--python", "3.11", "--catalogue", names) == 0


class TestNothing:
    def test_says_what_is_near(self, console: Console) -> None:
        assert console("search", "numpi", "pandas>3", "--offline") == 1
        assert console.out == ""
        assert "nothing fits numpi: did you mean numpy?" in console.err
        assert "nothing fits pandas>3: other versions: 2.2.3" in console.err

    def test_another_software_environment(self, console: Console) -> None:
        assert console("search", "numpy>2.3", "--offline") == 1
        assert "in StdEnv/2026" in console.err

    def test_a_module_is_something(self, console: Console) -> None:
        assert console("search", "PyArrow") == 0
        assert "module load StdEnv/2023 python/3.11 arrow/17.0.0" in console.err
        assert console("search", "pyarrow", "--python", "3.12") == 1
        assert "arrow/17.0.0 for Python 3.11, but none for Python 3.12" in console.err

    def test_a_module_of_a_site_without_a_profile(
        self, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (scanned,) = (tmp_path / "cache" / "catalogues").glob("*.sqlite")
        (tmp_path / "sites" / "lake.toml").unlink()
        monkeypatch.setenv("TUMPLINE_SITE", "linux")
        assert console("search", "pyarrow", "--catalogue", scanned) == 0
        assert "module load StdEnv/2023 python/3.11 arrow/17.0.0" in console.err

    def test_a_module_of_another_software_environment_is_nothing(
        self, console: Console, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert console("search", "pyarrow", "--stdenv", "2026", "--offline") == 1
        assert "arrow/17.0.0 of StdEnv/2023 for Python 3.11, but none in StdEnv/2026" in console.err
        assert console("search", "pyarrow", "--stdenv", "2026", "--json", "--offline") == 1
        assert [(row["module"], row["fits"]) for row in json.loads(console.out)["modules"]] == [("arrow/17.0.0", False)]
        assert console("search", "pyarrow>90", "--stdenv", "2026", "--offline") == 1
        assert "by module: arrow/17.0.0 of StdEnv/2023" in console.err
        assert console("search", "pyarrow", "--all-archs") == 0
        monkeypatch.setenv("EBVERSIONGENTOO", "2026")
        assert console("search", "pyarrow") == 1
        assert console("search", "pyarrow", "--site", "alliance", "--stdenv", "2023") == 0
        assert "module load StdEnv/2023 " in console.err
        assert "StdEnv/2026" not in console.err
        assert console("search", "pyarrow", "--site", "alliance") == 0
        assert "module: module load StdEnv/2023 " in console.err, "the default first"

    def test_the_index_is_not_asked_offline_and_need_not_answer(
        self, console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        make_wheel(tmp_path / "links", "onlythere", "1.5")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
        assert console("search", "onlythere") == 1
        assert "the package index has 1.5, as a pure wheel" in console.err
        assert console("search", "onlythere", "--json") == 1
        assert json.loads(console.out)["missing"][0]["index"] == {"version": "1.5", "pure": True}
        assert console("search", "onlythere", "--offline") == 1
        assert "package index" not in console.err
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path / "other"))
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "onlythere") == 1
        assert "nothing fits onlythere" in console.err


class TestQuestions:
    def test_requires(self, console: Console) -> None:
        assert console("search", "--requires", "NumPy") == 0
        assert rows(console) == [["pandas", "2.2.3", "cp311", "numpy>=1.26"]]
        assert console("search", "--requires", "numpy", "--column", "layer", "name") == 0
        assert rows(console) == [["2023/v3", "pandas", "numpy>=1.26"]]
        assert console("search", "--requires", "pandas") == 1
        assert console("search", "--requires", "numpy", "--json") == 0
        assert json.loads(console.out)["wheels"][0]["requires"] == ["numpy>=1.26"]

    def test_deps(self, console: Console) -> None:
        assert console("search", "--deps", "pandas", "--python", "3.11") == 1
        assert "pytz" in console.err
        make_wheel(console.root / "generic", "pytz", "2025.1+computecanada")
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "--deps", "pandas", "--python", "3.11") == 0
        assert [row[0] for row in rows(console)] == ["numpy", "pandas", "pytz"]
        assert console("search", "--deps", "pandas", "numpy>3", "--python", "3.11") == 1
        assert "numpy can not be had" in console.err
        assert console("search", "--deps", "pandas", "--version", "2.2.3", "--python", "3.11") == 0
        assert console("search", "--deps", "pandas", "--version", "9", "--python", "3.11") == 1
        assert console("search", "--deps", "pandas>=2.2.*", "--python", "3.11") == 0
        assert console("search", "--deps", "pytz", "--python", "3.11", "--arch", "v3") == 1
        assert console("search", "--deps", "pandas", "--python", "3.11", "--json") == 0
        assert json.loads(console.out)["complete"] is True

    def test_a_catalogue_of_names_alone_knows_no_needs(self, console: Console) -> None:
        assert console("catalogue", "scan", "-q", "--names-only", "--output", str(console.root / "names.sqlite")) == 0
        for question in (["--deps", "pandas", "--python", "3.11"], ["--requires", "numpy"]):
            assert console("search", *question, "--catalogue", str(console.root / "names.sqlite")) == 2
            assert "only file names were read" in console.err

    def test_specifiers_count_and_pre_releases_only_where_nothing_else_fits(self, console: Console) -> None:
        for version in ("1.0+computecanada", "2.0rc1+computecanada"):
            make_wheel(console.root / "generic", "user", version, requires=["pandas"])
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "--requires", "pandas") == 0
        assert [row[:2] for row in rows(console)] == [["user", "1.0"]]
        assert console("search", "--requires", "pandas", "user>=2.0rc1") == 0
        assert [row[:2] for row in rows(console)] == [["user", "2.0rc1"]]
        assert console("search", "--since", "2020-01-01", "user<2", "--raw") == 0
        assert console.out == "user-1.0+computecanada-py3-none-any.whl\n"

    def test_the_latest_is_a_public_version(self, console: Console) -> None:
        make_wheel(console.root / "2023" / "v3", "both", "1.0+computecanada")
        make_wheel(console.root / "generic", "both", "1.0+zz.computecanada")
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "both", "--all-archs", "--raw") == 0
        assert sorted(console.out.splitlines()) == [
            "both-1.0+computecanada-py3-none-any.whl",
            "both-1.0+zz.computecanada-py3-none-any.whl",
        ]

    def test_what_to_do_about_deps_that_are_lacking(self, console: Console) -> None:
        assert console("search", "--deps", "pyarrow", "--python", "3.11") == 1
        assert "hint: load arrow/17.0.0, or name a target that does with --target, and ask again" in console.err
        assert console("search", "--deps", "numpi", "numpy>3", "--python", "3.11") == 1
        assert "you ask for numpi\n" in console.err
        assert "hint: did you mean numpy?" in console.err
        assert "hint: ask for a version of numpy that is there" in console.err
        assert console("search", "--deps", "utterly-other", "numpy==2.3", "--python", "3.11", "--json") == 1
        hints = " ".join(problem["hint"] for problem in json.loads(console.out)["problems"])
        assert "tumpline search utterly-other asks the index too" in hints
        assert console("search", "--deps", "numpy>=2.2", "numpy<2.2", "--python", "3.11") == 1
        for word in ("project", "tumpline explain", "tool.tumpline"):
            assert word not in hints + console.err

    def test_since(self, console: Console) -> None:
        for file in console.root.rglob("*.whl"):
            os.utime(file, (1.7e9, 1.7e9))
        os.utime(console.root / "generic" / "Foo.Bar-1.0+computecanada-py3-none-any.whl", (1.75e9, 1.75e9))
        assert console("catalogue", "scan", "-q") == 0
        assert console("search", "--since", "2025-01-01") == 0
        assert rows(console) == [["2025-06-15", "Foo.Bar", "1.0", "py3", "generic"]]
        assert console("search", "--since", "2025-01-01", "--json") == 0
        assert [row["date"] for row in json.loads(console.out)["wheels"]] == ["2025-06-15"]
        assert console("search", "--since", "2025-06-16") == 1
        assert console("search", "--since", "yesterday") == 2
        assert "bad-date" in console.err

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (["--requires", "numpy", "--site", "narval"], "needs-unknown"),
            (["--since", "2026-01-01", "--site", "narval"], "times-unknown"),
            (["--deps", "numpy", "--site", "narval"], "needs-unknown"),
            (["--deps", "num*"], "bad-search"),
            (["--deps"], "nothing-asked"),
            (["--version", "1.0"], "nothing-asked"),
            (["--deps", "numpy", "--python", "3.11", "3.12"], "which-python"),
            (["numpy", "--python", "311"], "bad-python"),
            (["--python", "3.11", "numpy"], "bad-python"),
            (["numpy", "--arch", "v5"], "unknown-arch"),
            (["numpy", "--arch", "v4", "--site", "narval"], "layers-unknown"),
            (["numpy", "--stdenv", "2020"], "unknown-environment"),
            (["numpy", "--site", "linux"], "no-catalogue"),
            (["a b"], "bad-search"),
            (["numpy", "--deps", "--raw"], "options-exclusive"),
            (["numpy", "--deps", "--all"], "options-exclusive"),
            (["numpy", "--deps", "--column", "name"], "options-exclusive"),
            (["--requires", "numpy", "--condense"], "options-exclusive"),
            (["numpy", "--since", "2026-01-01", "--not-available"], "options-exclusive"),
        ],
    )
    def test_refusals(self, console: Console, words: list[str], code: str) -> None:
        assert console("search", *words) == 2
        assert f"error[{code}]" in console.err
        assert "hint:" in console.err


class TestList:
    def test_a_laptop_asks_the_list(self, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TUMPLINE_SITE", "linux")
        assert console("search", "pyyaml", "--python", "3.12") == 0
        assert console.out.splitlines()[0].split() == ["name", "version", "python"]
        assert rows(console)[0][0].lower() == "pyyaml"
        assert "a public list of 2026-" in console.err

    def test_condensed_pythons_are_each_said_once(self, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TUMPLINE_SITE", "linux")
        assert console("search", "numpy", "--all-versions", "--condense", "--column", "python") == 0
        (pythons,) = console.out.splitlines()[2:]
        assert "3.12" in pythons
        assert len(set(pythons.split(", "))) == len(pythons.split(", "))
        assert pythons.replace(", ", "").replace(".", "").isdecimal()

    def test_json(self, console: Console) -> None:
        assert console("search", "numpy", "pyarrow", "nosuch", "--json", "--offline") == 0
        answer = json.loads(console.out)
        assert answer["schema"] == "tumpline.search/1"
        assert answer["catalogue"]["layers"] == ["2023/v4", "2023/v3", "generic"]
        assert answer["wheels"][0]["file"] == "numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl"
        assert answer["modules"][0]["module"] == "arrow/17.0.0"
        assert answer["missing"] == [{"asked": "nosuch", "near": {}, "index": None}]
        assert list(answer["wheels"][0]) == ["name", "version", "local", "tags", "layer", "file", "size"]

    def test_json_of_a_list(self, console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TUMPLINE_SITE", "linux")
        assert console("search", "pyyaml", "--json") == 0
        assert list(json.loads(console.out)["wheels"][0]) == ["name", "version", "pythons", "spelling"]

    def test_each_wheel_is_a_line(self, console: Console) -> None:
        for question in (["--all"], ["--all", "--requires", "numpy"], ["--all", "--since", "2000-01-01"]):
            assert console("search", *question, "--json") == 0
            answer = json.loads(console.out)
            lines = [line.strip().rstrip(",") for line in console.out.splitlines()]
            assert answer["wheels"]
            assert all(json.dumps(wheel) in lines for wheel in answer["wheels"])
        assert console("search", "nosuch", "--json", "--offline") == 1
        assert json.loads(console.out)["wheels"] == []
        assert console("search", "--requires", "nosuch", "--json", "--offline") == 1
        assert json.loads(console.out)["wheels"] == []
