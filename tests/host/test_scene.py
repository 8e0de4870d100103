"""Looking at real files: start-up files, homes, caches; and at what does not answer."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.world import clean_variables, snapshot
from tumpline.host.active import loaded_after
from tumpline.host.scene import Active, Prefix, SearchFolder, StartupLine, UserPackages, look_around
from tumpline.host.seeds import SeedCache, look_at_seeds


def test_an_empty_home(tmp_path: Path) -> None:
    seen = look_around({}, tmp_path)
    assert seen == seen._replace(variables={}, home=str(tmp_path), active=None, seeds=None, silent=())
    assert (seen.programs, seen.search, seen.user_packages, seen.prefixes, seen.startup) == ({}, (), (), (), ())
    assert seen.rooms[0].of == "the file system"


def test_what_is_there_is_seen_and_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    packages = home / ".local/lib/python3.11/site-packages"
    for name in ("numpy-2.0.dist-info", "numpy", "Attic-1.egg-info"):
        (packages / name).mkdir(parents=True)
    (home / ".local/lib/python3.12/site-packages").mkdir(parents=True)
    site, own = tmp_path / "site", tmp_path / "own"
    site.mkdir()
    (site / "_manylinux.py").touch()
    own.mkdir()
    prefix = tmp_path / "arrow/17.0.0"
    (prefix / "lib/python3.11/site-packages").mkdir(parents=True)
    (prefix / "lib/python3.12").mkdir()
    environment = tmp_path / "venv"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)
    (environment / "pyvenv.cfg").write_text("home = /usr\ninclude-system-site-packages = true\n")
    environ = {
        "PYTHONPATH": f"{site}:{own}:{tmp_path}/gone",
        "EBPYTHONPREFIXES": str(prefix),
        "VIRTUAL_ENV": str(environment),
        "PATH": f"{environment}/bin",
        "LMOD_CMD": str(site / "_manylinux.py"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    before = snapshot(tmp_path)
    seen = look_around(environ, home)
    assert snapshot(tmp_path) == before
    assert seen.user_packages == (UserPackages(str(packages), "3.11", ("Attic", "numpy")),)
    assert seen.search == (
        SearchFolder(str(site), True, ("_manylinux.py",)),
        SearchFolder(str(own), True),
        SearchFolder(f"{tmp_path}/gone", False),
    )
    assert seen.prefixes == (Prefix(str(prefix), ("3.11",)),)
    assert seen.active == Active(str(environment), python=True, opens=True)
    assert seen.programs["python"] == f"{environment}/bin/python"
    assert seen.lmod
    assert seen.pip_configuration is False
    assert seen.silent == ()


def test_an_environment_whose_python_is_gone(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("/nowhere/python")
    assert look_around({"VIRTUAL_ENV": str(tmp_path)}, tmp_path).active == Active(str(tmp_path), python=False)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("export PYTHONPATH=$HOME/lib", "PYTHONPATH"),
        ("  PIP_INDEX_URL=https://me:secret@example.org", "PIP_INDEX_URL"),
        ("set -gx LD_LIBRARY_PATH /opt/lib", "LD_LIBRARY_PATH"),
        ("# >>> conda initialize >>>", "conda"),
        ("source ~/env/bin/activate", "activate"),
        ("# export PYTHONPATH=x", ""),
        ("echo $PYTHONPATH", ""),
        ("MYPYTHONPATH=1", ""),
    ],
)
def test_start_up_files(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / ".bashrc").write_bytes(f"# \xff\n{line}\n".encode("latin-1"))
    found = look_around({}, tmp_path).startup
    assert found == ((StartupLine("~/.bashrc", 2, what),) if what else ())


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.mkfifo(home / ".bashrc")
    wheels = home / ".local/share/virtualenv/wheel/house"
    wheels.mkdir(parents=True)
    os.mkfifo(wheels / "pip-24.0-py3-none-any.whl")
    started = time.monotonic()
    seen = look_around({}, home, seconds=30)
    assert time.monotonic() - started < 15
    assert seen.silent == ()


def test_a_look_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The boundary at which a dead file system would hang; the thread is left behind."""
    monkeypatch.setattr("tumpline.host.scene.room_in", lambda *_, **__: time.sleep(20))
    started = time.monotonic()
    seen = look_around({}, tmp_path, seconds=0.3)
    assert time.monotonic() - started < 10
    assert (seen.silent, seen.rooms) == (("the room in home",), ())


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("seeds")
    command = [sys.executable, "-m", "virtualenv", "-q", "--no-download", "--no-periodic-update"]
    command += ["--app-data", str(base / "virtualenv"), str(base / "environment")]
    subprocess.run(command, check=True, env=clean_variables())
    return base


class TestSeeds:
    """The cache of a real virtualenv, and what a killed run leaves of it."""

    def look(self, cache: Path) -> SeedCache | None:
        return look_at_seeds({"XDG_DATA_HOME": str(cache)}, Path("/nowhere"))

    def test_whole(self, cache: Path) -> None:
        assert self.look(cache) == SeedCache(str(cache / "virtualenv"))

    def test_none(self, tmp_path: Path) -> None:
        assert look_at_seeds({}, tmp_path) is None

    @pytest.mark.parametrize("lost", ["pip/__init__.py", "pip-*.dist-info/METADATA"])
    def test_an_image_in_part(self, cache: Path, lost: str) -> None:
        image = next((cache / "virtualenv").glob("wheel/*/image/*/CopyPipInstall/pip-*none-any"))
        file = next(image.glob(lost))
        content = file.read_bytes()
        file.unlink()
        found = self.look(cache)
        file.write_bytes(content)
        assert found is not None
        assert found.broken == (str(image.relative_to(cache / "virtualenv")),)

    def test_a_wheel_cut_short(self, cache: Path) -> None:
        house = cache / "virtualenv/wheel/house"
        house.mkdir(exist_ok=True)
        wheel = house / "pip-1.0-py3-none-any.whl"
        wheel.write_bytes(b"PK\3\4" + bytes(1000))
        found = self.look(cache)
        wheel.unlink()
        assert found is not None
        assert found.broken == ("wheel/house/pip-1.0-py3-none-any.whl",)


class TestLoadedAfter:
    MODULES = "gentoo/2023:python/3.11.5:scipy-stack/2024a"

    @pytest.mark.parametrize(
        ("path", "late"),
        [
            ("/e/bin:/cvmfs/python/3.11.5/bin", ()),
            ("/cvmfs/python/3.11.5/bin:/e/bin", ("python/3.11.5",)),
            ("/opt/stack/bin:/e/bin", ("scipy-stack/2024a",)),
            ("/home/x/bin:/e/bin:/cvmfs/python/3.11.5/bin", ()),
            ("/cvmfs/python/3.11.50/bin:/e/bin", ()),
            ("/cvmfs/python/3.11.5/bin", ()),
        ],
    )
    def test_by_path_and_by_root(self, path: str, late: tuple[str, ...]) -> None:
        environ = {
            "PATH": path,
            "VIRTUAL_ENV": "/e",
            "LOADEDMODULES": self.MODULES,
            "EBROOTSCIPYMINSTACK": "/opt/stack",
        }
        assert loaded_after(environ) == late
        assert loaded_after({**environ, "VIRTUAL_ENV": ""}) == ()


def test_files_of_others_stop_nothing(tmp_path: Path) -> None:
    """A folder that may not be entered, as far as that stops the one who runs this."""
    closed = tmp_path / ".local"
    closed.mkdir()
    closed.chmod(0)
    try:
        assert look_around({"PYTHONPATH": str(closed / "x")}, tmp_path).user_packages == ()
    finally:
        closed.chmod(stat.S_IRWXU)
