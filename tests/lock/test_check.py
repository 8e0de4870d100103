"""What makes a lock out of date, and what is only worth a remark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.lock.samples import FIR, LAPTOP, NARVAL, SAMPLE
from tumpline.catalogue import CatalogueInfo
from tumpline.lock import LockedTarget
from tumpline.lock.check import Staleness, check_lock
from tumpline.project import Declared, Project, Settings, TargetRequest


def request(target: LockedTarget) -> TargetRequest:
    return TargetRequest(target.name, target.site, "3.11", modules=target.modules, policy=target.policy)


def catalogue(target: LockedTarget) -> CatalogueInfo:
    assert target.grade is not None
    return CatalogueInfo(target.site, target.grade, "2026-11-22", target.catalogue, "tumpline", (), (), 1, 1)


REQUESTS = tuple(map(request, (NARVAL, FIR, LAPTOP)))
PROJECT = Project(
    root=Path("project"),
    name=None,
    version="",
    requires_python=">=3.11",
    requirements=tuple(Declared(Requirement(text), "x") for text in ("numpy>=2", "pyarrow", "Requests", "torch")),
    settings=Settings(targets=REQUESTS),
    buildable=False,
    inputs=SAMPLE.inputs,
)
CATALOGUES = {"narval": catalogue(NARVAL), "fir": catalogue(FIR), "laptop": None}


def requesting(**changes: object) -> Project:
    """The project, with another request for narval."""
    changed = replace(REQUESTS[0], **changes)  # type: ignore[arg-type]  # the table below names the fields
    return replace(PROJECT, settings=Settings(targets=(changed, *REQUESTS[1:])))


def test_a_current_lock() -> None:
    assert check_lock(SAMPLE, PROJECT, CATALOGUES) == ()
    assert check_lock(SAMPLE, PROJECT, {}) == ()


def test_other_inputs() -> None:
    asked = tuple(Declared(Requirement(text), "x") for text in ("numpy", "pyarrow", "requests", "SciPy", "attrs"))
    project = replace(PROJECT, inputs="cd" * 32, requirements=asked)
    (found,) = check_lock(SAMPLE, project, CATALOGUES)
    assert (found.code, found.target, found.outdated) == ("inputs-changed", "", True)
    assert found.message.endswith("(new: attrs, scipy; no longer there: torch)")
    (found,) = check_lock(SAMPLE, replace(PROJECT, inputs="cd" * 32), CATALOGUES)
    assert found.message.endswith("than the lock was made for")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"site": "rorqual"}, "its site was narval and is rorqual now"),
        ({"python": "3.12"}, "its Python was 3.11.5 and is 3.12 now"),
        ({"python": "3.1"}, "its Python was 3.11.5 and is 3.1 now"),
        ({"python": "3.11.4"}, "its Python was 3.11.5 and is 3.11.4 now"),
        ({"environment": "2026"}, "its software environment was 2023 and is 2026 now"),
        ({"cpu_level": "x86-64-v4"}, "its CPU level was x86-64-v3 and is x86-64-v4 now"),
        ({"modules": ()}, "its modules was arrow/17.0.0 and is not set now"),
        ({"policy": "wheelhouse"}, "its policy was mixed and is wheelhouse now"),
    ],
)
def test_another_target(changes: dict[str, object], message: str) -> None:
    assert check_lock(SAMPLE, requesting(**changes), CATALOGUES) == (Staleness("target-changed", message, "narval"),)


@pytest.mark.parametrize(
    "changes",
    [
        {"python": ""},
        {"python": "3.11.5"},
        {"environment": "2023"},
        {"cpu_level": "x86-64-v3"},
        {"policy": None},
        {"site": "here"},
    ],
)
def test_the_same_target_said_otherwise(changes: dict[str, object]) -> None:
    assert check_lock(SAMPLE, requesting(**changes), CATALOGUES) == ()


def test_another_order_of_versions_and_another_date() -> None:
    project = replace(PROJECT, settings=Settings(targets=REQUESTS, resolution="lowest", exclude_newer="X"))
    assert check_lock(SAMPLE, project, CATALOGUES) == (
        Staleness("resolution-changed", "it was resolved for the highest versions, and is to be for the lowest now"),
        Staleness("exclude-newer-changed", "exclude-newer was not set and is X now"),
    )
    assert check_lock(replace(SAMPLE, resolution="lowest", exclude_newer="X"), project, CATALOGUES) == ()


def test_targets_come_and_go() -> None:
    project = replace(PROJECT, settings=Settings(targets=(*REQUESTS[:2], TargetRequest("nibi", "nibi", "3.11"))))
    found = check_lock(SAMPLE, project, CATALOGUES)
    assert [(row.code, row.target, row.outdated) for row in found] == [
        ("target-added", "nibi", True),
        ("target-removed", "laptop", True),
    ]


def test_a_project_that_names_no_target_is_for_the_machine_at_hand() -> None:
    lock = replace(SAMPLE, targets=(replace(LAPTOP, name="here", policy="mixed"),), packages=())
    assert check_lock(lock, replace(PROJECT, settings=Settings()), {"here": None}) == ()
    found = check_lock(SAMPLE, replace(PROJECT, settings=Settings()), {})
    assert [(row.code, row.target) for row in found] == [
        ("target-added", "here"),
        *(("target-removed", target.name) for target in SAMPLE.targets),
    ]


def test_catalogues() -> None:
    other = {
        "narval": catalogue(NARVAL)._replace(identity="new"),
        "fir": catalogue(FIR)._replace(grade="scanned", identity="new"),
        "laptop": None,
    }
    narval, fir = check_lock(SAMPLE, PROJECT, other)
    assert (narval.code, narval.target, narval.outdated) == ("catalogue-changed", "narval", False)
    assert "2026-11-20" in narval.message
    assert "2026-11-22" in narval.message
    assert (fir.code, fir.target, fir.outdated) == ("catalogue-upgraded", "fir", True)
    assert "agrees with its versions" in fir.message
    assert fir.details == ()
    *_, fir = check_lock(SAMPLE, PROJECT, other, lambda target: (f"a line about {target}",))
    assert "disagrees with it" in fir.message
    assert fir.details == ("a line about fir",)


def test_a_catalogue_that_is_not_here_is_a_remark() -> None:
    (found,) = check_lock(SAMPLE, PROJECT, {"narval": None})
    assert (found.code, found.target, found.outdated) == ("catalogue-absent", "narval", False)
