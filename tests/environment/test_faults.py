"""Kills, full disks, several syncs at once: what was there works on, and the next sync succeeds (R16, R20)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment import driver
from tests.environment.worlds import indexed, lock_of, make_environment, python_says, tiny_pip, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.crew import Crew
from tumpline.environment.generations import leftovers as left_over
from tumpline.environment.generations import remove
from tumpline.environment.install import WheelJob
from tumpline.errors import EnvironmentFailure
from tumpline.lock import Lock
from tumpline.lock.file import write_lock

ROOT = Path(__file__).resolve().parents[2]
VERSION = "import alpha; print(alpha.__version__)"


def world(folder: Path, version: str, *, size: int = 0) -> Lock:
    """A lock of one package of that version and three more; `size` bytes that can not be compressed come with it."""
    others = [
        make_wheel(folder, f"other{number}", version, files={f"other{number}.bin": noise(f"{number} {version}", size)})
        for number in range(3)
    ]
    return lock_of(*map(indexed, [tiny_pip(folder), make_wheel(folder, "alpha", version), *others]))


def noise(seed: str, size: int) -> bytes:
    return random.Random(seed).randbytes(max(size, 100))


def start(lock: Lock, folder: Path, place: Path, moment: str = "never") -> subprocess.Popen[str]:
    path = folder.parent / f"{time.monotonic_ns()}.lock"
    write_lock(path, lock)
    command = [sys.executable, "-m", "tests.environment.driver", path, folder, place, moment]
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=ROOT,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def leftovers(place: Path) -> list[str]:
    """What is beside the environment, other than the environment itself and the folder it leads to."""
    return sorted({path.name for path in place.parent.iterdir()} - {place.name, place.resolve().name})


@pytest.mark.parametrize("moment", driver.MOMENTS)
def test_killed_at_a_step(tmp_path: Path, moment: str) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    if moment.endswith("remove"):
        make_environment(world(folder, "0"), place, folder)
    make_environment(world(folder, "1"), place, folder)
    process = start(world(folder, "2"), folder, place, moment)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -9, said
    swapped = moment in ("after-publish", "before-remove", "after-remove")
    assert python_says(place, VERSION) == ("2" if swapped else "1")
    before = place.resolve().name
    make_environment(world(folder, "3"), place, folder)
    assert python_says(place, VERSION) == "3"
    assert leftovers(place) == [before]


KILLS = int(os.environ.get("TUMPLINE_TEST_KILLS", "6"))
"""How often a sync is killed at a random moment; more than the usual few for who has the time."""


@pytest.fixture(scope="module")
def duration(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long the sync takes here and now that `test_killed_at_any_time` kills, in seconds."""
    base = tmp_path_factory.mktemp("duration")
    folder, place = base / "wheels", base / "there" / "env"
    make_environment(world(folder, "1"), place, folder)
    lock = world(folder, "2", size=2**20)
    began = time.monotonic()
    process = start(lock, folder, place)
    process.communicate(timeout=60)
    return time.monotonic() - began


@pytest.mark.parametrize("share", [round(random.Random(seed).uniform(0.02, 1.05), 3) for seed in range(KILLS)])
def test_killed_at_any_time(
    tmp_path: Path, share: float, duration: float, record_property: Callable[[str, object], None]
) -> None:
    """After a share of the time that it takes: so moments are everywhere, on a slow machine as on a fast one."""
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    make_environment(world(folder, "1"), place, folder)
    process = start(world(folder, "2", size=2**20), folder, place)
    time.sleep(share * duration)
    process.kill()
    process.communicate(timeout=60)
    found = python_says(place, VERSION)
    record_property("end", f"{'killed' if process.returncode else 'done'}, version {found}")
    assert found in ("1", "2")
    before = place.resolve().name
    make_environment(world(folder, "3"), place, folder)
    assert python_says(place, VERSION) == "3"
    assert leftovers(place) == [before]


@pytest.mark.parametrize("same", [True, False])
def test_two_at_once(tmp_path: Path, same: bool) -> None:
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    make_environment(world(folder, "1"), place, folder)
    locks = [world(folder, "2"), world(folder, "2") if same else world(folder, "3")]
    for _ in range(2):
        processes = [start(lock, folder, place) for lock in locks]
        for process in processes:
            said, _ = process.communicate(timeout=120)
            assert process.returncode == 0, said
        assert python_says(place, VERSION) in ("2", "3")
    make_environment(world(folder, "4"), place, folder)
    make_environment(world(folder, "4"), place, folder)
    assert leftovers(place) == []


def test_eight_at_once(tmp_path: Path) -> None:
    """All succeed, one of them is what the environment is, and what others left goes with the next two syncs."""
    folder, place = tmp_path / "wheels", tmp_path / "there" / "env"
    locks = [world(folder, str(number % 4)) for number in range(8)]
    processes = [start(lock, folder, place) for lock in locks]
    for process in processes:
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, said
    assert python_says(place, VERSION) in "0123"
    for _ in range(2):
        make_environment(world(folder, "4"), place, folder)
    assert leftovers(place) == []


@pytest.mark.parametrize(
    ("limit", "room"), [*(("size", room) for room in (0, 2, 6, 14, 30)), *(("inodes", room) for room in (0, 2, 12, 24))]
)
def test_full_disk(small_disk: Path, tmp_path: Path, limit: str, room: int) -> None:
    """With more and more room, the sync gets further and further; `room` is in units that put the end everywhere."""
    folder, place = tmp_path / "wheels", small_disk / "there" / "env"
    make_environment(world(folder, "1"), place, folder)
    status = os.statvfs(small_disk)
    if limit == "size":
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        option = f"size={used + room * 8192}"
    else:
        option = f"nr_inodes={status.f_files - status.f_ffree + room * 2}"
    subprocess.run(["mount", "-o", f"remount,{option}", small_disk], check=True)
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(world(folder, "2", size=100_000), place, folder)
    assert caught.value.code == "disk-full"
    assert "untouched" in caught.value.problems[0].why
    assert python_says(place, VERSION) == "1"
    assert leftovers(place) == []
    subprocess.run(["mount", "-o", "remount,size=24m,nr_inodes=0", small_disk], check=True)
    make_environment(world(folder, "2", size=100_000), place, folder)
    assert python_says(place, VERSION) == "2"


def test_a_worker_that_is_killed_is_reported(tmp_path: Path) -> None:
    from tests.environment.worlds import layout_in

    wheel = make_wheel(tmp_path, "alpha", "1")
    with Crew(1, variables()) as crew:
        crew._workers[0]._process.kill()
        with pytest.raises(EnvironmentFailure) as caught:
            crew.install([WheelJob(wheel)], layout_in(tmp_path / "env"), lambda job, result: None)
    assert caught.value.code == "worker-died"
    assert "signal 9" in caught.value.problems[0].why


def test_workers_end_when_their_master_is_killed(tmp_path: Path) -> None:
    code = "import os, time\nfrom tumpline.environment.crew import Crew\ncrew = Crew(2, dict(os.environ))\n"
    code += "print(*(worker._process.pid for worker in crew._workers), flush=True)\ntime.sleep(60)"
    master = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert master.stdout is not None
    workers = [int(word) for word in master.stdout.readline().split()]
    master.kill()
    master.communicate()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


class TestPrune:
    """What may be removed beside an environment, and what must not be."""

    def note(self, place: Path, name: str, content: str, age: float = 0) -> Path:
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = place.with_name(name)
        folder.mkdir()
        note = place.with_name(f"{name}.note")
        note.write_text(content)
        for path in (note, folder):
            os.utime(path, (time.time() - age,) * 2)
        return folder

    @pytest.mark.parametrize(
        ("content", "age", "stays"),
        [
            ('{"machine": "another", "pid": 1, "start": ""}', 3600, True),
            ('{"machine": "another", "pid": 1, "start": ""}', 90_000, False),
            ("", 0, True),
            ("", 120, False),
            ('{"half', 120, False),
            ("[]", 120, False),
        ],
    )
    def test_notes_of_others(self, tmp_path: Path, content: str, age: float, stays: bool) -> None:
        place = tmp_path / "env"
        folder = self.note(place, ".env.tumpline-abc-1", content, age)
        remove(left_over(place))
        assert folder.exists() is stays
        assert (tmp_path / ".env.tumpline-abc-1.note").exists() is stays

    @pytest.mark.parametrize(("age", "stays"), [(0, True), (120, False)])
    def test_folder_without_note(self, tmp_path: Path, age: float, stays: bool) -> None:
        folder = tmp_path / ".env.tumpline-abc-1"
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
        remove(left_over(tmp_path / "env"))
        assert folder.exists() is stays

    def test_others_are_left_alone(self, tmp_path: Path) -> None:
        names = [".env2.tumpline-abc-1", "env.tumpline-abc-1", ".env.tumplin", "notes"]
        for name in names:
            (tmp_path / name).mkdir()
            os.utime(tmp_path / name, (0, 0))
        remove(left_over(tmp_path / "env"))
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)

    def test_note_and_link_alone(self, tmp_path: Path) -> None:
        (tmp_path / ".env.tumpline-abc-1.note").write_text('{"machine": "x", "pid": 1, "start": ""}')
        os.utime(tmp_path / ".env.tumpline-abc-1.note", (0, 0))
        (tmp_path / ".env.tumpline-abc-2.link").symlink_to("nowhere")
        remove(left_over(tmp_path / "env"))
        assert list(tmp_path.iterdir()) == []

    def test_nothing_there(self, tmp_path: Path) -> None:
        assert left_over(tmp_path / "none" / "env") == ()
