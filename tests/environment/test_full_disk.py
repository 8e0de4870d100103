"""Disks that are full at any moment: what was there works, what is said is right, and with room it goes on."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.environment.images import make_small, pack_to
from tests.environment.stageworld import StageWorld, noise
from tests.environment.test_faults import KILLS, VERSION, leftovers, world
from tests.environment.worlds import make_environment, python_says, variables
from tests.index.server import Server
from tumpline.environment.sync import SyncSettings
from tumpline.environment.unpack import unpack
from tumpline.errors import EnvironmentFailure, Problem

TIMES = 5 if KILLS <= 6 else KILLS
"""How many sizes are tried; more where TUMPLINE_TEST_KILLS asks for it."""

_LARGE = 60 << 20


def limit(disk: Path, room: int | None) -> None:
    """Leave so many bytes free, or plenty."""
    status = os.statvfs(disk)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    subprocess.run(["mount", "-o", f"remount,size={_LARGE if room is None else used + room}", disk], check=True)


def sizes(most: int, name: str) -> Iterator[int]:
    """Sizes of all magnitudes up to a most, the same each time."""
    chance = random.Random(name)
    for number in range(TIMES):
        share = chance.random() if number % 3 else chance.random() ** 4
        yield (1 + round(most * share) // 4096) * 4096


def failure(work: Callable[[], object]) -> Problem | None:
    """Do something that may find the disk full, and return what it then says."""
    try:
        work()
    except EnvironmentFailure as error:
        assert {problem.code for problem in error.problems} == {"disk-full"}, error.problems  # noqa: PT017
        assert all(problem.hint for problem in error.problems)  # noqa: PT017
        return error.problems[0]
    return None


@pytest.mark.parametrize("compiled", [False, True])
def test_sync(small_disk: Path, tmp_path: Path, compiled: bool) -> None:
    folder, place = tmp_path / "wheels", small_disk / "there" / "env"
    settings = SyncSettings(jobs=2, compile=compiled)
    limit(small_disk, None)
    make_environment(world(folder, "0", size=100_000), place, folder, settings=settings)
    failed = 0
    for version, room in enumerate(sizes(450_000, f"sync {compiled}"), 1):
        # Once more what is there: the generation before goes, and makes no room later.
        make_environment(world(folder, str(version - 1), size=100_000), place, folder, settings=settings)
        lock = world(folder, str(version), size=100_000)
        limit(small_disk, room)
        problem = failure(lambda lock=lock: make_environment(lock, place, folder, settings=settings))  # type: ignore[misc]
        if problem is not None:
            failed += 1
            assert "untouched" in problem.why
            assert "files and folders" in problem.why
            assert python_says(place, VERSION) == str(version - 1)
            assert len(leftovers(place)) <= 1, "no more than the generation before"
            limit(small_disk, None)
            make_environment(lock, place, folder, settings=settings)
        limit(small_disk, None)
        assert python_says(place, VERSION) == str(version)
        assert len(leftovers(place)) <= 1
    assert failed > TIMES / 3


def test_unpack(small_disk: Path, tmp_path: Path) -> None:
    folder, record = make_small(tmp_path, tmp_path / "made" / "env")
    (folder / "share").mkdir(exist_ok=True)
    (folder / "share" / "noise").write_bytes(noise(1, 400_000))
    image = pack_to(folder, record, tmp_path / "image.tar").path
    place = small_disk / "there" / "env"
    failed = 0
    for number, room in enumerate(sizes(700_000, "unpack")):
        limit(small_disk, None)
        for _ in range(2):  # with the second the generation before goes, and makes no room later
            make_environment(world(tmp_path / "others", str(number)), place, tmp_path / "others")
        before = {path.name for path in place.parent.iterdir()}
        limit(small_disk, room)
        if failure(lambda: unpack(image, place, environ=variables())) is not None:
            failed += 1
            assert {path.name for path in place.parent.iterdir()} <= before
            assert python_says(place, VERSION) == str(number)
            limit(small_disk, None)
            assert unpack(image, place, environ=variables()).changed
        assert python_says(place, "import tool; print(tool.__name__)") == "tool"
    assert failed > TIMES / 3


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_pack(small_disk: Path, tmp_path: Path, suffix: str) -> None:
    folder, record = make_small(tmp_path, tmp_path / "made" / "env")
    (folder / "share").mkdir(exist_ok=True)
    (folder / "share" / "noise").write_bytes(noise(1, 400_000))
    output = small_disk / f"image{suffix}"
    limit(small_disk, None)
    pack_to(folder, record, output)
    right = output.read_bytes()
    failed = 0
    for room in sizes(500_000, f"pack {suffix}"):
        for before in (b"", b"what was there"):
            output.write_bytes(before) if before else output.unlink(missing_ok=True)
            limit(small_disk, room)
            if failure(lambda: pack_to(folder, record, output)) is not None:
                failed += 1
                found = {path.name: path.read_bytes() for path in small_disk.iterdir()}
                assert found == ({output.name: before} if before else {})
            else:
                assert output.read_bytes() == right
            limit(small_disk, None)
        pack_to(folder, record, output)
        assert output.read_bytes() == right
    assert failed > TIMES / 3


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_stage(small_disk: Path, tmp_path: Path, server: Server) -> None:
    made = StageWorld(tmp_path / "world", server, big=200_000)
    stage = small_disk / "stage"
    words = ("--target", "laptop", "--stage", str(stage))
    limit(small_disk, None)
    made.run("stage", *words).ok()
    right = sorted(path.name for path in made.staged_files(stage))
    failed = 0
    for room in sizes(230_000, "stage"):
        subprocess.run(["rm", "-rf", str(stage)], check=True)
        limit(small_disk, room)
        done = made.run("stage", *words)
        made.staged_files(stage)  # what is there is whole
        if done.status:
            failed += 1
            done.refuses("no-room" if "no-room" in done.err else "stage-not-writable", 4)
            if "no-room" in done.err:
                assert "MB in" in done.err, "how much is needed"
            else:
                assert "No space left on device" in done.err
            assert made.run("stage", "--check", *words).status == 1
        limit(small_disk, None)
        made.run("stage", *words).ok()
        made.run("stage", "--check", "--digests", *words).ok()
        assert sorted(path.name for path in made.staged_files(stage)) == right
        assert list(stage.glob("files/partial/*")) == []
    assert failed > TIMES / 3
    made.run("stage", "prune", "--older-than", "0", "--stage", str(stage), cwd=tmp_path).ok()
    assert made.staged_files(stage) == []
