"""Programs that hang, write without end, or leave others behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tumpline.errors import EnvironmentFailure
from tumpline.host.bounded import Bounds, run_bounded


def run(folder: Path, code: str, *, seconds: float = 30.0, size: int = 1 << 30) -> object:
    return run_bounded([sys.executable, "-c", code], Bounds(seconds, folder, size), environment=dict(os.environ))


def test_what_a_program_says(tmp_path: Path) -> None:
    done = run_bounded(
        [sys.executable, "-c", "import os, sys; os.write(1, b'a\\r\\n\\xff'); os.write(2, b'b'); sys.exit(3)"],
        Bounds(30.0, tmp_path, 1 << 30),
        environment=dict(os.environ),
    )
    assert (done.status, done.stderr) == (3, "b")
    assert done.stdout.encode("utf-8", "surrogateescape") == b"a\r\n\xff"


def test_it_runs_in_the_folder_and_has_nobody_to_ask(tmp_path: Path) -> None:
    code = "import os, sys; open('here', 'w'); assert sys.stdin.read() == ''; open('/dev/tty')"
    done = run(tmp_path, code)
    assert (tmp_path / "here").exists()
    assert "No such device" in getattr(done, "stderr", "")


def test_out_of_time(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        run(tmp_path, "import time; time.sleep(60)", seconds=0.2)
    assert caught.value.code == "program-hangs"


@pytest.mark.parametrize(
    "code",
    [
        "import time; open('big', 'wb').truncate(1 << 30); time.sleep(60)",
        "while True: print('x' * 1000)",
        "print('x' * (17 << 20))",
    ],
    ids=["file", "endless output", "output"],
)
def test_too_much(tmp_path: Path, code: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        run(tmp_path, code, size=1 << 20)
    assert caught.value.code == "program-too-large"


def test_what_it_has_started_ends_as_well(tmp_path: Path) -> None:
    child = "import pathlib, time\nwhile True: pathlib.Path('alive').touch(); time.sleep(0.01)"
    code = f"import subprocess, sys, os, time; subprocess.Popen([sys.executable, '-c', {child!r}])\n"
    code += "while not os.path.exists('alive'): time.sleep(0.01)"
    run(tmp_path, code)
    time.sleep(0.1)
    (tmp_path / "alive").unlink()
    time.sleep(0.2)
    assert not (tmp_path / "alive").exists()


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        run_bounded([tmp_path / "nothing"], Bounds(1.0, tmp_path, 1), environment={})
    assert caught.value.code == "program-missing"
