"""Which catalogue answers for a site, and the one that is shipped."""

from __future__ import annotations

import lzma
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.sites import lake
from tests.catalogue.test_store import CONTENT, write
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.find import catalogue_path, find_catalogue
from tumpline.catalogue.shipped import DATA, open_shipped
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import InputError
from tumpline.values import Name, parse_version


def scanned(cache: Path) -> Path:
    path = catalogue_path(lake(None), cache)
    write_catalogue(path, CONTENT, encode(CONTENT))
    return path


class TestFind:
    def test_the_given_one(self, tmp_path: Path) -> None:
        scanned(tmp_path / "cache")
        given = write(tmp_path, CONTENT._replace(site="given"))
        with find_catalogue(lake(None), tmp_path / "cache", given) as catalogue:
            assert catalogue.info.site == "given"

    def test_the_scanned_one(self, tmp_path: Path) -> None:
        path = scanned(tmp_path)
        assert path == tmp_path / "catalogues" / "lake.sqlite"
        with find_catalogue(lake(None), tmp_path, layers=("v3",)) as catalogue:
            assert catalogue.info.grade == "scanned"

    def test_one_that_does_not_know_the_layer(self, tmp_path: Path) -> None:
        scanned(tmp_path)
        with pytest.raises(InputError) as caught:
            find_catalogue(lake(None), tmp_path, layers=("v3", "v5"), where="target t")
        problem = caught.value.problems[0]
        assert (problem.code, problem.where) == ("no-catalogue", "target t")
        assert "v5" in problem.why

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            find_catalogue(lake(None), tmp_path)
        problem = caught.value.problems[0]
        assert (problem.code, problem.where) == ("no-catalogue", "lake")
        assert "tumpline catalogue scan lake" in problem.hint

    def test_a_site_without_wheelhouse(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            find_catalogue(lake(None, catalogue=None), tmp_path)
        assert caught.value.code == "no-catalogue"

    def test_the_shipped_one(self, tmp_path: Path) -> None:
        with find_catalogue(lake(None, catalogue="alliance"), tmp_path, layers=("v3",)) as catalogue:
            assert catalogue.info.grade == "listed"

    @pytest.mark.parametrize("name", ["../../etc/passwd", "", ".hidden", "a/b", "a\0b"])
    def test_a_name_that_leads_elsewhere(self, tmp_path: Path, name: str) -> None:
        site = replace(lake(None, catalogue=name), name=name)
        with pytest.raises(InputError) as caught:
            find_catalogue(site, tmp_path)
        assert caught.value.code == "bad-catalogue-name"


class TestShipped:
    def test_expanded_once(self, tmp_path: Path) -> None:
        with open_shipped(tmp_path) as catalogue:
            path = Path(catalogue.where)
        before = path.stat()
        assert path.parent == tmp_path / "catalogues" / "shipped"
        with open_shipped(tmp_path) as catalogue:
            assert catalogue.where == str(path)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_a_broken_copy_is_made_again(self, tmp_path: Path) -> None:
        with open_shipped(tmp_path) as catalogue:
            path = Path(catalogue.where)
        path.write_bytes(path.read_bytes()[:5000])
        with open_shipped(tmp_path) as catalogue:
            assert catalogue.wheels(Name("numpy"))

    @pytest.mark.parametrize("obstacle", ["catalogues", "catalogues/shipped"])
    def test_a_cache_that_can_not_be_written(self, tmp_path: Path, obstacle: str) -> None:
        path = tmp_path / obstacle
        path.parent.mkdir(exist_ok=True)
        path.write_text("in the way")
        with open_shipped(tmp_path) as catalogue:
            assert catalogue.wheels(Name("numpy"))
        assert path.read_text() == "in the way"

    def test_a_copy_that_can_not_be_read(self, tmp_path: Path) -> None:
        with open_shipped(tmp_path) as catalogue:
            path = Path(catalogue.where)
        path.unlink()
        path.mkdir()
        with open_shipped(tmp_path) as catalogue:
            assert catalogue.wheels(Name("numpy"))

    def test_a_broken_installation(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            open_shipped(tmp_path / "cache", tmp_path)
        assert caught.value.code == "installation-damaged"
        (tmp_path / "alliance-0.sqlite.xz").write_bytes(lzma.compress(b"x" * 1000)[:-5])
        with pytest.raises(InputError) as caught:
            open_shipped(tmp_path / "cache", tmp_path)
        assert caught.value.code == "installation-damaged"

    def test_a_new_release_gets_its_own_copy(self, tmp_path: Path) -> None:
        open_shipped(tmp_path).close()
        data = tmp_path / "data"
        data.mkdir()
        (shipped,) = DATA.glob("*.xz")
        shutil.copy(shipped, data / "alliance-1234.sqlite.xz")
        with open_shipped(tmp_path, data) as catalogue:
            assert catalogue.where.endswith("alliance-1234.sqlite")

    def test_its_size_and_name(self) -> None:
        (shipped,) = DATA.iterdir()
        assert shipped.stat().st_size < 400_000
        with open_shipped(Path("/dev/null/none")) as catalogue:
            assert shipped.name == f"alliance-{catalogue.info.identity.removeprefix('sha256:')[:16]}.sqlite.xz"

    def test_what_it_says(self, tmp_path: Path) -> None:
        """A few facts of the public lists and the module recipes, each known from elsewhere."""
        with open_shipped(tmp_path) as catalogue:
            info = catalogue.info
            assert (info.site, info.grade, info.date, info.layers) == ("alliance", "listed", "2026-05-17", ())
            assert info.projects > 4000
            assert info.wheels > 12_000
            numpy = catalogue.wheels(Name("numpy"))
            newest = max(numpy, key=lambda wheel: parse_version(wheel.version))
            assert (newest.version, newest.requires_dist) == ("2.4.2", None)
            assert newest.pythons == ("3.11", "3.12", "3.13", "3.14")
            for name, module in (("pyarrow", "arrow"), ("opencv-python", "opencv"), ("mpi4py", "mpi4py")):
                dummy = catalogue.dummy(Name(name))
                assert dummy is not None
                assert dummy.module == module
                assert catalogue.wheels(Name(name)) == ()
            arrow = {
                package.python
                for package in catalogue.modules_for(Name("pyarrow"))
                if (package.environment, package.module, package.module_version) == ("2023", "arrow", "17.0.0")
            }
            assert arrow == {"3.10", "3.11", "3.12"}
