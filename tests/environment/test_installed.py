"""Reading what any environment holds, hostile ones included."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from tumpline.environment import installed as module
from tumpline.environment.installed import Found, read_installed
from tumpline.errors import EnvironmentFailure, InputError


def fill(folder: Path, entries: dict[str, str | None]) -> Path:
    """Make an environment: names of folders with their METADATA, None for none."""
    packages = folder / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name, metadata in entries.items():
        (packages / name).mkdir()
        if metadata is not None:
            (packages / name / "METADATA").write_text(metadata)
    return packages


def shown(found: Found) -> dict[str, str]:
    return {package.name: package.version for package in found.packages}


def test_a_real_environment(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "Some.Name", "1.0+computecanada")
    venv.create(tmp_path / "env", with_pip=False)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        tmp_path / "env",
        "install",
        "-q",
        "--no-index",
        wheel,
    ]
    subprocess.run(command, check=True, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    found = read_installed(tmp_path / "env")
    assert shown(found) == {"some-name": "1.0+computecanada"}
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.notes == ()


def test_names_and_versions(tmp_path: Path) -> None:
    packages = fill(
        tmp_path,
        {
            "a_b-1.0.dist-info": "Metadata-Version: 2.1\nName: A.B\nVersion: 1.0\n\nName: other\n",
            "bare-2.0.dist-info": None,
            "odd.dist-info": "Name: odd\nVersion: not a version\n",
            "nothing.dist-info": "",
            "~umpy-1.0.dist-info": "Name: numpy\nVersion: 1.0\n",
            "plain": "Name: plain\nVersion: 1\n",
            "old-1.1-py3.11.egg-info": None,
        },
    )
    (packages / "old-1.1-py3.11.egg-info" / "PKG-INFO").write_text("Name: old\nVersion: 1.1\n")
    (packages / "file-3.0-py3.11.egg-info").write_text("Name: file\nVersion: 3.0\n")
    (packages / "linked.egg-link").write_text("/somewhere\n.")
    found = read_installed(tmp_path)
    assert shown(found) == {
        "a-b": "1.0",
        "bare": "2.0",
        "odd": "not a version",
        "old": "1.1",
        "file": "3.0",
        "linked": "",
    }
    assert found.python == "3.11"


def test_a_folder_that_pip_filled(tmp_path: Path) -> None:
    (tmp_path / "a-1.0.dist-info").mkdir()
    assert shown(read_installed(tmp_path)) == {"a": "1.0"}


def test_lib64_is_lib(tmp_path: Path) -> None:
    fill(tmp_path, {"a-1.0.dist-info": None})
    (tmp_path / "lib64").symlink_to("lib")
    assert shown(read_installed(tmp_path)) == {"a": "1.0"}


def test_what_is_there_twice_is_told(tmp_path: Path) -> None:
    fill(tmp_path, {"a-1.0.dist-info": None, "A-2.0.dist-info": None})
    found = read_installed(tmp_path)
    (note,) = found.notes
    assert (note.code, len(found.packages)) == ("installed-twice", 1)
    assert note.hint


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in the file system")
def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    packages = fill(tmp_path, {"a-1.0.dist-info": None, "b-1.0.dist-info": None})
    os.mkfifo(packages / "a-1.0.dist-info" / "METADATA")
    (packages / "b-1.0.dist-info" / "METADATA").symlink_to("/dev/zero")
    (packages / "loop-1.0.dist-info").symlink_to("loop-1.0.dist-info")
    assert shown(read_installed(tmp_path)) == {"a": "1.0", "b": "1.0", "loop": "1.0"}


def test_only_the_beginning_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 40)
    monkeypatch.setattr(module, "_MOST", 2)
    fill(tmp_path, {f"p{number}-1.0.dist-info": f"Name: p{number}\nVersion: 2.0\n{'x' * 100}" for number in range(5)})
    found = read_installed(tmp_path)
    assert len(found.packages) == 2
    assert {package.version for package in found.packages} == {"2.0"}


def test_pyvenv_says_which_python(tmp_path: Path) -> None:
    fill(tmp_path, {"a-1.0.dist-info": None})
    (tmp_path / "pyvenv.cfg").write_text("home = /x\nversion_info = 3.11.5.final.0\n")
    assert read_installed(tmp_path).python == "3.11.5"


@pytest.mark.parametrize("made", ["", "empty", "file"])
def test_what_is_no_environment(tmp_path: Path, made: str) -> None:
    place = tmp_path / (made or "nowhere")
    if made == "empty":
        place.mkdir()
    elif made:
        place.write_text("x")
    with pytest.raises(InputError) as caught:
        read_installed(place)
    assert caught.value.code == "no-environment-there"
    assert caught.value.problems[0].hint


def test_a_folder_that_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, {"a-1.0.dist-info": None})

    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(EnvironmentFailure) as caught:
        read_installed(tmp_path)
    assert caught.value.code == "cannot-read"
