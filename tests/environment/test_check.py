"""Whether an environment may be used here and now, and what it says of itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.environment.worlds import HERE
from tests.lock.samples import FIR as FIR_TARGET
from tumpline.environment.check import Surroundings, check_environment, check_target, open_environment
from tumpline.environment.record import RECORD_NAME, EnvironmentRecord, Expected, read_record, write_record
from tumpline.errors import InputError, NotSo, TumplineError

RECORD = EnvironmentRecord(
    target="fir",
    site="fir",
    environment="2023",
    cpu_level="x86-64-v4",
    python="3.11.5",
    interpreter=sys.executable,
    modules=("gcc", "arrow/17.0.0"),
    expected=(Expected("pyarrow", "17.0.0", "arrow/17.0.0"),),
    key="ab" * 32,
    packages=(("numpy", "2.2.2+computecanada"),),
    project="mine",
    tool="0.1.0",
)
LOADED = ("StdEnv/2023", "gcc/12.3", "arrow/17.0.0", "python/3.11.5")
FIR = Surroundings("fir", "2023", "x86-64-v4", "3.11.5", LOADED)
LAPTOP = Surroundings("linux")


def codes(record: EnvironmentRecord, here: Surroundings, key: str | None = None) -> list[str]:
    return [problem.code for problem in check_environment(record, here, key)]


def test_all_is_well() -> None:
    assert codes(RECORD, FIR, RECORD.key) == []
    assert codes(RECORD._replace(modules=(), expected=()), LAPTOP) == []


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            {"site": "narval", "cpu_level": "x86-64-v3"},
            "wrong-cpu-level",
            "this environment was made for x86-64-v4 (fir); narval is x86-64-v3",
        ),
        (
            {"environment": "2026"},
            "wrong-software-environment",
            "this environment was made for StdEnv/2023; StdEnv/2026 is loaded",
        ),
        (
            {"python": "3.12.4"},
            "wrong-python",
            "this environment was made for Python 3.11.5; the module of Python 3.12.4 is loaded",
        ),
        (
            {"modules": ("gcc/12.3", "arrow/18.1.0")},
            "module-not-loaded",
            "the module arrow/17.0.0 is not loaded, and it brings pyarrow 17.0.0",
        ),
        ({"modules": ("gccore/1", "arrow/17.0.0")}, "module-not-loaded", "the module gcc is not loaded"),
    ],
)
def test_mismatches(change: dict[str, Any], code: str, words: str) -> None:
    (problem,) = check_environment(RECORD, FIR._replace(**change), None)
    assert (problem.code, problem.message, problem.where) == (code, words, "target fir")
    assert problem.hint


@pytest.mark.parametrize(
    ("made_for", "here", "wrong"),
    [
        ("x86-64-v3", Surroundings("fir", "2023", "x86-64-v4"), True),
        ("x86-64-v3", Surroundings("linux", "", "x86-64-v4"), False),
        ("x86-64-v4", Surroundings("linux", "", "x86-64-v3"), True),
        ("x86-64-v4", Surroundings("linux"), False),
        ("", Surroundings("fir", "2023", "x86-64-v4"), False),
        ("armv9", Surroundings("linux", "", "x86-64-v3"), True),
    ],
)
def test_levels(made_for: str, here: Surroundings, wrong: bool) -> None:
    record = RECORD._replace(cpu_level=made_for, modules=(), expected=())
    assert codes(record, here) == (["wrong-cpu-level"] if wrong else [])


@pytest.mark.parametrize("wanted", ["python", "python/3.11", "python/3.11.5"])
def test_a_module_may_be_asked_for_less_exactly(wanted: str) -> None:
    record = RECORD._replace(modules=(wanted,), expected=())
    assert codes(record, FIR) == []
    assert codes(record, FIR._replace(modules=("pythonx/3.11.5",))) == ["module-not-loaded"]


def test_what_took_the_place_of_a_module_is_told() -> None:
    here = FIR._replace(modules=("gcc/12.3", "arrow/18.1.0"))
    assert (
        check_environment(RECORD, here, None)[0].why == "arrow/18.1.0 is loaded, and there is place for one of a name"
    )
    assert check_environment(RECORD, FIR._replace(modules=("gcc/12.3",)), None)[0].why == ""


def test_a_cluster_target_on_a_plain_machine_lacks_its_modules() -> None:
    assert codes(RECORD, LAPTOP) == ["module-not-loaded", "module-not-loaded"]


@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (FIR, []),
        (LAPTOP, []),
        (FIR._replace(site="narval", cpu_level="x86-64-v3"), ["wrong-cpu-level"]),
        (FIR._replace(environment="2026"), ["wrong-software-environment"]),
    ],
)
def test_targets_that_can_not_be_made_here(here: Surroundings, expected: list[str]) -> None:
    assert [problem.code for problem in check_target(FIR_TARGET, here)] == expected
    assert check_target(HERE, here) == ()


def test_stale_and_gone() -> None:
    assert codes(RECORD, FIR, "cd" * 32) == ["environment-stale"]
    assert codes(RECORD._replace(interpreter="/gone/python"), FIR) == ["python-gone"]


class TestRecord:
    def test_round_trip(self, tmp_path: Path) -> None:
        write_record(tmp_path, RECORD)
        assert read_record(tmp_path) == RECORD

    def test_absent(self, tmp_path: Path) -> None:
        assert read_record(tmp_path) is None
        assert read_record(tmp_path / "none") is None

    @pytest.mark.parametrize(
        "text",
        ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1}', "\udcff", "[" * 100_000],
    )
    def test_broken(self, tmp_path: Path, text: str) -> None:
        (tmp_path / RECORD_NAME).write_text(text, errors="surrogateescape")
        with pytest.raises(InputError) as caught:
            read_record(tmp_path)
        assert caught.value.code == "environment-unreadable"

    @pytest.mark.parametrize(
        ("key", "value"), [("python", 3), ("modules", 7), ("expected", [{"name": "x"}]), ("packages", [["one"]])]
    )
    def test_wrong_types(self, tmp_path: Path, key: str, value: object) -> None:
        write_record(tmp_path, RECORD)
        content = json.loads((tmp_path / RECORD_NAME).read_text())
        (tmp_path / RECORD_NAME).write_text(json.dumps({**content, key: value}))
        with pytest.raises(InputError):
            read_record(tmp_path)

    def test_a_folder_in_its_place(self, tmp_path: Path) -> None:
        (tmp_path / RECORD_NAME).mkdir()
        with pytest.raises(InputError) as caught:
            read_record(tmp_path)
        assert caught.value.code == "environment-unreadable"


class TestOpen:
    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(NotSo) as caught:
            open_environment(tmp_path / "env")
        assert (caught.value.code, caught.value.exit_status) == ("no-environment", 1)

    def test_incomplete(self, tmp_path: Path) -> None:
        (tmp_path / ".env.tumpline-x").mkdir()
        (tmp_path / "env").symlink_to(".env.tumpline-x")
        with pytest.raises(NotSo):
            open_environment(tmp_path / "env")
        write_record(tmp_path / ".env.tumpline-x", RECORD)
        assert open_environment(tmp_path / "env") == (tmp_path / ".env.tumpline-x", RECORD)

    @pytest.mark.parametrize("target", ["/etc", ".env.tumpline-x/sub", ".other.tumpline-x"])
    def test_not_ours(self, tmp_path: Path, target: str) -> None:
        (tmp_path / "env").symlink_to(target)
        with pytest.raises(TumplineError) as caught:
            open_environment(tmp_path / "env")
        assert caught.value.code == "not-our-environment"
