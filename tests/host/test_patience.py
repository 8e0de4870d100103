"""Reads that fail for a moment are tried again; those that are answered, or fail for good, are not."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.catalogue.sites import make_wheelhouse
from tests.wheelmaker import make_wheel
from tumpline.catalogue.listing import list_folder
from tumpline.catalogue.reader import read_wheel
from tumpline.host.patience import Patience


class Failing:
    """An action that fails so many times, then answers."""

    def __init__(self, number: int, times: int) -> None:
        self.error = OSError(number, os.strerror(number))
        self.times = times
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


class Waits:
    """A patience that does not sleep, and for how long it would have."""

    def __init__(self, seconds: float = 30.0, chance: float = 0.5) -> None:
        self.pauses: list[float] = []
        self.patience = Patience(seconds, sleep=self.pauses.append, chance=lambda: chance)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN])
def test_what_passes_is_tried_again(number: int) -> None:
    waits, action = Waits(), Failing(number, 3)
    assert waits.patience.retry(action) == "done"
    assert waits.pauses == [0.1, 0.5, 2.5]


def test_not_for_ever() -> None:
    waits, action = Waits(), Failing(errno.EIO, 99)
    with pytest.raises(OSError, match="Input/output error"):
        waits.patience.retry(action)
    assert action.calls == 4


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.ELOOP, errno.EMFILE])
def test_an_answer_is_an_answer(number: int) -> None:
    waits, action = Waits(), Failing(number, 1)
    with pytest.raises(OSError, match=os.strerror(number)):
        waits.patience.retry(action)
    assert (action.calls, waits.pauses) == (1, [])


def test_all_waiting_together_has_a_limit() -> None:
    waits = Waits(seconds=1.0)
    for _ in range(100):
        with pytest.raises(OSError, match="Input/output"):
            waits.patience.retry(Failing(errno.EIO, 99))
    assert 0.5 < sum(waits.pauses) <= 1.0


@pytest.mark.parametrize(("chance", "pause"), [(0.0, 0.05), (1.0, 0.15)])
def test_pauses_vary(chance: float, pause: float) -> None:
    waits = Waits(chance=chance)
    waits.patience.retry(Failing(errno.EIO, 1))
    assert waits.pauses == [pytest.approx(pause)]


def test_by_default_they_vary_by_half() -> None:
    pauses: list[float] = []
    for _ in range(50):
        Patience(sleep=pauses.append).retry(Failing(errno.EIO, 1))
    assert all(0.0499 < pause < 0.1501 for pause in pauses)
    assert len(set(pauses)) > 10


def flaky(real: Callable[..., object], times: int) -> Callable[..., object]:
    """Return a function that fails so many times, then does what `real` does."""
    failing = Failing(errno.EIO, times)

    def call(*words: object, **more: object) -> object:
        failing()
        return real(*words, **more)

    return call


@pytest.mark.parametrize("function", ["open", "pread"])
def test_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    path = make_wheel(tmp_path, "a", "1", requires=["b"])
    monkeypatch.setattr(os, function, flaky(getattr(os, function), 2))
    waits = Waits()
    reading = read_wheel(str(tmp_path), path.name, waits.patience)
    assert reading.needs is not None
    assert len(waits.pauses) == 2


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wheel(tmp_path, "a", "1")
    monkeypatch.setattr(os, "scandir", flaky(os.scandir, 2))
    waits = Waits()
    assert len(list_folder("w", str(tmp_path), waits.patience).wheels) == 1
    assert len(waits.pauses) == 2


FAULTS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>

/* The first calls of each kind that FAULTS names fail: "pread=2,stat=1,opendir=3"; what follows works. */
static int due(const char *kind) {
    static char *left = NULL;
    if (!left) left = strdup(getenv("FAULTS") ? getenv("FAULTS") : "");
    char *place = strstr(left, kind);
    if (!place || place[strlen(kind)] != '=' || place[strlen(kind) + 1] == '0') return 0;
    place[strlen(kind) + 1]--;
    errno = EIO;
    return 1;
}

ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset) {
    static ssize_t (*real)(int, void *, size_t, off64_t);
    if (!real) real = dlsym(RTLD_NEXT, "pread64");
    return due("pread") ? -1 : real(fd, buffer, count, offset);
}
ssize_t pread(int fd, void *buffer, size_t count, off_t offset) { return pread64(fd, buffer, count, offset); }

DIR *fdopendir(int fd) {
    static DIR *(*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdopendir");
    return due("opendir") ? NULL : real(fd);
}
int fstatat64(int fd, const char *path, struct stat64 *out, int flags) {
    static int (*real)(int, const char *, struct stat64 *, int);
    if (!real) real = dlsym(RTLD_NEXT, "fstatat64");
    return strstr(path, ".whl") && due("stat") ? -1 : real(fd, path, out, flags);
}
int fstatat(int fd, const char *path, struct stat *out, int flags) {
    return fstatat64(fd, path, (struct stat64 *)out, flags);
}
"""

SCAN = """
import sys
from datetime import date
from pathlib import Path
from tests.catalogue.sites import lake
from tumpline.host.patience import Patience
from tumpline.catalogue.scan import scan
from tumpline.catalogue.wheelhouse import LocalWheelhouse

root = Path(sys.argv[1])
layers = tuple((name, root / name) for name in ("2023/v4", "2023/v3", "generic"))
pauses = []
house = LocalWheelhouse(layers, 1, Patience(sleep=pauses.append))
report = scan(lake(root), house, Path(sys.argv[2]), today=date(2026, 11, 23))
unreadable = [note.file for note in report.notes if note.kind == "unreadable"]
print(report.info.wheels, len(pauses), len(unreadable))
"""


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that makes system calls fail."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("there is no C compiler here, or this is not Linux")
    folder = tmp_path_factory.mktemp("faults")
    (folder / "faults.c").write_text(FAULTS)
    command = [compiler, "-shared", "-fPIC", "-o", f"{folder}/faults.so", f"{folder}/faults.c", "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the C compiler can not make a library: {done.stderr[-300:]}")
    return folder / "faults.so"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("", "6 0 0"),
        ("pread=2", "6 2 0"),
        ("opendir=3", "6 3 0"),
        ("stat=3", "6 2 0"),  # the first failure is met by a second try without a pause
        ("pread=4", "5 3 1"),  # given up, and said so
    ],
)
def test_a_scan_under_faults_of_the_system(faults: Path, tmp_path: Path, given: str, told: str) -> None:
    make_wheelhouse(tmp_path / "w")
    done = subprocess.run(
        [sys.executable, "-c", SCAN, tmp_path / "w", tmp_path / "c.sqlite"],
        env={**os.environ, "LD_PRELOAD": str(faults), "FAULTS": given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == told
