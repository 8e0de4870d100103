"""The interface to Lmod, against the real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.moduletree import ModuleTree, needs_lmod
from tumpline.errors import EnvironmentFailure
from tumpline.host.lmod import Lmod, LoadedModules, ModuleFile

VARIABLE = "EBPYTHONPREFIXES"


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    return ModuleTree(tmp_path / "cluster")


@pytest.fixture
def lmod(tree: ModuleTree, lmod_command: str) -> Lmod:
    found = Lmod.find(tree.variables(lmod_command))
    assert found is not None
    return found


def files(lmod: Lmod, tree: ModuleTree) -> dict[str, ModuleFile]:
    loaded = lmod.load("StdEnv/2023")
    return {file.full_name: file for file in lmod.module_files([str(tree.core)], loaded)}


class TestFind:
    @pytest.mark.parametrize(
        "changes",
        [
            {"LMOD_CMD": ""},
            {"LMOD_CMD": "libexec/lmod"},
            {"LMOD_CMD": "/nowhere/lmod"},
            {"LMOD_CMD": "/" + "x" * 5000},
            {"MODULEPATH": ""},
        ],
    )
    def test_none(self, tree: ModuleTree, changes: dict[str, str]) -> None:
        command = tree.root / "lmod"
        command.touch()
        variables = tree.variables(str(command))
        assert Lmod.find(variables) is not None
        assert Lmod.find(variables | changes) is None

    def test_what_runs_code_in_a_shell_is_left_out(self, tree: ModuleTree) -> None:
        command = tree.root / "lmod"
        command.touch()
        odd = {"BASH_FUNC_module%%": "() { mii; }", "BASH_ENV": "/nowhere", "SHELLOPTS": "xtrace", "KEPT": "1"}
        lmod = Lmod.find(tree.variables(str(command)) | odd)
        assert lmod is not None
        assert lmod.variables.keys() & odd.keys() == {"KEPT"}
        assert lmod.title == "Lmod 9.8.7"


@needs_lmod
class TestLoad:
    def test_nothing(self, lmod: Lmod, tree: ModuleTree) -> None:
        loaded = lmod.load()
        assert loaded.names == ()
        assert loaded.folders == (str(tree.custom),)

    def test_with_what_it_loads_in_turn(self, lmod: Lmod, tree: ModuleTree) -> None:
        loaded = lmod.load("StdEnv/2023", "python/3.11", "arrow/17.0.0")
        assert set(loaded.names) == {"gentoo/2023", "gcc/12.3", "StdEnv/2023", "python/3.11.5", "arrow/17.0.0"}
        assert set(loaded.folders) == {str(tree.custom), str(tree.core), str(tree.gcc)}
        assert loaded.variables[VARIABLE] == str(tree.prefix("arrow/17.0.0"))
        assert loaded.variables["EBVERSIONPYTHON"] == "3.11.5"
        assert str(tree.custom / "StdEnv/2023.lua") in loaded.files

    def test_what_was_loaded_before_is_not(self, tree: ModuleTree, lmod: Lmod) -> None:
        before = lmod.load("StdEnv/2023", "python/3.12.4")
        again = Lmod.find(before.variables)
        assert again is not None
        loaded = again.load("StdEnv/2026")
        assert set(loaded.names) == {"gentoo/2026", "StdEnv/2026"}
        assert loaded.variables["EBVERSIONGENTOO"] == "2026"
        assert "EBVERSIONPYTHON" not in loaded.variables

    def test_values_are_taken_whole(self, lmod_command: str, tree: ModuleTree) -> None:
        tree.write(tree.core / "odd/1", """setenv("ODD", "$(id) 'x' \\"y\\" ;")""")
        lmod = Lmod.find(tree.variables(lmod_command) | {"LINES_OF": "a\nB=2"})
        assert lmod is not None
        variables = lmod.load("StdEnv/2023", "odd/1").variables
        assert variables["ODD"] == "$(id) 'x' \"y\" ;"
        assert variables["LINES_OF"] == "a\nB=2"
        assert "B" not in variables

    def test_what_modules_print_is_not_taken_for_variables(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.write(tree.core / "chatty/1", 'LmodMessage("HELLO=1")', 'execute{cmd="echo WORLD=1",modeA={"load"}}')
        variables = lmod.load("StdEnv/2023", "chatty/1").variables
        assert not {"HELLO", "WORLD"} & variables.keys()

    @pytest.mark.parametrize("name", ["StdEnv/2099", "python", "x; touch FILE", "$(touch FILE)", "'"])
    def test_what_can_not_be_loaded(
        self, lmod: Lmod, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.load(name)
        assert caught.value.code == "module-load-failed"
        assert not (tmp_path / "FILE").exists()

    @pytest.mark.parametrize(
        ("modules", "why"),
        [
            (("scipy-stack/2024a", "clash/1"), "clash/1 and scipy-stack exclude each other"),
            (("needs/1",), "needs/1 needs scipy-stack, to be loaded before it"),
            (("arrow/99",), "there is no module arrow/99"),
            (("faiss/1.8.0",), "faiss/1.8.0 can only be loaded after others"),
        ],
    )
    def test_refusals_are_put_in_words(self, lmod: Lmod, tree: ModuleTree, modules: tuple[str, ...], why: str) -> None:
        tree.write(tree.core / "clash/1", 'conflict("scipy-stack")')
        tree.write(tree.core / "needs/1", 'prereq("scipy-stack")')
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.load("StdEnv/2023", *modules)
        assert caught.value.code == "module-load-failed"
        assert caught.value.problems[0].why.startswith(why)

    def test_one_of_a_name_takes_the_place_of_another(self, lmod: Lmod) -> None:
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.load("StdEnv/2023", "python/3.11.5", "python/3.12.4")
        assert caught.value.code == "modules-exclude"
        assert caught.value.problems[0].why == "python/3.12.4 takes the place of python/3.11.5"
        assert "python/3.11.5" in lmod.load("StdEnv/2023", "python/3.11", "python/3.11.5").names

    def test_the_cause_is_told(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.write(tree.core / "angry/1", 'LmodError("not on this node")')
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.load("StdEnv/2023", "angry/1")
        assert "not on this node" in caught.value.problems[0].why
        assert caught.value.problems[0].hint.endswith("module load StdEnv/2023 angry/1")


@needs_lmod
class TestAvailable:
    def test_versions(self, lmod: Lmod, tree: ModuleTree) -> None:
        loaded = lmod.load("StdEnv/2023")
        tree.write(tree.core / "ipython/8.1")
        tree.write(tree.core / "python/.hidden")
        assert lmod.available("python", loaded) == ("python/3.11.5", "python/3.12.4")
        assert lmod.available("python", loaded, default=True) == ("python/3.11.5",)
        assert lmod.available("nothing", loaded) == ()

    def test_of_another_software_environment(self, lmod: Lmod) -> None:
        assert lmod.available("python", lmod.load("StdEnv/2026")) == ("python/3.14.2",)
        assert lmod.available("python", lmod.load()) == ()
        assert lmod.available("StdEnv", lmod.load()) == ("StdEnv/2023", "StdEnv/2026")


@needs_lmod
class TestModuleFiles:
    def test_all_that_can_be_reached(self, lmod: Lmod, tree: ModuleTree) -> None:
        found = files(lmod, tree)
        assert found["arrow/17.0.0"] == ModuleFile(
            "arrow", "17.0.0", tree.core / "arrow/17.0.0.lua", tree.core, ("pyarrow/17.0.0",), ()
        )
        assert found["opencv/4.10.0"].chains == (("gcc/12.3",),)
        assert found["faiss/1.8.0"].chains == (("cuda/12.2",),)
        assert found["faiss/1.8.0"].folder == tree.cuda
        assert found["python/3.11.5"].provides == ("pip/23.2.1",)
        assert "StdEnv/2026" not in found

    def test_names_with_folders_and_without_version(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.write(tree.core / "lab/tool/1.0")
        tree.write(tree.core / "alone")
        found = files(lmod, tree)
        assert (found["lab/tool/1.0"].name, found["lab/tool/1.0"].version) == ("lab/tool", "1.0")
        assert (found["alone"].name, found["alone"].version) == ("alone", "")

    def test_broken_files_hide_no_others(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.write(tree.core / "broken/1", "this is no Lua")
        assert {"broken/1", "arrow/17.0.0"} <= files(lmod, tree).keys()

    def test_no_modules_at_all(self, lmod: Lmod, tmp_path: Path) -> None:
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.module_files([str(tmp_path / "nowhere")], lmod.load())
        assert caught.value.code == "module-system-failed"

    def test_nothing_is_written_at_home(self, lmod: Lmod, tree: ModuleTree) -> None:
        found = files(lmod, tree)
        lmod.prefixes(list(found.values()), VARIABLE, lmod.load("StdEnv/2023"))
        assert not (tree.root / "home").exists()


class TestAnswers:
    """A program that is no ``spider``, or another version of it than we know."""

    @pytest.mark.parametrize(
        "script",
        [
            "echo '{'",
            "echo '[1]'",
            "echo '{\"a\": 1}'",
            'echo \'{"a": {"/x/a": {"Version": "1"}}}\'',
            'echo \'{"a": {"/x/a": {"fullName": "a/1", "Version": "1", "mpath": "/x"}}}\'; exit 1',
            "echo broken >&2; exit 3",
        ],
    )
    def test_not_understood(self, tree: ModuleTree, script: str) -> None:
        for name in ("lmod", "spider"):
            (tree.root / name).write_text(f"#!/bin/sh\n{script}\n")
            (tree.root / name).chmod(0o755)
        lmod = Lmod.find(tree.variables(str(tree.root / "lmod")))
        assert lmod is not None
        with pytest.raises(EnvironmentFailure) as caught:
            lmod.module_files(["/x"], LoadedModules({"PATH": os.defpath}))
        assert caught.value.code == "module-system-failed"
        assert caught.value.problems[0].why


@needs_lmod
class TestPrefixes:
    def test_its_own_only(self, lmod: Lmod, tree: ModuleTree) -> None:
        found = files(lmod, tree)
        told: list[int] = []
        prefixes = lmod.prefixes(list(found.values()), VARIABLE, lmod.load("StdEnv/2023"), told.append)
        assert prefixes[found["opencv/4.10.0"].path] == (str(tree.prefix("opencv/4.10.0")),)
        assert prefixes[found["gcc/12.3"].path] == ()
        assert told[-1] == len(found)

    def test_several_and_other_commands(self, lmod: Lmod, tree: ModuleTree) -> None:
        two = tree.write(
            tree.core / "two/1",
            'prepend_path("EBPYTHONPREFIXES","/a:/b")',
            'append_path("EBPYTHONPREFIXES","/c")',
            'prepend_path("EBPYTHONPREFIXES_PRIORITY","/not")',
            'setenv("EBPYTHONPREFIXES_DEBUG","1")',
        )
        tcl = tree.core / "tcl/1"
        tcl.parent.mkdir()
        tcl.write_text("#%Module\nprepend-path EBPYTHONPREFIXES /t\n")
        prefixes = lmod.prefixes(list(files(lmod, tree).values()), VARIABLE, lmod.load("StdEnv/2023"))
        assert prefixes[two] == ("/a", "/b", "/c")
        assert prefixes[tcl] == ("/t",)

    def test_variables_of_the_software_environment_count(self, lmod: Lmod, tree: ModuleTree) -> None:
        path = tree.write(
            tree.core / "here/1", 'prepend_path("EBPYTHONPREFIXES", pathJoin("/sw", os.getenv("EBVERSIONGENTOO")))'
        )
        loaded = lmod.load("StdEnv/2023")
        assert lmod.prefixes([files(lmod, tree)["here/1"]], VARIABLE, loaded) == {path: ("/sw/2023",)}

    def test_one_that_fails_spoils_no_other(self, lmod: Lmod, tree: ModuleTree) -> None:
        broken = tree.write(tree.core / "broken/1", "this is no Lua")
        angry = tree.write(tree.core / "angry/1", 'LmodError("no")', 'prepend_path("EBPYTHONPREFIXES","/x")')
        prefixes = lmod.prefixes(list(files(lmod, tree).values()), VARIABLE, lmod.load("StdEnv/2023"))
        assert broken not in prefixes
        assert angry not in prefixes
        assert prefixes[tree.core / "arrow/17.0.0.lua"] == (str(tree.prefix("arrow/17.0.0")),)
