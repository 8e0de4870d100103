"""``tumpline sync`` and ``tumpline run`` as whole processes."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.worlds import HERE, by_module, indexed, lock_of, tiny_pip, variables
from tests.measured import measured
from tests.wheelmaker import make_wheel
from tumpline.cli.sync_progress import SyncProgress
from tumpline.cli.terminal import Terminal
from tumpline.lock import Lock
from tumpline.lock.file import LOCK_NAME, write_lock
from tumpline.project.read import read_project


class Folder:
    """A project with a lock, and a folder of wheels as the only index."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.root = base / "project"
        self.root.mkdir()
        (self.root / "pyproject.toml").write_text("[tool.tumpline]\n")
        self.wheels = base / "wheels"
        self.place = self.root / ".tumpline" / "env" / "here"
        self.lock(self.alpha("1"))

    def alpha(self, version: str) -> Lock:
        return lock_of(indexed(tiny_pip(self.wheels)), indexed(make_wheel(self.wheels, "alpha", version)))

    def lock(self, lock: Lock) -> None:
        write_lock(self.root / LOCK_NAME, dataclasses.replace(lock, inputs=read_project(self.root).inputs))

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        # Warnings stay visible: they would be ours.
        given = variables(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(self.wheels), HOME=str(self.base / "home"))
        given["TUMPLINE_CACHE"] = str(self.base / "cache")
        command = [sys.executable, "-W", "error", "-m", "tumpline", *words]
        return subprocess.run(
            command,
            cwd=self.root,
            env={**given, **measured(), **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("commands"))
    done = folder.run("sync", "--target", "here")
    assert done.returncode == 0, done.stderr
    return folder


def test_what_sync_says(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    done = folder.run("sync", "--target", "here")
    assert done.returncode == 0
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "fetching 2 wheels"
    assert re.fullmatch(r"the environment will have \d+ files and folders, \d+ MiB", lines[1])
    assert lines[2:4] == ["making an empty environment", "installing 2 wheels"]
    assert lines[4:6] == ["  + alpha 1 (pypi)", "  + pip 99.0 (pypi)"]
    assert lines[6].startswith(".tumpline/env/here is ready: Python ")
    assert lines[7].startswith(
        "use it: tumpline run --target here -- python …, or: source .tumpline/env/here/bin/activate"
    )
    again = folder.run("sync", "--target", "here")
    assert again.stderr.startswith(".tumpline/env/here is what the lock says: Python ")
    folder.lock(folder.alpha("2"))
    dry = folder.run("sync", "--target", "here", "--dry-run")
    assert dry.stderr.splitlines() == [
        "  ~ alpha 1 -> 2 (pypi)",
        "the environment will have about 640 files and folders, 7 MiB",
        "kept as they are: 1 package",
        "dry run: nothing was changed",
    ]
    folder.lock(lock_of(indexed(tiny_pip(folder.wheels))))
    quiet = folder.run("sync", "--target", "here", "-q")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_json(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    place = tmp_path / "elsewhere"
    done = folder.run("sync", "--target", "here", "--json", "--offline", "--jobs", "1", "--env", str(place))
    report = json.loads(done.stdout)
    assert report["schema"] == "tumpline.sync/1"
    assert (report["environment"], report["target"], report["changed"]) == (str(place), "here", True)
    assert report["changes"][0] == {"name": "alpha", "before": None, "after": "1", "source": "pypi"}
    assert set(report) == {
        *("schema", "environment", "target", "python", "changed", "dry_run", "packages", "project", "files", "bytes"),
        *("changes", "kept", "modules", "overlaps", "compiled", "footprint", "quota", "too_small"),
    }


def test_a_lock_that_is_out_of_date_is_noted(synced: Folder, tmp_path: Path) -> None:
    write_lock(synced.root / LOCK_NAME, synced.alpha("1"))
    done = synced.run("sync", "--target", "here")
    synced.lock(synced.alpha("1"))
    assert done.returncode == 0
    assert done.stderr.startswith("note[lock-outdated]: pyproject.toml")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["sync", "--target", "nowhere"], 2, "error[unknown-target]"),
        (["sync", "--target", "here", "--jobs", "0"], 2, "a number from 1 to 64"),
        (["sync", "--target", "here", "--jobs", "many"], 2, "invalid"),
        (["sync", "--target", "here", "--env", "pyproject.toml"], 2, "error[not-our-environment]"),
        (["sync", "--target", "here", "--env", "pyproject.toml/env"], 4, "error[cannot-write]"),
        (["run", "--target", "here", "--"], 2, "error[no-command]"),
        (["run", "--target", "here"], 2, "error[no-command]"),
        (["run", "--target", "here", "--", "no-such-command"], 4, "error[command-not-found]"),
        (["run", "--target", "here", "--env", "none", "--", "python"], 1, "error[no-environment]"),
    ],
)
def test_refusals(synced: Folder, words: list[str], status: int, said: str) -> None:
    done = synced.run(*words)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_run_is_the_command(synced: Folder) -> None:
    code = "import os, sys, alpha; print(sys.prefix, os.environ['VIRTUAL_ENV'], sys.argv[1:]); sys.exit(7)"
    done = synced.run("run", "--target", "here", "--", "python", "-c", code, "--target", "-x", PYTHONHOME="")
    generation = synced.place.resolve()
    assert done.stdout.split(" ", 2) == [str(generation), str(generation), "['--target', '-x']\n"]
    assert (done.returncode, done.stderr) == (7, "")


def test_run_hides_the_home_folder_and_keeps_pythonpath(synced: Folder) -> None:
    code = "import os, site, sys; print(site.ENABLE_USER_SITE, os.environ['PYTHONNOUSERSITE'], 'mod' in str(sys.path))"
    done = synced.run("run", "--target", "here", "python", "-c", code, PYTHONPATH="/opt/mod")
    assert done.stdout == "False 1 True\n"


def test_run_refuses_a_stale_environment(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.run("sync", "--target", "here")
    folder.lock(folder.alpha("2"))
    words = ("--target", "here", "--", "python", "-c", "import alpha; print(alpha.__version__)")
    refused = folder.run("run", *words)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "error[environment-stale]" in refused.stderr
    assert folder.run("run", "--no-check", *words).stdout == "1\n"
    folder.run("sync", "--target", "here")
    assert folder.run("run", *words).stdout == "2\n"


def test_run_wants_the_modules(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    target = dataclasses.replace(HERE, modules=("arrow/17.0.0",))
    packages = folder.alpha("1").packages
    folder.lock(lock_of(*packages, by_module("pyarrow", "17.0.0", "arrow/17.0.0"), target=target))
    synced = folder.run("sync", "--target", "here")
    assert "pyarrow 17.0.0 is not installed: the module arrow/17.0.0 brings it" in synced.stderr
    refused = folder.run("run", "--target", "here", "--", "python", "-c", "print(1)")
    assert refused.returncode == 1
    assert "the module arrow/17.0.0 is not loaded, and it brings pyarrow 17.0.0" in refused.stderr
    loaded = folder.run(
        "run", "--target", "here", "--", "python", "-c", "print(1)", LOADEDMODULES="gcc/12:arrow/17.0.0"
    )
    assert (loaded.stdout, loaded.returncode) == ("1\n", 0)


def test_a_command_that_can_not_start(synced: Folder) -> None:
    tool = synced.base / "tool"
    tool.write_bytes(b"\x7fELF not really")
    tool.chmod(0o755)
    done = synced.run("run", "--target", "here", "--", str(tool))
    assert done.returncode == 4
    assert "error[command-not-started]" in done.stderr


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    progress = SyncProgress(Terminal(io.StringIO(), screen))
    progress.advance(1)
    progress.start("create", 0, 0)
    progress.start("install", 3, 1000)
    progress.advance(400)
    progress.advance(600)
    progress.finish()
    progress.finish()
    assert "installing 3 wheels" in screen.getvalue()


def test_home_is_left_alone(synced: Folder) -> None:
    assert not os.path.lexists(synced.base / "home")
