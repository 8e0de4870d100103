"""A sync from lock to environment: what it makes, what it leaves alone, what it refuses."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.environment.worlds import (
    HERE,
    FolderIndex,
    by_module,
    housed,
    indexed,
    lock_of,
    make_environment,
    python_says,
    tiny_pip,
    variables,
)
from tests.wheelmaker import make_wheel
from tumpline.environment.record import RECORD_NAME, read_record
from tumpline.environment.reporting import Quiet
from tumpline.environment.sync import SyncSettings, default_place, sync
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.lock import Lock


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    return tmp_path / "wheels"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "project" / "env"


def lock_with(wheels: Path, version: str, **words: str) -> Lock:
    return lock_of(indexed(tiny_pip(wheels)), indexed(make_wheel(wheels, "alpha", version)))


def generations(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir() if path.name.startswith(f".{place.name}."))


def test_an_environment_from_both_sources(tmp_path: Path, wheels: Path, place: Path) -> None:
    house = tmp_path / "house"
    grown = make_wheel(house / "gentoo" / "v3", "beta", "2.0+site")
    lock = lock_of(
        indexed(make_wheel(wheels, "alpha", "1.0")),
        housed(grown, house),
        by_module("pyarrow", "17.0.0", "arrow/17.0.0"),
        roots=["alpha"],
    )
    report = make_environment(lock, place, wheels, wheelhouse=house)
    assert python_says(place, "import alpha, beta; print(alpha.__version__, beta.__version__)") == "1.0 2.0+site"
    assert report.changed
    assert [(change.name, change.before, change.after) for change in report.changes] == [
        ("alpha", "", "1.0"),
        ("beta", "", "2.0+site"),
    ]
    assert [package.module for package in report.expected] == ["arrow/17.0.0"]
    assert (report.packages, report.place) == (2, place)
    assert python_says(place, "import pip; print('pip')") == "pip"
    assert not list(place.glob("lib/*/site-packages/setuptools*"))
    record = read_record(place)
    assert record is not None
    assert record.packages == (("alpha", "1.0"), ("beta", "2.0+site"))
    assert record.python == python_says(place, "import platform; print(platform.python_version())")


def test_nothing_to_do(wheels: Path, place: Path) -> None:
    lock = lock_with(wheels, "1")
    make_environment(lock, place, wheels)
    before = place.resolve()
    report = make_environment(lock, place, Path("/nowhere"), environ={})
    assert not report.changed
    assert not report.changes
    assert place.resolve() == before


def test_a_change_and_who_stays(wheels: Path, place: Path) -> None:
    folders = []
    reports = []
    for version in ("1", "2", "3"):
        reports.append(make_environment(lock_with(wheels, version), place, wheels))
        assert python_says(place, "import alpha; print(alpha.__version__)") == version
        folders.append(place.resolve().name)
    assert [(change.before, change.after) for change in reports[-1].changes] == [("2", "3")]
    # The generation before stays for what still runs in it, the one before that is gone.
    assert generations(place) == sorted(folders[1:])
    make_environment(lock_with(wheels, "3"), place, wheels)
    assert generations(place) == folders[2:]


def test_dry_run_changes_nothing(wheels: Path, place: Path) -> None:
    make_environment(lock_with(wheels, "1"), place, wheels)
    before = generations(place)
    report = make_environment(lock_with(wheels, "2"), place, wheels, settings=SyncSettings(dry_run=True))
    assert (report.changed, report.dry_run, report.files) == (True, True, 0)
    assert [(change.before, change.after) for change in report.changes] == [("1", "2")]
    assert generations(place) == before
    make_environment(lock_with(wheels, "2"), place.with_name("other"), wheels, settings=SyncSettings(dry_run=True))
    assert not os.path.lexists(place.with_name("other"))


def test_interpreter_gone_or_record_unreadable_means_anew(wheels: Path, place: Path) -> None:
    lock = lock_with(wheels, "1")
    make_environment(lock, place, wheels)
    record = place / RECORD_NAME
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "interpreter": "/gone/python3"}))
    assert make_environment(lock, place, wheels).changed
    (place / RECORD_NAME).write_text("{")
    assert make_environment(lock, place, wheels).changed
    (place / "bin" / "python").unlink()
    assert make_environment(lock, place, wheels).changed
    assert python_says(place, "import alpha; print('yes')") == "yes"


def test_a_link_whose_generation_was_removed(wheels: Path, place: Path) -> None:
    make_environment(lock_with(wheels, "1"), place, wheels)
    place.resolve().rename(place.with_name("elsewhere"))
    assert make_environment(lock_with(wheels, "1"), place, wheels).changed


@pytest.mark.parametrize("kind", ["folder", "empty-folder", "file", "link"])
def test_what_is_not_ours_is_not_touched(tmp_path: Path, wheels: Path, place: Path, kind: str) -> None:
    place.parent.mkdir(parents=True)
    if kind == "file":
        place.write_text("mine")
    elif kind == "link":
        (tmp_path / "mine").mkdir()
        place.symlink_to(tmp_path / "mine")
    else:
        place.mkdir()
        if kind == "folder":
            (place / "mine").write_text("mine")
    with pytest.raises(InputError) as caught:
        make_environment(lock_with(wheels, "1"), place, wheels)
    assert caught.value.code == "not-our-environment"
    assert list(place.parent.iterdir()) == [place]
    if kind == "file":
        assert place.read_text() == "mine"


@pytest.mark.parametrize("place", ["/proc/tumpline-test/env", "FILE/env", "FILE/deeper/env"])
def test_not_writable(tmp_path: Path, wheels: Path, place: str) -> None:
    (tmp_path / "FILE").write_text("")
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock_with(wheels, "1"), tmp_path / place, wheels)
    assert caught.value.code == "cannot-write"
    assert "--env" in caught.value.problems[0].hint


def test_a_tampered_wheel_leaves_the_old_one(wheels: Path, place: Path) -> None:
    make_environment(lock_with(wheels, "1"), place, wheels)
    lock = lock_with(wheels, "2")
    make_wheel(wheels, "alpha", "2", files={"alpha.py": "import os  # harmful"})
    with pytest.raises(InputError) as caught:
        make_environment(lock, place, wheels)
    assert caught.value.code == "wrong-hash"
    assert python_says(place, "import alpha; print(alpha.__version__)") == "1"
    assert len(generations(place)) == 1


def test_a_tampered_wheelhouse_wheel(tmp_path: Path, place: Path) -> None:
    house = tmp_path / "house"
    lock = lock_of(indexed(tiny_pip(tmp_path)), housed(make_wheel(house / "generic", "alpha", "1"), house))
    make_wheel(house / "generic", "alpha", "1", files={"alpha.py": "import os  # harmful"})
    with pytest.raises(InputError) as caught:
        make_environment(lock, place, tmp_path, wheelhouse=house)
    assert caught.value.code == "wrong-record"
    assert generations(place) == []


def test_every_bad_wheel_is_named(wheels: Path, place: Path) -> None:
    names = ["alpha", "beta"]
    lock = lock_of(indexed(tiny_pip(wheels)), *(indexed(make_wheel(wheels, name, "1")) for name in names))
    for name in names:
        (wheels / f"{name}-1-py3-none-any.whl").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError) as caught:
        make_environment(lock, place, wheels)
    assert {problem.code for problem in caught.value.problems} == {"wrong-hash"}
    assert generations(place) == []


def test_all_missing_wheels_are_named_at_once(tmp_path: Path, wheels: Path, place: Path) -> None:
    house = tmp_path / "house"
    grown = [make_wheel(house / "generic", name, "1") for name in ("alpha", "beta")]
    lock = lock_of(*(housed(path, house) for path in grown), indexed(make_wheel(wheels, "gamma", "1")))
    for path in grown:
        path.unlink()
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock, place, wheels, wheelhouse=house)
    assert [problem.code for problem in caught.value.problems] == ["wheel-gone", "wheel-gone"]
    assert not place.parent.exists()


@pytest.mark.parametrize("wheelhouse", [None, Path("/no/such/folder")])
def test_no_wheelhouse_here(tmp_path: Path, place: Path, wheelhouse: Path | None) -> None:
    house = tmp_path / "house"
    lock = lock_of(housed(make_wheel(house / "generic", "alpha", "1"), house))
    with pytest.raises(EnvironmentFailure) as caught:
        make_environment(lock, place, tmp_path, wheelhouse=wheelhouse)
    assert caught.value.code == "no-wheelhouse"


class Listener(Quiet):
    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.finished = 0

    def start(self, step: str, count: int, size: int) -> None:
        self.steps.append((step, count))

    def finish(self) -> None:
        self.finished += 1


def test_what_is_not_cached_is_fetched(wheels: Path, place: Path) -> None:
    lock = lock_with(wheels, "1")
    index, listener = FolderIndex(wheels, cached=False), Listener()
    sync(lock, "here", place, project=None, wheelhouse=None, index=index, environ=variables(), reporter=listener)
    assert sorted(index.downloads) == ["alpha-1-py3-none-any.whl", "pip-99.0-py3-none-any.whl"]
    assert listener.steps == [("download", 2), ("create", 0), ("install", 2)]
    assert listener.finished == 1


def test_what_no_index_has(wheels: Path, place: Path) -> None:
    lock = lock_with(wheels, "1")
    index, listener = FolderIndex(wheels / "empty", cached=False), Listener()
    with pytest.raises(EnvironmentFailure) as caught:
        sync(lock, "here", place, project=None, wheelhouse=None, index=index, environ=variables(), reporter=listener)
    assert [problem.code for problem in caught.value.problems] == ["file-gone-from-index"] * 2
    assert listener.finished == 1


def test_bytecode_only_when_asked(wheels: Path, place: Path) -> None:
    lock = lock_with(wheels, "1")
    make_environment(lock, place, wheels)
    assert not list(place.glob("lib/*/site-packages/alpha/__pycache__"))
    other = place.with_name("compiled")
    make_environment(lock, other, wheels, settings=SyncSettings(compile=True))
    assert list(other.glob("lib/*/site-packages/alpha/__pycache__/*.pyc"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"python": "2.1"}, "no-python"),
        ({"os": "macos" if HERE.os != "macos" else "linux"}, "wrong-machine"),
        ({"machine": "sparc"}, "wrong-machine"),
    ],
)
def test_targets_that_can_not_be_here(wheels: Path, place: Path, change: dict[str, Any], code: str) -> None:
    lock = lock_with(wheels, "1")
    lock = dataclasses.replace(lock, targets=(dataclasses.replace(HERE, **change),))
    with pytest.raises(TumplineError) as caught:
        make_environment(lock, place, wheels)
    assert caught.value.code == code
    assert not place.parent.exists()


def test_variables_of_the_person_do_not_leak_in(tmp_path: Path, wheels: Path, place: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("sitecustomize", "virtualenv", "installer", "json"):
        (trap / f"{name}.py").write_text("raise SystemExit('the trap was imported')\n")
    settings = tmp_path / "virtualenv.ini"
    settings.write_text("[virtualenv]\nsystem-site-packages = true\n")
    environ = variables(
        PYTHONPATH=str(trap),
        PYTHONHOME="/nowhere",
        VIRTUALENV_CONFIG_FILE=str(settings),
        VIRTUALENV_SYSTEM_SITE_PACKAGES="1",
        HOME=str(tmp_path / "home"),
    )
    make_environment(lock_with(wheels, "1"), place, wheels, environ=environ)
    assert "include-system-site-packages = false" in (place / "pyvenv.cfg").read_text()
    # R18: nothing goes to the home folder.
    assert not (tmp_path / "home").exists()


def test_default_place_is_kept_out_of_version_control(tmp_path: Path, wheels: Path) -> None:
    from tests.environment.test_editable import project_in

    project = project_in(tmp_path / "project", buildable=False)
    place = default_place(project.root, "here")
    make_environment(lock_with(wheels, "1"), place, wheels, project=project)
    assert (project.root / ".tumpline" / ".gitignore").read_text() == "*\n"
    # A folder that is no package does not become importable.
    listed = python_says(place, "import sys; print(*sys.path, sep='|')").split("|")
    assert not {str(project.root), str(project.root / "src")} & set(listed)


def test_the_place_may_be_relative_and_hold_odd_characters(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = Path("a b'c") / "my env.v1"
    make_environment(lock_with(wheels, "1"), place, wheels)
    assert python_says(tmp_path / place, "import alpha; print('yes')") == "yes"
