"""``tumpline modules``, ``tumpline pythons``, and a scan that finds everything by itself."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.sites import make_wheelhouse
from tests.moduletree import ModuleTree, needs_lmod
from tests.wheelmaker import make_wheel
from tumpline.cli.app import run_command

PROFILE = """
title = "Lake"
wheelhouse = "../wheelhouse"
local-tag = "computecanada"
manylinux = false
cpu-levels = ["x86-64-v4"]
default-environment = "2023"
inferred = ["default-environment", "environments.2023.default-python"]
platform = { tags = ["linux_x86_64"] }

[environments.2023]
pythons = ["3.11.5", "3.13.2"]
default-python = "3.13.2"
layers = { x86-64-v4 = ["2023/v4", "2023/v3", "generic"] }

[environments.2026]
pythons = ["3.14.7"]
layers = { x86-64-v4 = ["2026/v4", "generic"] }

[dummies]
pyarrow = "arrow"

[[modules]]
environment = "2023"
module = "arrow"
version = "9.0"
pythons = ["3.11", "3.13"]
provides = { pyarrow = "9.0" }

[[modules]]
environment = "2023"
module = "arrow"
version = "17.0.0"
pythons = ["3.11"]
provides = { pyarrow = "17.0.0" }

[[modules]]
environment = "2026"
module = "arrow"
version = "25.0.1"
pythons = ["3.14"]
provides = { pyarrow = "25.0.1" }
"""


class Shell:
    """A shell on the cluster ``lake``."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.out = self.err = ""
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str | Path, status: int = 0) -> str:
        assert run_command([str(word) for word in words]) == status
        self.out, self.err = self.read()
        return self.out

    def read(self) -> tuple[str, str]:
        out, err = self._capsys.readouterr()
        return out, err

    def json(self, *words: str | Path, status: int = 0) -> dict[str, Any]:
        answer = json.loads(self(*words, "--json", status=status))
        assert isinstance(answer, dict)
        return answer

    def set(self, **variables: str | Path) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, str(value))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    for name in list(os.environ):
        if name.startswith(("TUMPLINE_", "PIP_", "CC_", "RSNT_", "EB", "SLURM", "LMOD", "MODULE", "LOADED")):
            monkeypatch.delenv(name)
    make_wheelhouse(tmp_path / "wheelhouse")
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "lake.toml").write_text(PROFILE)
    shell = Shell(tmp_path, capsys, monkeypatch)
    shell.set(
        TUMPLINE_SITE="lake",
        TUMPLINE_SITES=tmp_path / "sites",
        TUMPLINE_CACHE=tmp_path / "cache",
        XDG_CONFIG_HOME=tmp_path / "config",
        HOME=tmp_path / "home",
    )
    return shell


@pytest.fixture
def tree(shell: Shell, lmod_command: str) -> ModuleTree:
    """Modules on the cluster."""
    tree = ModuleTree(shell.root / "cluster")
    variables = tree.variables(lmod_command)
    shell.set(**{name: variables[name] for name in ("LMOD_CMD", "LMOD_VERSION", "MODULEPATH")})
    return tree


def found(answer: dict[str, Any], place: int = 0) -> list[str]:
    return [f"{row['environment']} {row['module']}/{row['version']}" for row in answer["answers"][place]["modules"]]


@needs_lmod
class TestScan:
    def test_finds_everything_by_itself(self, shell: Shell, tree: ModuleTree) -> None:
        own = shell.root / "lab" / "wheels"
        make_wheel(own, "mine", "1")
        config = shell.root / "pip.conf"
        house = shell.root / "wheelhouse"
        config.write_text(
            f"[wheel]\nfind-links = {house}/2023/v4 {house}/generic {own} /gone https://w.example.org/?token=x\n"
        )
        shell.set(PIP_CONFIG_FILE=config)
        answer = shell.json("catalogue", "scan")
        assert [(layer["name"], layer["evidence"]) for layer in answer["layers"]] == [
            ("2023/v4", ["profile", "pip-config"]),
            ("2023/v3", ["profile"]),
            ("generic", ["profile", "pip-config"]),
            ("wheels", ["pip-config"]),
        ]
        assert answer["pip-config"] == str(config)
        assert answer["modules"] == {"system": "Lmod 9.8.7", "read": 4, "stated": 0, "table": 0, "problems": []}
        assert not shell.json("catalogue", "scan")["changed"]

        shell("catalogue", "scan")
        assert "note: pip's configuration names /gone, which is not there" in shell.err
        assert "names https://w.example.org/, which is no folder" in shell.err
        assert "pip's configuration names 3 of the layers: 2023/v4, generic, wheels" in shell.err
        assert "modules, asked of Lmod 9.8.7: 4 read from their folders" in shell.err
        assert "modules   4 read from their folders\n" in shell("catalogue", "info")
        assert "3.12.4 (2023)" in shell.out
        assert shell.json("catalogue", "info")["modules"] == {"read": 4, "stated": 0, "table": 0}

        assert found(shell.json("modules", "pyarrow")) == ["2023 arrow/17.0.0"]
        assert shell.json("modules", "faiss")["answers"][0]["modules"] == [
            {
                "environment": "2023",
                "module": "faiss",
                "version": "1.8.0",
                "pythons": ["3.11"],
                "packages": {"faiss": "1.8.0"},
                "evidence": "read",
                "load": ["StdEnv/2023", "cuda/12.2", "python/3.11", "faiss/1.8.0"],
            }
        ]

    def test_what_was_inferred_is_marked(self, shell: Shell, tree: ModuleTree) -> None:
        tree.write(
            tree.core / "arrow/17.0.0", 'extensions("pyarrow/17.0.0")', 'prepend_path("EBPYTHONPREFIXES","/nowhere")'
        )
        tree.write(tree.core / "arrow/9.0")
        shell("catalogue", "scan")
        assert shell("modules", "pyarrow").splitlines() == [
            "StdEnv/2023 arrow/17.0.0 (Python 3.11): pyarrow 17.0.0 (as the module states: inferred)",
            "StdEnv/2023 arrow/9.0 (Python 3.11, 3.13): pyarrow 9.0 (from the profile)",
            "to load: module load StdEnv/2023 python/3.11 arrow/17.0.0",
        ]

    def test_what_is_not_asked(self, shell: Shell, tree: ModuleTree) -> None:
        answer = shell.json("catalogue", "scan", "--no-modules")
        assert answer["modules"] == {"system": None, "read": 0, "stated": 0, "table": 3, "problems": []}
        shell.set(TUMPLINE_SITE="linux", PIP_CONFIG_FILE=shell.root / "pip.conf")
        (shell.root / "pip.conf").write_text("[install]\nfind-links = /elsewhere\n")
        answer = shell.json("catalogue", "scan", "lake")
        assert answer["modules"]["system"] is None, "this machine is not of the site"
        assert answer["pip-config"] is None

    def test_what_fails_stops_nothing(self, shell: Shell, tree: ModuleTree) -> None:
        (tree.custom / "StdEnv/2026.lua").unlink()
        shell("catalogue", "scan")
        assert "note[module-load-failed]" in shell.err
        assert "4 read from their folders, 1 from the site's profile" in shell.err
        assert found(shell.json("modules", "pyarrow")) == ["2023 arrow/17.0.0", "2026 arrow/25.0.1"]


class TestPipConfig:
    def test_elsewhere(self, shell: Shell) -> None:
        """A copy of the wheelhouse on a machine that is not of the site."""
        (shell.root / "wheelhouse").rename(shell.root / "copy")
        config = shell.root / "pip.conf"
        config.write_text(f"[wheel]\nfind-links = {shell.root}/copy/2023/v3 file://{shell.root}/copy/generic\n")
        shell.set(TUMPLINE_SITE="linux")
        answer = shell.json("catalogue", "scan", "lake", "--pip-config", config)
        assert [layer["name"] for layer in answer["layers"]] == ["2023/v3", "generic"]

    @pytest.mark.parametrize(
        ("text", "code", "status"),
        [
            (None, "pip-config-unreadable", 2),
            ("nonsense", "pip-config-unreadable", 2),
            ("[wheel]\nfind-links = file://other.example.org/w", "index-address-unusable", 2),
        ],
    )
    def test_bad_ones(self, shell: Shell, text: str | None, code: str, status: int) -> None:
        config = shell.root / "pip.conf"
        if text is not None:
            config.write_text(text)
        answer = shell.json("catalogue", "scan", "--pip-config", config, status=status)
        assert [problem["code"] for problem in answer["problems"]] == [code]

    def test_one_that_the_variable_names_and_is_not_there(self, shell: Shell) -> None:
        shell.set(PIP_CONFIG_FILE=shell.root / "nowhere.conf")
        assert shell.json("catalogue", "scan")["pip-config"] is None

    def test_not_with_a_wheelhouse(self, shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            run_command(["catalogue", "scan", "--wheelhouse", "x", "--pip-config", "y"])
        assert "not allowed with" in capsys.readouterr().err


class TestModules:
    """From the profile, where nothing was scanned, and from a catalogue."""

    def test_of_a_package(self, shell: Shell) -> None:
        assert shell("modules", "PyArrow").splitlines() == [
            "StdEnv/2023 arrow/17.0.0 (Python 3.11): pyarrow 17.0.0",
            "StdEnv/2023 arrow/9.0 (Python 3.11, 3.13): pyarrow 9.0",
            "StdEnv/2026 arrow/25.0.1 (Python 3.14): pyarrow 25.0.1",
            "to load: module load StdEnv/2023 python/3.11 arrow/17.0.0",
        ]
        assert shell.err == "from the profile of lake\n"

    def test_from_a_catalogue(self, shell: Shell) -> None:
        shell("catalogue", "scan")
        assert found(shell.json("modules", "pyarrow")) == ["2023 arrow/17.0.0", "2023 arrow/9.0", "2026 arrow/25.0.1"]
        assert shell.json("modules")["source"].startswith("the catalogue of lake, scanned, of ")

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ([], ["2023 arrow/17.0.0", "2023 arrow/9.0", "2026 arrow/25.0.1"]),
            (["arrow/17.0.0"], ["2023 arrow/17.0.0"]),
            (["ARROW"], ["2023 arrow/17.0.0", "2023 arrow/9.0", "2026 arrow/25.0.1"]),
            (["arrow/2*"], ["2026 arrow/25.0.1"]),
            (["py*"], ["2023 arrow/17.0.0", "2023 arrow/9.0", "2026 arrow/25.0.1"]),
            (["pyarrow", "--python", "3.13.2"], ["2023 arrow/9.0"]),
            (["pyarrow", "--stdenv", "2026"], ["2026 arrow/25.0.1"]),
        ],
    )
    def test_names_and_limits(self, shell: Shell, words: list[str], expected: list[str]) -> None:
        assert found(shell.json("modules", *words)) == expected

    def test_several_names(self, shell: Shell) -> None:
        lines = shell("modules", "pyarrow", "pyarow", "arrow/9.0", status=1).splitlines()
        assert [line for line in lines if not line.startswith(" ")] == ["pyarrow:", "arrow/9.0:"]
        assert "error[no-module]: no module of lake is or brings pyarow" in shell.err
        assert "hint: did you mean pyarrow or arrow?" in shell.err
        answer = shell.json("modules", "pyarow", status=1)["answers"][0]
        assert (answer["modules"], answer["near"]) == ([], ["pyarrow", "arrow"])

    def test_nothing_for_that_python(self, shell: Shell) -> None:
        assert shell("modules", "pyarrow", "--python", "3.14", "--stdenv", "2023", status=1) == ""
        assert "brings pyarrow for Python 3.14 in StdEnv/2023" in shell.err
        assert "  there is StdEnv/2023 arrow/17.0.0 (Python 3.11): pyarrow 17.0.0" in shell.err

    def test_what_has_wheels_needs_no_module(self, shell: Shell) -> None:
        shell("catalogue", "scan")
        shell("modules", "Foo_Bar", status=1)
        assert "hint: the wheelhouse has wheels of it: no module is needed" in shell.err

    def test_unknown_software_environment(self, shell: Shell) -> None:
        answer = shell.json("modules", "--stdenv", "2031", status=2)
        assert [problem["code"] for problem in answer["problems"]] == ["unknown-environment"]

    def test_on_a_laptop_all_of_the_alliance(self, shell: Shell) -> None:
        shell.set(TUMPLINE_SITE="linux")
        answer = shell.json("modules", "mpi4py")
        assert answer["site"] == "alliance"
        assert "2023 mpi4py/4.1.0" in found(answer)

    def test_the_python_that_is_loaded(self, shell: Shell) -> None:
        shell.set(EBVERSIONPYTHON="3.13.2")
        assert shell("modules", "arrow/9.0").splitlines()[-1].split()[-2:] == ["python/3.13", "arrow/9.0"]
        assert shell("modules", "arrow/9.0", "--python", "3.11").splitlines()[-1].split()[-2] == "python/3.11"

    @pytest.mark.parametrize("site", ["lake", "linux", "narval"])
    @pytest.mark.parametrize("loaded", [{}, {"EBVERSIONPYTHON": "3.12.4"}, {"EBVERSIONGENTOO": "2026"}])
    def test_search_says_the_same(self, shell: Shell, site: str, loaded: dict[str, str]) -> None:
        shell.set(TUMPLINE_SITE=site, **loaded)
        if site == "lake":
            shell("catalogue", "scan")
        told = 0
        for name in ("pyarrow", "mpi4py", "opencv-python", "rdkit", "numpy"):
            run_command(["modules", name])
            load = "".join(line for line in shell.read()[0].splitlines() if line.startswith("to load: "))
            run_command(["search", name, "-v", "--offline"])
            found = re.search(r"comes with a module: (module load .*?) \(", shell.read()[1])
            assert found is None or load == f"to load: {found[1]}"
            told += found is not None
        assert told >= (1 if site == "lake" else 4) or loaded

    def test_the_keys_of_json_are_documented(self, shell: Shell) -> None:
        page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "modules.md").read_text(encoding="utf-8")
        answer = shell.json("modules", "pyarrow")
        for key in (*answer, *answer["answers"][0], *answer["answers"][0]["modules"][0]):
            assert f"`{key}`" in page.partition("With `--json`")[2]

    def test_a_snapshot(self, shell: Shell) -> None:
        shell("catalogue", "scan")
        shell("catalogue", "export", "--output", shell.root / "lake.tumpline")
        answer = shell.json("modules", "pyarrow", "--catalogue", shell.root / "lake.tumpline")
        assert answer["source"].startswith("the catalogue of lake, scanned")
        shell.set(TUMPLINE_CATALOGUE=shell.root / "lake.tumpline")
        assert shell.json("modules", "pyarrow") == answer

    def test_what_is_loaded_comes_first(self, shell: Shell) -> None:
        shell.set(EBVERSIONGENTOO="2026", EBVERSIONPYTHON="3.14.7")
        assert found(shell.json("modules", "pyarrow"))[0] == "2026 arrow/25.0.1"
        assert shell("modules", "pyarrow").endswith("to load: module load StdEnv/2026 python/3.14 arrow/25.0.1\n")
        shell.set(EBVERSIONGENTOO="2023", EBVERSIONPYTHON="3.13.2")
        assert shell("modules", "pyarrow").endswith("to load: module load StdEnv/2023 python/3.13 arrow/9.0\n")

    @needs_lmod
    def test_what_is_to_be_typed_is_quoted(self, shell: Shell, tree: ModuleTree) -> None:
        """A module that leads to others may have any name."""
        folder = tree.root / "modules" / "odd"
        tree.write(tree.core / "a b;touch FILE/1", f'prepend_path("MODULEPATH","{folder}")')
        tree.module("gadget/1", folder=folder, python=["3.11"], brings=["gadget 1"])
        shell("catalogue", "scan")
        line = shell("modules", "gadget").splitlines()[-1].removeprefix("to load: ")
        assert shlex.split(line)[2:] == ["StdEnv/2023", "a b;touch FILE/1", "python/3.11", "gadget/1"]
        shell("search", "gadget", "--offline")
        assert f"module load {line.removeprefix('module load ')} (1, Python 3.11)" in shell.err


class TestPythons:
    def test_from_the_profile(self, shell: Shell) -> None:
        shell.set(TUMPLINE_SITE="linux")
        assert shell("pythons", "lake").splitlines() == [
            "StdEnv/2023: default (inferred)",
            "  3.11.5                      profile",
            "  3.13.2  default (inferred)  profile",
            "StdEnv/2026",
            "  3.14.7  default  profile",
        ]

    @pytest.mark.parametrize("words", ["pythons", "catalogue info", "modules pyarrow"])
    def test_a_laptop_asks_what_the_clusters_have(self, shell: Shell, words: str) -> None:
        shell.set(TUMPLINE_SITE="linux")
        assert shell.json(*words.split())["site"] == "alliance"

    @needs_lmod
    def test_from_all_evidence(self, shell: Shell, tree: ModuleTree) -> None:
        shell("catalogue", "scan")
        shell.set(EBVERSIONGENTOO="2023", EBVERSIONPYTHON="3.12.4")
        answer = shell.json("pythons")
        assert answer["module-system"] == "Lmod 9.8.7"
        first, second = answer["environments"]
        assert (first["name"], first["default"], first["loaded"]) == ("2023", True, True)
        assert [(row["version"], row["default"], row["inferred"], row["loaded"]) for row in first["pythons"]] == [
            ("3.11.5", True, False, False),
            ("3.12.4", False, False, True),
            ("3.13.2", False, False, False),
        ]
        profile, scanned, loaded = first["pythons"][0]["evidence"]
        assert (profile, scanned.partition(" of ")[0], loaded) == ("profile", "catalogue", "module system")
        assert first["pythons"][2]["evidence"] == ["profile"], "it can not be loaded here"
        assert [row["version"] for row in second["pythons"]] == ["3.14.2", "3.14.7"]
        assert "  3.12.4  loaded " in shell("pythons", "--stdenv", "2023")
        assert "StdEnv/2026" not in shell.out

    @needs_lmod
    def test_an_environment_that_no_profile_names(self, shell: Shell, tree: ModuleTree) -> None:
        tree.write(tree.custom / "StdEnv/2028", f'prepend_path("MODULEPATH","{tree.core}")')
        tree.write(tree.custom / "StdEnv/2029", 'LmodError("soon")')
        answer = shell.json("pythons")
        assert [row["name"] for row in answer["environments"]] == ["2023", "2026", "2028"]
        assert answer["environments"][2]["pythons"][0]["evidence"] == ["module system"]
        assert "note[module-load-failed]" in shell.err

    def test_none(self, shell: Shell) -> None:
        answer = shell.json("pythons", "linux", status=1)
        assert [problem["code"] for problem in answer["problems"]] == ["no-pythons"]

    def test_unknown_software_environment(self, shell: Shell) -> None:
        answer = shell.json("pythons", "--stdenv", "2031", status=2)
        assert [problem["code"] for problem in answer["problems"]] == ["unknown-environment"]
