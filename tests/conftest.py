"""What several test folders need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from replica.build import Replica, make_replica
from tumpline.errors import TumplineError

ROOT = Path(__file__).resolve().parent.parent

REASONS_TO_SKIP = ("replica-needs-linux", "index-not-reached", "python-not-at-hand")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the fixtures below, so that ``-m "not replica"`` leaves it out."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        for fixture in ("replica", "shared"):
            if fixture in names:
                item.add_marker(fixture)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts, cases and scenarios beside the project; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared"
    if not (folder / "design.md").is_file():
        pytest.skip("the folder ../shared is not here")
    return folder


@pytest.fixture(scope="session")
def replica() -> Replica:
    """The replica wheelhouse in ``.work/replica``: made once and kept; made anew when its recipe changes."""
    try:
        return make_replica(ROOT / ".work" / "replica")
    except TumplineError as error:
        if error.code in REASONS_TO_SKIP:
            pytest.skip(f"no replica: {error}")
        raise


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of programs of an environment with the plain tools people use: pip, uv, Poetry 2."""
    return _programs("tools", "pip>=26.1", "uv>=0.9", "poetry>=2.2")


@pytest.fixture(scope="session")
def old_poetry() -> Path:
    """The program of Poetry 1.8, which many still have: it does not read ``[project]``."""
    return _programs("poetry-1.8", "poetry>=1.8,<1.9") / "poetry"


@pytest.fixture
def uv_on_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """See that there is a uv on PATH: this machine's, else that of `tools`."""
    if shutil.which("uv") is None:
        folder: Path = request.getfixturevalue("tools")
        monkeypatch.setenv("PATH", f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{folder}")


def _programs(name: str, *requirements: str) -> Path:
    """Make an environment in ``.work``, on first use, and return its folder of programs.

    It comes from the index that pip is configured with; tests that need it are skipped where it is not to be had.
    """
    folder = ROOT / ".work" / name
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / ".complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            python = str(folder / "bin" / "python")
            for command in (
                [sys.executable, "-m", "virtualenv", "--quiet", "--no-download", str(folder)],
                [python, "-m", "pip", "install", "--quiet", *requirements],
            ):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"not to be had: {', '.join(requirements)}: {done.stderr[-300:]}")
            (folder / ".complete").touch()
    return folder / "bin"


@pytest.fixture
def cluster_environ(replica: Replica, tmp_path: Path) -> dict[str, str]:
    """The variables of a shell on the replica's cluster, without this machine's own settings for pip and Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON", "TUMPLINE_"))}
    home = tmp_path / "home"
    home.mkdir()
    folders = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "PATH": f"{replica.bin}:{kept.get('PATH', os.defpath)}",
    }
    return kept | folders | dict(replica.variables())
