"""What was found current is answered at once the next time, and only as long as it holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.sources import source_files, write_source
from tests.environment.test_commands import Folder
from tests.environment.worlds import lock_of, variables
from tumpline.environment.record import RECORD_NAME
from tumpline.environment.seen import SEEN_NAME, is_seen, remember, stamp_of
from tumpline.lock import LockedPackage, PathArtefact, Pin
from tumpline.values import Name


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    done = made.run("sync", "--target", "here")
    assert done.returncode == 0, done.stderr
    return made


def reads_the_lock(folder: Folder, *words: str) -> bool:
    """Whether a command, which succeeds, imports the parser of TOML."""
    command = [sys.executable, "-X", "importtime", "-m", "tumpline", *words]
    environ = variables(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(folder.wheels), TUMPLINE_CACHE=str(folder.base / "cache"))
    done = subprocess.run(command, cwd=folder.root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return "tomllib" in done.stderr


SYNC = ("sync", "--target", "here")
RUN = ("run", "--target", "here", "--", "true")


def test_the_second_time_nothing_is_parsed(folder: Folder) -> None:
    assert not reads_the_lock(folder, *SYNC)
    assert not reads_the_lock(folder, *RUN)
    # Asked in another way it has to be found out once more.
    other = (*SYNC, "--env", str(folder.place))
    assert not reads_the_lock(folder, *other)
    assert reads_the_lock(folder, *SYNC, "--json")
    assert reads_the_lock(folder, *SYNC, "--dry-run")


def test_both_ways_say_the_same(folder: Folder) -> None:
    quick = folder.run(*SYNC)
    (folder.place / SEEN_NAME).unlink()
    assert folder.run(*SYNC).stderr == quick.stderr
    assert "is what the lock says" in quick.stderr


def change_lock(folder: Folder) -> None:
    folder.lock(folder.alpha("2"))


def change_project(folder: Folder) -> None:
    path = folder.root / "pyproject.toml"
    path.write_text(path.read_text() + "\n")


def lose_interpreter(folder: Folder) -> None:
    record = folder.place / RECORD_NAME
    record.write_text(json.dumps({**json.loads(record.read_text()), "interpreter": "/gone"}))


def lose_python(folder: Folder) -> None:
    (folder.place / "bin" / "python").unlink()


def leave_something(folder: Folder) -> None:
    (folder.place.parent / ".here.tumpline-abc.link").symlink_to("nowhere")


def damage_seen(folder: Folder) -> None:
    (folder.place / SEEN_NAME).write_text("00" * 16)


@pytest.mark.parametrize(
    "change", [change_lock, change_project, lose_interpreter, lose_python, leave_something, damage_seen]
)
def test_what_has_to_be_found_out_again(folder: Folder, change: object) -> None:
    assert callable(change)
    change(folder)
    assert reads_the_lock(folder, *SYNC)
    # A sync that had to look has seen to it; the next one takes the generation before away.
    assert not list(folder.place.parent.glob("*.link"))
    folder.run(*SYNC)
    assert not reads_the_lock(folder, *SYNC)


def test_a_project_whose_requirements_are_elsewhere_is_read(folder: Folder) -> None:
    (folder.root / "pyproject.toml").write_text("# dynamic\n[tool.tumpline]\n")
    assert reads_the_lock(folder, *SYNC)
    assert reads_the_lock(folder, *SYNC)


def test_a_package_of_a_folder_is_looked_at(folder: Folder, tmp_path: Path) -> None:
    write_source(folder.root / "lib", source_files(tmp_path / "diary"))
    (folder.root / "pyproject.toml").write_text("[tool.tumpline.packages]\nlib = { build = true }\n")
    packages = folder.alpha("1").packages
    folder.lock(lock_of(*packages, LockedPackage(Name("lib"), "1.5", (Pin("here", "1.5", PathArtefact("lib")),))))
    assert folder.run(*SYNC).returncode == 0
    assert reads_the_lock(folder, *SYNC)


def test_stamps(tmp_path: Path) -> None:
    stamps = {stamp_of([b"a", b"b"], ["c"]), stamp_of([b"ab"], ["c"]), stamp_of([b"a"], ["b", "c"]), stamp_of([], [])}
    assert len(stamps) == 4 - 1  # which parts are files does not matter, only what they are and where they end
    first = stamp_of([b"0"], [])
    remember(tmp_path, first)
    for number in range(1, 20):
        remember(tmp_path, stamp_of([b"%d" % number], []))
    remember(tmp_path, stamp_of([b"19"], []))
    assert is_seen(tmp_path, stamp_of([b"19"], []))
    assert not is_seen(tmp_path, first)
    assert not is_seen(tmp_path / "none", first)
    remember(tmp_path / "none", first)
