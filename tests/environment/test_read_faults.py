"""Wheels whose reading fails, that change and that vanish, while they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment.images import make_small, pack_to
from tests.environment.test_faults import ROOT, VERSION, leftovers, noise
from tests.environment.worlds import housed, lock_of, make_environment, python_says, sha256_of, tiny_pip, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.make import SyncSettings
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import TumplineError
from tumpline.lock import Lock
from tumpline.lock.file import write_lock

# Makes the reads of files whose path holds FAULTY, as many as FAULTS says (first, how many), fail with an input/output
# error, in each process.
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
static int fails(int fd) {
    static int first = -1, many = 0, seen = 0;
    const char *given = getenv("FAULTS"), *name = getenv("FAULTY");
    if (first < 0) {
        first = 0;
        if (given) sscanf(given, "%d,%d", &first, &many);
    }
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || !name) return 0;
    path[length] = 0;
    if (!strstr(path, name)) return 0;
    seen++;
    errno = EIO;
    return seen >= first && seen < first + many;
}
ssize_t read(int fd, void *buffer, size_t size) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    return fails(fd) ? -1 : real(fd, buffer, size);
}
ssize_t pread64(int fd, void *buffer, size_t size, off64_t offset) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    return fails(fd) ? -1 : real(fd, buffer, size, offset);
}
ssize_t pread(int fd, void *buffer, size_t size, off_t offset) {
    return pread64(fd, buffer, size, offset);
}
ssize_t readv(int fd, const struct iovec *vectors, int count) {
    static ssize_t (*real)(int, const struct iovec *, int);
    if (!real) real = dlsym(RTLD_NEXT, "readv");
    return fails(fd) ? -1 : real(fd, vectors, count);
}
"""

SYNC = """
import sys
from pathlib import Path
from tests.environment.worlds import FolderIndex, variables
from tumpline.environment.sync import SyncSettings, sync
from tumpline.errors import TumplineError
from tumpline.lock.file import read_lock
lock = read_lock(Path(sys.argv[1]))
house, place = map(Path, sys.argv[2:])
try:
    sync(lock, "here", place, project=None, wheelhouse=house, index=FolderIndex(house), environ=variables(),
         settings=SyncSettings(jobs=1))
    print("done")
except TumplineError as error:
    print(error.code)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes reads fail."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no C compiler here, or this is not Linux")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    command = [compiler, "-shared", "-fPIC", "-o", f"{folder}/shim.so", f"{folder}/shim.c", "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the C compiler can not make a library: {done.stderr[-300:]}")
    return folder / "shim.so"


def world(house: Path, version: str, size: int = 400_000) -> Lock:
    """A lock of one large package of a wheelhouse, which is pinned by its RECORD alone."""
    wheel = make_wheel(
        house / "layer", "alpha", version,
        files={"alpha.py": f"__version__ = '{version}'\n", "alpha.bin": noise(version, size)},
    )  # fmt: skip
    pip = tiny_pip(house / "layer")
    return lock_of(housed(wheel, house), housed(pip, house))


@pytest.mark.parametrize(
    ("faults", "outcome"),
    [
        ("0,0", "done"),
        *((f"{first},2", "done") for first in (1, 2, 4, 6)),
        *((f"{first},999", "unreadable-wheel") for first in (3, 5)),
    ],
)
def test_reads_that_fail(shim: Path, tmp_path: Path, faults: str, outcome: str) -> None:
    """What fails for a moment is read again; what fails for good is told, and leaves the environment as it was."""
    house, place = tmp_path / "house", tmp_path / "there" / "env"
    make_environment(world(house, "1"), place, house, wheelhouse=house)
    write_lock(tmp_path / "lock", world(house, "2"))
    done = subprocess.run(
        [sys.executable, "-c", SYNC, tmp_path / "lock", house, place],
        cwd=ROOT,
        env=variables(LD_PRELOAD=str(shim), FAULTS=faults, FAULTY="alpha-2"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == outcome
    assert python_says(place, VERSION) == ("2" if outcome == "done" else "1")
    if outcome != "done":
        assert leftovers(place) == []


# Each does one thing with files that can not be read for a moment; what they say is the outcome.
READERS = {
    "pack": """
from tests.environment.images import pack_to
from tumpline.environment.record import read_record
folder = (base / "env").resolve()
print(pack_to(folder, read_record(folder), base / "other.tar").path.exists())
""",
    "unpack": """
from tumpline.environment.unpack import unpack
print(unpack(base / "image.tar", base / "there", environ=variables()).files > 0)
""",
    "verify": """
from tumpline.environment.record import read_record
from tumpline.environment.verify import verify
folder = (base / "env").resolve()
print(not verify(folder, read_record(folder), environ=variables()).differences)
""",
    "stage": """
from tumpline.environment.wheelstore import WheelStore
print(WheelStore(base / "store").put(base / "wheels" / "alpha-1-py3-none-any.whl").size > 0)
""",
    "stage --check --digests": """
from tests.environment.worlds import indexed, lock_of
from tumpline.environment.plan import plan_environment
from tumpline.environment.stage import survey_stage
from tumpline.environment.stage_check import damage_of
from tumpline.environment.wheelstore import WheelStore
plan = plan_environment(lock_of(indexed(base / "wheels" / "pip-99.0-py3-none-any.whl")), "here")
store = WheelStore(base / "store")
store.put(base / "wheels" / "pip-99.0-py3-none-any.whl")
found = list(damage_of(survey_stage(plan, store, None), None))
assert all(one.mendable and one.problem.code == "unreadable-wheel" for one in found)
print(not found)
""",
}


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment, its image and its wheels."""
    base = tmp_path_factory.mktemp("packed")
    folder, record = make_small(base, base / "env")
    pack_to(folder, record, base / "image.tar")
    return base


@pytest.mark.parametrize(
    ("what", "faulty"),
    [
        *(("pack", "tool/__init__.py"), ("unpack", "image.tar"), ("verify", "tool/__init__.py"), ("stage", "alpha-1")),
        ("stage --check --digests", "/store/files/"),
    ],
)
@pytest.mark.parametrize(("faults", "works"), [("1,2", True), ("1,999", False)])
def test_other_reads_that_fail(
    shim: Path, packed: Path, tmp_path: Path, what: str, faulty: str, faults: str, works: bool
) -> None:
    """Packing, unpacking, verifying and staging read again what fails for a moment, and tell what fails for good."""
    base = tmp_path / "base"
    shutil.copytree(packed, base, symlinks=True)
    head = (
        "import sys\nfrom pathlib import Path\nfrom tests.environment.worlds import variables\nbase = Path(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", head + READERS[what], base],
        cwd=ROOT,
        env=variables(LD_PRELOAD=str(shim), FAULTS=faults, FAULTY=faulty),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip() == "True") is works, done.stderr


def cut(wheel: Path) -> None:
    os.truncate(wheel, wheel.stat().st_size // 2)


def overwrite(wheel: Path) -> None:
    """Change a byte in the middle of the largest file, as a copy over the wheel would do bit by bit."""
    with wheel.open("r+b") as stream:
        stream.seek(wheel.stat().st_size // 2)
        byte = stream.read(1)
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte[0] ^ 255]))


@pytest.mark.parametrize("change", [Path.unlink, cut, overwrite])
def test_a_wheel_that_changes_while_it_is_installed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """It changes after it was found and before it is read: when the empty environment is there."""
    from tests.environment.worlds import FolderIndex
    from tumpline.environment.reporting import Quiet
    from tumpline.environment.sync import sync

    house, place = tmp_path / "house", tmp_path / "there" / "env"
    make_environment(world(house, "1"), place, house, wheelhouse=house)
    lock = world(house, "2")
    (wheel,) = house.rglob("alpha-2*.whl")

    class Changing(Quiet):
        def start(self, step: str, count: int, size: int) -> None:
            if step == "create":
                change(wheel)

    with pytest.raises(TumplineError) as caught:
        sync(
            lock, "here", place, project=None, wheelhouse=house, index=FolderIndex(house), environ=variables(),
            settings=SyncSettings(jobs=1), reporter=Changing(),
        )  # fmt: skip
    assert caught.value.code in ("unreadable-wheel", "truncated-wheel", "damaged-wheel", "bad-record", "not-a-wheel")
    assert python_says(place, VERSION) == "1"
    assert leftovers(place) == []
    make_environment(world(house, "2"), place, house, wheelhouse=house)
    assert python_says(place, VERSION) == "2"


@pytest.mark.parametrize("change", [Path.unlink, cut, overwrite])
def test_an_image_that_changes_while_it_is_unpacked(
    packed: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """It changes after its head was read and before its parts are."""
    from tumpline.environment.reporting import Quiet
    from tumpline.environment.unpack import unpack

    image, place, house = tmp_path / "image.tar", tmp_path / "there" / "env", tmp_path / "house"
    shutil.copy(packed / "image.tar", image)
    make_environment(world(house, "1"), place, house, wheelhouse=house)

    class Changing(Quiet):
        changed = False

        def start(self, step: str, count: int, size: int) -> None:
            if not self.changed:
                self.changed = True
                change(image)

    reporter = Changing()
    with pytest.raises(TumplineError) as caught:
        unpack(image, place, environ=variables(), reporter=reporter)
    assert reporter.changed
    assert caught.value.code in ("image-damaged", "image-unreadable")
    assert python_says(place, VERSION) == "1"
    assert leftovers(place) == []
    shutil.copy(packed / "image.tar", image)
    assert unpack(image, place, environ=variables()).changed


@pytest.mark.parametrize("change", [cut, overwrite])
def test_a_file_that_changes_before_it_is_copied_into_a_stage(tmp_path: Path, change: Callable[[Path], None]) -> None:
    wheel = make_wheel(tmp_path / "from", "alpha", "1", files={"alpha.bin": noise("1", 3 << 20)})
    sha256 = sha256_of(wheel)
    change(wheel)
    store = WheelStore(tmp_path / "store")
    with pytest.raises(TumplineError) as caught:
        store.put(wheel, sha256)
    assert caught.value.code == "wrong-hash"
    assert [path for path in store.folder.rglob("*") if path.is_file()] == []
