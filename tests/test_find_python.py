"""``scripts/find_python.sh``: which Python a fresh machine's ``make`` takes, and what it says where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What a stub does when it is asked for its age, for ensurepip, and for its version.
LAUNCHER = "exit 127"
OLD = "exit 1"
NO_VENV = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac'
GOOD = "exit 0"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def find(tmp_path: Path, stubs: dict[str, str], **variables: str) -> subprocess.CompletedProcess[str]:
    for name, body in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "find_python.sh"],
        env={"PATH": str(tmp_path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("stubs", "chosen"),
    [
        ({"python3": OLD, "python3.12": GOOD}, "python3.12"),
        ({"python3.13": LAUNCHER, "python3.12": GOOD, "python3.11": GOOD}, "python3.12"),
        ({"python3.12": NO_VENV, "python3.11": GOOD}, "python3.11"),
        ({"python3": GOOD}, "python3"),
    ],
)
def test_newest_that_works(tmp_path: Path, stubs: dict[str, str], chosen: str) -> None:
    done = find(tmp_path, stubs)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path / chosen}\n", "")


def test_own_choice(tmp_path: Path) -> None:
    done = find(tmp_path, {"python3.13": GOOD, "python3.11": GOOD}, PYTHON="python3.11")
    assert done.stdout == f"{tmp_path / 'python3.11'}\n"


def test_package_to_install_is_named(tmp_path: Path) -> None:
    done = find(tmp_path, {"python3": OLD, "python3.12": NO_VENV})
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt-get install python3.12-venv" in done.stderr


@pytest.mark.parametrize("stubs", [{}, {"python3": OLD}])
def test_none(tmp_path: Path, stubs: dict[str, str]) -> None:
    done = find(tmp_path, stubs)
    assert done.returncode == 1
    assert "no Python >= 3.11" in done.stderr
    assert "python3-venv" in done.stderr
