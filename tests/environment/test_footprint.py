"""What an environment will have, before it is made: looked up where the wheels are here, estimated where not."""

from __future__ import annotations

from pathlib import Path

from tests.environment.worlds import FolderIndex, indexed, lock_of, make_environment, sha256_of, tiny_pip
from tests.wheelmaker import make_wheel
from tumpline.environment.footprint import Footprint, footprint_of, too_small
from tumpline.environment.plan import plan_environment
from tumpline.environment.sources import wheels_here
from tumpline.environment.sync import SyncSettings
from tumpline.host.room import Room


def test_wheels_that_are_here_are_looked_into(tmp_path: Path) -> None:
    files = {f"big/deep/er/{number}.txt": "x" * 1000 for number in range(50)}
    wheels = [tiny_pip(tmp_path), make_wheel(tmp_path, "big", "1", files=files)]
    lock = lock_of(*map(indexed, wheels))
    plan = plan_environment(lock, "here")
    found = footprint_of(plan, wheels_here(plan, None, FolderIndex(tmp_path)))
    assert found.exact
    base = footprint_of(plan_environment(lock_of(indexed(wheels[0])), "here"), {plan.wheels[1].name: wheels[0]})
    # 50 files and 3 folders, METADATA, WHEEL and RECORD in a folder of their own.
    assert found.files - base.files == 50 + 3 + 3 + 1
    assert 50_000 < found.size - base.size < 52_000
    elsewhere = footprint_of(plan, {})
    assert not elsewhere.exact
    assert elsewhere.files > 0


def test_a_wheel_that_can_not_be_read_is_estimated(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "big", "1")
    plan = plan_environment(lock_of(indexed(wheel)), "here")
    wheel.write_bytes(b"PK")
    assert not footprint_of(plan, {plan.wheels[0].name: wheel}).exact


def test_which_rooms_are_too_small() -> None:
    rooms = [Room("a", 99, None), Room("b", None, 9), Room("c", 100, 10), Room("d", None, None)]
    assert too_small(Footprint(10, 100, True), rooms) == tuple(rooms[:2])


def test_a_dry_run_says_what_becomes_of_each_package(tmp_path: Path) -> None:
    wheels, place = tmp_path / "wheels", tmp_path / "p" / "env"
    old = [indexed(make_wheel(wheels, name, "1")) for name in ("alpha", "beta", "gamma", "delta")]
    make_environment(lock_of(indexed(tiny_pip(wheels)), *old), place, wheels)
    before = sha256_of(wheels / "delta-1-py3-none-any.whl")
    new = [indexed(make_wheel(wheels, "alpha", "2")), old[1]]
    new.append(indexed(make_wheel(wheels, "delta", "1", files={"delta.py": "another = True"})))
    new.append(indexed(make_wheel(wheels, "omega", "1")))
    assert sha256_of(wheels / "delta-1-py3-none-any.whl") != before
    lock = lock_of(indexed(wheels / "pip-99.0-py3-none-any.whl"), *new)
    report = make_environment(lock, place, wheels, settings=SyncSettings(dry_run=True))
    assert [(row.name, row.before, row.after, row.source) for row in report.changes] == [
        ("alpha", "1", "2", "pypi"),
        ("delta", "1", "1", "pypi"),
        ("gamma", "1", "", ""),
        ("omega", "", "1", "pypi"),
    ]
    assert [(row.name, row.after) for row in report.kept] == [("beta", "1"), ("pip", "99.0")]
    assert report.footprint is not None
    assert report.footprint.exact
    done = make_environment(lock, place, wheels)
    assert done.changes == report.changes
    assert done.footprint == report.footprint
