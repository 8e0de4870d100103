"""From lock and target to a plan, and the key that tells whether an environment is current."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.environment.test_editable import project_in
from tests.environment.worlds import HERE, by_module, lock_of
from tests.lock.samples import SAMPLE
from tumpline.environment.plan import Plan, plan_environment
from tumpline.environment.record import Expected
from tumpline.errors import InputError
from tumpline.lock import IndexArtefact, Lock, LockedPackage, Pin, WheelhouseArtefact
from tumpline.values import Name


def package(name: str, artefact: IndexArtefact | WheelhouseArtefact, version: str = "1") -> LockedPackage:
    return LockedPackage(Name(name), version, (Pin("here", version, artefact),))


WHEEL = IndexArtefact("pypi", "b-1-py3-none-any.whl", 10, "cd" * 32)
HOUSED = WheelhouseArtefact("generic", "a-1-py3-none-any.whl", "ab" * 32, 10)
LOCK = lock_of(package("a", HOUSED), package("b", WHEEL), by_module("m", "3", "mod/3"), roots=["b"])


def plan(lock: Lock = LOCK) -> Plan:
    return plan_environment(lock, "here")


def test_plan() -> None:
    found = plan()
    assert [(step.name, step.artefact, step.requested) for step in found.wheels] == [
        ("a", HOUSED, False),
        ("b", WHEEL, True),
    ]
    assert found.expected == (Expected("m", "3", "mod/3"),)
    assert (found.project, found.project_name) == (None, "")


def test_only_the_target_counts() -> None:
    found = plan_environment(SAMPLE, "laptop")
    assert [step.name for step in found.wheels] == ["colorama", "numpy", "pyarrow", "requests", "torch"]
    with pytest.raises(InputError) as caught:
        plan_environment(SAMPLE, "fir")
    assert "torch 2.6.0+computecanada" in caught.value.problems[0].why
    assert "colorama" not in caught.value.problems[0].why


def test_unknown_target() -> None:
    with pytest.raises(InputError) as caught:
        plan_environment(LOCK, "there")
    assert caught.value.code == "unknown-target"
    assert "here" in caught.value.problems[0].hint
    with pytest.raises(InputError) as caught:
        plan_environment(dataclasses.replace(LOCK, targets=()), "there")
    assert "add a target" in caught.value.problems[0].hint


def test_listed_packages_and_sources_are_named_together() -> None:
    lock = lock_of(
        *(package(f"p{number:02}", WheelhouseArtefact("", "", "")) for number in range(12)),
        package("s", IndexArtefact("pypi", "s-1.tar.gz", 1, "ab" * 32)),
    )
    with pytest.raises(InputError) as caught:
        plan(lock)
    listed, sources = caught.value.problems
    assert (listed.code, sources.code) == ("lock-is-listed", "build-not-allowed")
    assert listed.why.startswith("without file and digest: p00 1, p01 1")
    assert listed.why.endswith("and 2 more")
    assert listed.hint == f"on {HERE.site} run: tumpline catalogue scan, then tumpline lock"
    assert sources.why == "s 1"


TARGET_CHANGES: dict[str, dict[str, Any]] = {
    "site": {"site": "other"},
    "python": {"python": "3.9"},
    "environment": {"environment": "2026"},
    "cpu-level": {"cpu_level": "x86-64-v4"},
    "modules": {"modules": ("x/1",)},
}
CHANGES = {
    "version": lock_of(package("a", HOUSED), package("b", WHEEL, "1.1"), by_module("m", "3", "mod/3"), roots=["b"]),
    "hash": lock_of(
        package("a", HOUSED),
        package("b", dataclasses.replace(WHEEL, sha256="ef" * 32)),
        by_module("m", "3", "mod/3"),
        roots=["b"],
    ),
    "record": lock_of(
        package("a", dataclasses.replace(HOUSED, record="ef" * 32)),
        package("b", WHEEL),
        by_module("m", "3", "mod/3"),
        roots=["b"],
    ),
    "module": lock_of(package("a", HOUSED), package("b", WHEEL), by_module("m", "3", "mod/4"), roots=["b"]),
    "roots": lock_of(package("a", HOUSED), package("b", WHEEL), by_module("m", "3", "mod/3")),
    "less": lock_of(package("b", WHEEL), by_module("m", "3", "mod/3"), roots=["b"]),
    **{
        field: dataclasses.replace(LOCK, targets=(dataclasses.replace(HERE, **change),))
        for field, change in TARGET_CHANGES.items()
    },
}


@pytest.mark.parametrize("lock", CHANGES.values(), ids=CHANGES)
def test_what_changes_the_key(lock: Lock) -> None:
    assert plan(lock).key != plan().key


def test_what_does_not_change_the_key() -> None:
    other = dataclasses.replace(HERE, catalogue="ef" * 32, catalogue_date="2027-01-01", grade="scanned")
    lock = dataclasses.replace(LOCK, inputs="00" * 32, targets=(other,))
    assert plan(lock).key == plan().key


def test_project(tmp_path: Path) -> None:
    project = project_in(tmp_path / "p")
    first = plan_environment(LOCK, "here", project)
    assert (first.project, first.project_name) == (project.root, "mine")
    assert first.key != plan().key
    (project.root / "pyproject.toml").unlink()
    assert plan_environment(LOCK, "here", project).key != first.key


@pytest.mark.parametrize("change", [{"buildable": False}, {"name": None}])
def test_project_that_is_no_package(tmp_path: Path, change: dict[str, Any]) -> None:
    project = dataclasses.replace(project_in(tmp_path / "p"), **change)
    found = plan_environment(LOCK, "here", project)
    assert dataclasses.replace(found, root=plan().root) == plan()
