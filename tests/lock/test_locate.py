"""Where locked files are: real wheels under a wheelhouse, and answers of an index."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from tumpline.errors import EnvironmentFailure, TumplineError
from tumpline.index import IndexFile
from tumpline.lock import IndexArtefact, WheelhouseArtefact
from tumpline.lock.locate import Location, locate_in_index, locate_in_wheelhouse
from tumpline.values import Name

TOY = Name("toy")
LAYER = "gentoo2023/x86-64-v3"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return hashlib.sha256(archive.read("toy-1.0+computecanada.dist-info/RECORD")).hexdigest()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / LAYER, "toy", "1.0+computecanada", tags="cp311-cp311-linux_x86_64")


def test_a_wheel_of_the_wheelhouse(tmp_path: Path, wheel: Path) -> None:
    artefact = WheelhouseArtefact(LAYER, wheel.name, record(wheel), wheel.stat().st_size)
    assert locate_in_wheelhouse(tmp_path, TOY, artefact) == Location(
        sha256(wheel), path=str(wheel), size=wheel.stat().st_size
    )


def test_another_wheel_of_the_same_name(tmp_path: Path, wheel: Path) -> None:
    artefact = WheelhouseArtefact(LAYER, wheel.name, record(wheel))
    make_wheel(tmp_path / LAYER, "toy", "1.0+computecanada", tags="cp311-cp311-linux_x86_64", files={"toy.py": "2"})
    with pytest.raises(EnvironmentFailure) as caught:
        locate_in_wheelhouse(tmp_path, TOY, artefact)
    assert (caught.value.code, caught.value.exit_status) == ("wheel-changed", 4)
    assert "tumpline lock --upgrade toy" in caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("artefact", "root", "code", "status"),
    [
        (WheelhouseArtefact("", "", ""), ".", "wheel-unknown", 2),
        (WheelhouseArtefact("", "", ""), None, "wheel-unknown", 2),
        (WheelhouseArtefact(LAYER, "toy-2-py3-none-any.whl", ""), ".", "wheel-missing", 4),
        (WheelhouseArtefact(LAYER, "toy-2-py3-none-any.whl", ""), "elsewhere", "no-wheelhouse", 4),
        (WheelhouseArtefact(LAYER, "toy-2-py3-none-any.whl", ""), None, "no-wheelhouse", 4),
        (WheelhouseArtefact("broken", "toy-1-py3-none-any.whl", ""), ".", "not-a-wheel", 2),
    ],
)
def test_wheels_that_are_not_to_be_had(
    artefact: WheelhouseArtefact, root: str | None, code: str, status: int, tmp_path: Path, wheel: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "toy-1-py3-none-any.whl").write_bytes(b"<html>" * 100)
    with pytest.raises(TumplineError) as caught:
        locate_in_wheelhouse(None if root is None else tmp_path / root, TOY, artefact)
    assert (caught.value.code, caught.value.exit_status) == (code, status)


@dataclass
class Finder:
    """An index that has one file."""

    url: str

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        return IndexFile(file, self.url, size=12, sha256=sha256)


HASH = "ab" * 32
ARTEFACT = IndexArtefact("pypi", "toy-1-py3-none-any.whl", None, HASH)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host.example/f/toy-1.whl", Location(HASH, url="https://host.example/f/toy-1.whl", size=12)),
        ("https://me:secret@host.example/a?b=c#sha256=12", Location(HASH, url="https://host.example/a?b=c", size=12)),
        ("https://host.example:8443/a%2Bb.whl", Location(HASH, url="https://host.example:8443/a%2Bb.whl", size=12)),
        ("file:///wheels/toy%2Blocal.whl", Location(HASH, path="/wheels/toy+local.whl", size=12)),
    ],
)
def test_a_file_of_an_index(url: str, expected: Location) -> None:
    assert locate_in_index(Finder(url), TOY, ARTEFACT) == expected


def test_the_size_of_the_lock_wins() -> None:
    artefact = IndexArtefact("pypi", "toy-1-py3-none-any.whl", 99, HASH)
    assert locate_in_index(Finder("https://host.example/x"), TOY, artefact).size == 99
