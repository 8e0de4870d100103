"""What modules bring, read through a real Lmod."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.catalogue.sites import lake, make_wheelhouse
from tests.moduletree import ModuleTree, needs_lmod
from tumpline.catalogue.content import ModuleNote
from tumpline.catalogue.facts import Facts, SiteFacts
from tumpline.catalogue.modules import SiteModules, read_modules
from tumpline.catalogue.scan import scan
from tumpline.catalogue.sitepackages import Installed, packages_below
from tumpline.catalogue.store import open_catalogue
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.host.lmod import Lmod
from tumpline.host.patience import Patience
from tumpline.sites import ModulePackage
from tumpline.values import Name

TABLE = (
    ModulePackage("2023", "arrow", "15.0.1", "3.11", Name("pyarrow"), "15.0.1"),
    ModulePackage("2023", "arrow", "17.0.0", "3.10", Name("pyarrow"), "17.0.0"),
    ModulePackage("2023", "mpi4py", "4.0.3", "3.11", Name("mpi4py"), "4.0.3"),
    ModulePackage("2026", "arrow", "25.0.1", "3.14", Name("pyarrow"), "25.0.1"),
)
"""What the profile says: some of it is not so."""


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    return ModuleTree(tmp_path / "cluster")


@pytest.fixture
def lmod(tree: ModuleTree, lmod_command: str) -> Lmod:
    found = Lmod.find(tree.variables(lmod_command))
    assert found is not None
    return found


def read(lmod: Lmod) -> SiteModules:
    return read_modules(lake(None), TABLE, lmod)


def rows(modules: SiteModules, module: str) -> list[tuple[str, str, str]]:
    return [(row.python, row.name, row.version) for row in modules.packages if row.module == module]


def notes(modules: SiteModules) -> dict[str, ModuleNote]:
    return {f"{note.environment} {note.module}/{note.version}": note for note in modules.notes}


@needs_lmod
class TestReading:
    def test_what_is_really_there(self, lmod: Lmod) -> None:
        modules = read(lmod)
        assert rows(modules, "arrow") == [("3.11", "pyarrow", "17.0.0"), ("3.12", "pyarrow", "17.0.0")]
        assert rows(modules, "scipy-stack") == [
            ("3.11", "numpy", "1.26.4"),
            ("3.11", "scipy", "1.13.1"),
            ("3.12", "numpy", "1.26.4"),
            ("3.12", "scipy", "1.13.1"),
        ]
        # Not what opencv loads in turn, which is scipy-stack's; and it is built for one of the Pythons only.
        assert rows(modules, "opencv") == [
            ("3.11", "opencv-python", "4.10.0"),
            ("3.11", "opencv-python-headless", "4.10.0"),
        ]
        assert "15.0.1" not in {row.module_version for row in modules.packages}, "the profile has it, the site has not"
        assert (modules.system, modules.problems) == ("Lmod 9.8.7", ())

        found = notes(modules)
        assert found["2023 arrow/17.0.0"] == ModuleNote("2023", "arrow", "17.0.0", "read", ())
        assert found["2023 opencv/4.10.0"].needs == (), "StdEnv loads the compiler"
        assert found["2023 faiss/1.8.0"].needs == ("cuda/12.2",)

        pythons = modules.pythons["2023"]
        assert (pythons.versions, pythons.default) == (("3.11.5", "3.12.4"), "3.11.5")
        site = modules.with_pythons(lake(None))
        assert [environment.pythons for environment in site.environments] == [("3.11.5", "3.12.4"), ("3.14.2",)]
        assert [environment.default_python for environment in site.environments] == ["3.11.5", "3.14.2"]

    def test_the_shortest_way_of_several_files(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.module("faiss/1.8.0", python=["3.12"], brings=["faiss 1.8.0"])
        modules = read(lmod)
        assert notes(modules)["2023 faiss/1.8.0"].needs == ()
        assert rows(modules, "faiss") == [("3.11", "faiss", "1.8.0"), ("3.12", "faiss", "1.8.0")]

    def test_what_brings_nothing(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.python("2023", "3.13.2", 'prepend_path("EBPYTHONPREFIXES","/x")', 'extensions("pyarrow/1")')
        tree.write(tree.core / "r/4.3", 'extensions("ggplot2/3.4.4")')
        tree.module("arrow/.18.0.0", python=["3.11"], brings=["pyarrow 18.0.0"])
        tree.module("empty/1", 'extensions("pyarrow/1")')
        modules = read(lmod)
        found = {f"{row.module}/{row.module_version}" for row in modules.packages}
        assert found == {"arrow/17.0.0", "scipy-stack/2024a", "opencv/4.10.0", "faiss/1.8.0"}
        assert {f"{note.module}/{note.version}" for note in modules.notes} == found

    def test_a_flat_tree(self, lmod_command: str, tmp_path: Path) -> None:
        """All modules, with StdEnv, in one folder."""
        tree = ModuleTree(tmp_path / "flat")
        tree.write(tree.custom / "StdEnv/2023", 'setenv("X","1")')
        tree.module("arrow/17.0.0", folder=tree.custom)
        lmod = Lmod.find(tree.variables(lmod_command))
        assert lmod is not None
        assert rows(read(lmod), "arrow") == [("3.11", "pyarrow", "17.0.0"), ("3.12", "pyarrow", "17.0.0")]

    def test_a_laboratorys_modules_beside_the_sites(self, lmod_command: str, tree: ModuleTree) -> None:
        own = tree.root / "modules" / "lab"
        tree.module("gadget/1", folder=own, python=["3.11"], brings=["gadget 1.0"])
        variables = tree.variables(lmod_command)
        lmod = Lmod.find(variables | {"MODULEPATH": f"{own}:{variables['MODULEPATH']}"})
        assert lmod is not None
        found = [row for row in read(lmod).packages if row.module == "gadget"]
        assert [(row.environment, row.name) for row in found] == [("2023", "gadget"), ("2026", "gadget")]


@needs_lmod
class TestStandIns:
    def test_what_a_module_states(self, lmod: Lmod, tree: ModuleTree) -> None:
        """Its prefix is gone: for which Pythons it is, the profile says, or else all are taken."""
        for name, stated in (("arrow/17.0.0", "pyarrow/17.0.0"), ("gadget/1", "Gadget/1.0,odd name/1,bare,nov/x y")):
            tree.write(
                tree.core / name, f'extensions("{stated}")', 'prepend_path("EBPYTHONPREFIXES","/nowhere/at/all")'
            )
        modules = read(lmod)
        assert rows(modules, "arrow") == [("3.10", "pyarrow", "17.0.0")]
        assert rows(modules, "gadget") == [("3.11", "gadget", "1.0"), ("3.12", "gadget", "1.0")]
        assert notes(modules)["2023 arrow/17.0.0"].evidence == "stated"
        assert notes(modules)["2023 gadget/1"].evidence == "stated"

    def test_the_profile(self, lmod: Lmod, tree: ModuleTree) -> None:
        """A module that says nothing of its packages, known from the profile."""
        tree.write(tree.core / "mpi4py/4.0.3", 'prepend_path("PATH","/x")')
        modules = read(lmod)
        assert rows(modules, "mpi4py") == [("3.11", "mpi4py", "4.0.3")]
        assert notes(modules)["2023 mpi4py/4.0.3"].evidence == "table"

    def test_a_module_file_that_fails(self, lmod: Lmod, tree: ModuleTree) -> None:
        tree.write(tree.core / "mpi4py/4.0.3", 'LmodError("no")')
        assert rows(read(lmod), "mpi4py") == [("3.11", "mpi4py", "4.0.3")]

    def test_a_software_environment_that_can_not_be_loaded(self, lmod: Lmod, tree: ModuleTree) -> None:
        (tree.custom / "StdEnv/2026.lua").unlink()
        modules = read(lmod)
        assert [row for row in modules.packages if row.environment == "2026"] == list(TABLE[3:])
        assert [problem.code for problem in modules.problems] == ["module-load-failed"]
        assert modules.pythons.keys() == {"2023"}
        assert "17.0.0" in {row.module_version for row in modules.packages}, "the other is read"

    @pytest.mark.usefixtures("lmod_command")
    def test_a_module_system_that_does_not_answer(self, tree: ModuleTree) -> None:
        command = tree.root / "lmod"
        command.write_text("#!/bin/sh\nexit 3\n")
        command.chmod(0o755)
        lmod = Lmod.find(tree.variables(str(command)))
        assert lmod is not None
        modules = read(lmod)
        assert modules.packages == TABLE
        assert [problem.code for problem in modules.problems] == ["module-load-failed"]


@needs_lmod
class TestHostile:
    @pytest.mark.parametrize("name", ["odd name; touch FILE/1", "a/$(touch FILE)", "-x/1", "a\u202eb/1"])
    def test_names(
        self, lmod: Lmod, tree: ModuleTree, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        tree.module(name, python=["3.11"], brings=["bad 1.0"])
        modules = read(lmod)
        assert "bad" not in {row.name for row in modules.packages}
        assert [problem.code for problem in modules.problems] == ["module-name-unusual"]
        assert rows(modules, "arrow")
        assert not list(tmp_path.glob("FILE*"))

    def test_metadata(self, lmod: Lmod, tree: ModuleTree) -> None:
        prefix = tree.prefix("arrow/17.0.0")
        site = prefix / "lib/python3.11/site-packages"
        tree.package(prefix, "3.11", "no-version", "1").joinpath("METADATA").write_text("Name: no-version\n")
        tree.package(prefix, "3.11", "odd", "1").joinpath("METADATA").write_text("Name: ../odd\nVersion: 1\n")
        tree.package(prefix, "3.11", "worse", "1").joinpath("METADATA").write_text("Name: worse\nVersion: 1; x\n")
        tree.package(prefix, "3.11", "bytes", "1").joinpath("METADATA").write_bytes(b"\xff\x00" * 9)
        (site / "empty.dist-info").mkdir()
        (site / "file.dist-info").touch()
        (site / "pipe.dist-info").mkdir()
        os.mkfifo(site / "pipe.dist-info/METADATA")
        assert rows(read(lmod), "arrow") == [("3.11", "pyarrow", "17.0.0"), ("3.12", "pyarrow", "17.0.0")]

    def test_relative_prefixes_are_not_followed(
        self, lmod: Lmod, tree: ModuleTree, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree.prefix("arrow/17.0.0"))
        tree.write(tree.core / "relative/1", 'prepend_path("EBPYTHONPREFIXES",".")')
        assert rows(read(lmod), "relative") == []


def test_without_any_pythons_the_profile_holds() -> None:
    assert SiteModules(TABLE).with_pythons(lake(None)) == lake(None)


@needs_lmod
def test_the_catalogue_keeps_it(lmod: Lmod, tmp_path: Path) -> None:
    layers = make_wheelhouse(tmp_path / "wheels")
    modules = read(lmod)
    site = modules.with_pythons(lake(None))

    def again(modules: SiteModules) -> bool:
        return scan(
            site,
            LocalWheelhouse(layers, 1),
            tmp_path / "lake.sqlite",
            today=date(2026, 11, 23),
            facts=SiteFacts.known(Facts(modules.packages, modules.notes)),
        ).changed

    assert again(modules)
    with open_catalogue(tmp_path / "lake.sqlite") as catalogue:
        assert catalogue.modules() == modules.packages
        assert catalogue.module_notes() == modules.notes
        assert catalogue.pythons() == (("2023", "3.11.5"), ("2023", "3.12.4"), ("2026", "3.14.2"))
        identity = catalogue.info.identity
    assert not again(read(lmod)), "nothing has changed"
    notes = tuple(note._replace(evidence="stated") for note in modules.notes)
    assert again(replace(modules, notes=notes)), "how it is known has"
    with open_catalogue(tmp_path / "lake.sqlite") as catalogue:
        assert catalogue.module_notes() == notes
        assert catalogue.info.identity == identity


class TestPrefixes:
    """The reading of a prefix needs no module system."""

    def test_packages(self, tmp_path: Path) -> None:
        tree = ModuleTree(tmp_path)
        (tree.prefix("arrow/17.0.0") / "lib/python3/site-packages").mkdir(parents=True)
        found = packages_below(tree.prefix("arrow/17.0.0"), Patience())
        assert sorted(found or ()) == [
            Installed("3.11", Name("pyarrow"), "17.0.0"),
            Installed("3.12", Name("pyarrow"), "17.0.0"),
        ]

    def test_not_there_and_empty_are_not_the_same(self, tmp_path: Path) -> None:
        assert packages_below(tmp_path / "nowhere", Patience()) is None
        assert packages_below(tmp_path, Patience()) == []
        (tmp_path / "lib").mkdir()
        assert packages_below(tmp_path, Patience()) == []

    def test_a_file_system_that_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tree = ModuleTree(tmp_path)
        failures = [OSError(5, "Input/output error")] * 2
        real = os.listdir

        def listdir(path: Path) -> list[str]:
            if failures:
                raise failures.pop()
            return real(path)

        monkeypatch.setattr(os, "listdir", listdir)
        pauses: list[float] = []
        found = packages_below(tree.prefix("arrow/17.0.0"), Patience(sleep=pauses.append))
        assert found is not None
        assert len(found) == 2
        assert len(pauses) == 2
        failures += [OSError(5, "Input/output error")] * 9
        assert packages_below(tree.prefix("arrow/17.0.0"), Patience(sleep=pauses.append)) is None
