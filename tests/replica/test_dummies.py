"""Dummy wheels are valid wheels that can not be installed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from replica.contents import DummyFamily
from replica.dummies import write_dummies
from tests.replica.test_retag import check_record
from tumpline.wheels import parse_metadata

FAMILY = DummyFamily(("opencv_python", "opencv_python_headless"), "opencv-noinstall", "opencv", ("9999", "4.9999"))


def test_wheels_require_what_can_not_be_installed(tmp_path: Path) -> None:
    made = write_dummies(FAMILY, tmp_path)
    assert [path.name for path in made] == [
        "opencv_python-9999+dummy.computecanada-py3-none-any.whl",
        "opencv_python-4.9999+dummy.computecanada-py3-none-any.whl",
        "opencv_python_headless-9999+dummy.computecanada-py3-none-any.whl",
        "opencv_python_headless-4.9999+dummy.computecanada-py3-none-any.whl",
        "opencv_noinstall-9999+dummy.computecanada.tar.gz",
    ]
    assert sorted(tmp_path.iterdir()) == sorted(made)
    for wheel in made[:-1]:
        check_record(wheel)
        stem = wheel.name.removesuffix("-py3-none-any.whl")
        with zipfile.ZipFile(wheel) as archive:
            metadata = parse_metadata(archive.read(f"{stem}.dist-info/METADATA"))
        assert f"{metadata.name}-{metadata.version}" == stem
        assert metadata.requires_dist == ("opencv-noinstall (==9999+dummy.computecanada)",)


def test_sdist_refuses_and_names_the_module(tmp_path: Path) -> None:
    sdist = write_dummies(FAMILY, tmp_path)[-1]
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "opencv_noinstall-9999+dummy.computecanada"
    assert "Version: 9999+dummy.computecanada" in (folder / "PKG-INFO").read_text()
    done = subprocess.run([sys.executable, folder / "setup.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "module load opencv" in done.stderr
    assert "Traceback" not in done.stderr


def test_same_bytes_twice(tmp_path: Path) -> None:
    once = {path: path.read_bytes() for path in write_dummies(FAMILY, tmp_path)}
    assert {path: path.read_bytes() for path in write_dummies(FAMILY, tmp_path)} == once
