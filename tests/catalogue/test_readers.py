"""Reading many wheels, in one process and in several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.wheelmaker import make_wheel
from tumpline.catalogue import readers
from tumpline.catalogue.readers import read_wheels
from tumpline.catalogue.reading import Reading
from tumpline.errors import EnvironmentFailure


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[str, str]]:
    return [(str(tmp_path), make_wheel(tmp_path, "a", f"{number}", files={}).name) for number in range(1600)]


def _die(files: Sequence[tuple[str, str]]) -> list[Reading]:
    os._exit(1)


def test_a_worker_that_is_killed(files: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_read_chunk", _die)
    with pytest.raises(EnvironmentFailure) as caught:
        list(read_wheels(files, lambda done: None, 2))
    assert caught.value.code == "worker-died"


@pytest.mark.parametrize("affinity", [True, False])
def test_as_many_workers_as_processors(
    files: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, affinity: bool
) -> None:
    if affinity:
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    else:
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: None)
    monkeypatch.setattr(readers, "_read_chunk", lambda chunk, patience: [Reading()] * len(chunk))
    done: list[int] = []
    assert len(list(read_wheels(files, done.append))) == 1600, "one processor: no process is started"
    assert done == [400, 800, 1200, 1600]


@pytest.mark.parametrize(
    ("requirement", "stands_for"),
    [
        ("pyarrow-noinstall==9999+dummy.computecanada", "pyarrow"),
        ("opencv_noinstall (==9999)", "opencv"),
        ("x.noinstall", "x"),
        ("noinstall", ""),
        ("pyarrow-noinstaller", ""),
        ('a; extra == "b-noinstall"', ""),
    ],
)
def test_dummies_are_known_by_what_they_require(tmp_path: Path, requirement: str, stands_for: str) -> None:
    path = make_wheel(tmp_path, "a", "1", requires=["b", requirement])
    (found,) = read_wheels([(str(tmp_path), path.name)], lambda done: None)
    assert found.stands_for == stands_for
