"""Records of runs: read whatever they hold, compared, and made an environment of again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.jobworld import JobWorld
from tests.wheelmaker import make_wheel
from tumpline.errors import InputError
from tumpline.jobs.compare import compare_runs
from tumpline.jobs.record import read_run_record

RECORD: dict[str, Any] = {
    "schema": "tumpline.run/1",
    "command": ["python", "x.py"],
    "target": "narval",
    "site": "narval",
    "software_environment": "2023",
    "cpu_level": "x86-64-v3",
    "python": "3.11.5",
    "modules": ["arrow/17.0.0"],
    "lock": {"sha256": "a" * 64, "file": "lock-aaaaaaaaaaaa.toml", "key": "b" * 64},
    "git": {"commit": "c" * 40, "dirty": False},
    "packages": {"alpha": "1.0", "beta": "2.0"},
    "nodes": "n[1-2]",
    "driver": None,
    "start": "2026-01-01T00:00:00Z",
    "end": None,
    "status": None,
}


def write(folder: Path, name: str = "a.json", **changes: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(RECORD | changes))
    return path


def test_a_record_is_read(tmp_path: Path) -> None:
    record = read_run_record(write(tmp_path))
    assert (record.target, record.status, record.packages) == ("narval", None, (("alpha", "1.0"), ("beta", "2.0")))


@pytest.mark.parametrize(
    "changes",
    [
        {"schema": "other/1"},
        {"lock": None},
        {"lock": {"sha256": "../../x", "key": "b" * 64}},
        {"lock": {"sha256": "a" * 64, "key": "../x"}},
        {"packages": ["alpha"]},
        {"packages": {"alpha": 1}},
        {"status": "0"},
        {"command": [1]},
        {"git": {}},
        {"nodes": None},
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        read_run_record(write(tmp_path, **changes))
    assert caught.value.code == "record-unreadable"


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b"{"])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    for path in (tmp_path / "x", tmp_path / "gone", tmp_path):
        with pytest.raises(InputError, match="can not be read"):
            read_run_record(path)


def test_what_differs(tmp_path: Path) -> None:
    first = read_run_record(write(tmp_path))
    other: dict[str, Any] = {
        "packages": {"alpha": "1.1", "gamma": "3"},
        "driver": "550",
        "nodes": "n9",
        "status": 1,
        "end": "2026",
    }
    second = read_run_record(write(tmp_path, "b.json", **other))
    found = [(each.what, each.first, each.second, each.decides) for each in compare_runs(first, second)]
    assert found == [
        ("driver", "", "550", True),
        ("exit status", "did not end", "1", False),
        ("alpha", "1.0", "1.1", True),
        ("beta", "2.0", "", True),
        ("gamma", "", "3", True),
    ]
    assert compare_runs(first, first) == ()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> JobWorld:
    """A run that was recorded; since then the project is locked anew."""
    world = JobWorld(tmp_path_factory.mktemp("record"))
    world.stand_ins()
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.org", "-C", str(world.project)]
    for words in (["init", "-q"], ["add", "pyproject.toml"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    world.run("job", "submit", "--output", "runs", "--", "python", "-c", "import alpha").ok()
    world.runs(Path(f"{world.diary}.sh")).ok()
    make_wheel(world.links, "alpha", "2.0")
    world.run("lock", "--upgrade", "--refresh").ok()
    world.run("stage").ok()
    return world


def test_the_environment_of_a_run_is_made_again(ran: JobWorld) -> None:
    record = "runs/toy-project-7.json"
    done = ran.run("sync", "--record", record).ok()
    assert "the run was made from the commit " in done.err
    key = json.loads((ran.project / record).read_text())["lock"]["key"]
    python = ran.project / ".tumpline" / "env" / f"pond-{key[:12]}" / "bin" / "python"
    subprocess.run([python, "-c", "import alpha; assert alpha.says == 'alpha'"], check=True)
    assert not (ran.project / ".tumpline" / "env" / "pond").exists()


def test_without_the_lock_it_is_said(ran: JobWorld, tmp_path: Path) -> None:
    alone = tmp_path / "alone.json"
    alone.write_bytes((ran.project / "runs" / "toy-project-7.json").read_bytes())
    ran.run("sync", "--record", str(alone)).refuses("record-lock-gone", 2, "check out the commit")


def test_runs_are_compared(ran: JobWorld) -> None:
    first = "runs/toy-project-7.json"
    assert ran.run("parity", "--record", first, first).ok().out == ""
    ran.run("job", "submit", "--output", "runs", "--", "python", "-c", "import alpha").ok()
    ran.runs(Path(f"{ran.diary}.sh"), 8).ok()
    done = ran.run("parity", "--record", first, "runs/toy-project-8.json")
    assert (done.status, "alpha: 1.0 -> 2.0\n" in done.out) == (1, True)
    data = ran.run("parity", "--json", "--record", first, "runs/toy-project-8.json").data
    assert data["schema"] == "tumpline.parity-runs/1"
    assert {"what": "alpha", "kind": "package", "first": "1.0", "second": "2.0", "decides": True} in data["differences"]
