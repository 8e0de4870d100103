"""Stages: all that a node without internet needs, fetched and built ahead."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment.stageworld import StageWorld, can_cut_off
from tests.environment.worlds import indexed, lock_of
from tests.index.server import Server
from tests.wheelmaker import make_wheel
from tumpline.environment.plan import plan_environment
from tumpline.environment.stage import survey_stage
from tumpline.environment.staging import without_damaged
from tumpline.environment.wheelstore import WheelStore

TARGET = ("--target", "laptop")
NAMES = [
    "alpha-1.0-py3-none-any.whl",
    "lib-1.5-py3-none-any.whl",
    "mine-1-0.editable-py3-none-any.whl",
    "pip-99.0-py3-none-any.whl",
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, server: Server) -> StageWorld:
    """A world with a lock, and a stage that has everything; the others are copies of it, since builds take long."""
    made = StageWorld(tmp_path_factory.mktemp("first") / "world", server)
    made.said = made.run("stage", *TARGET).ok().err
    return made


@pytest.fixture
def staged(tmp_path: Path, first: StageWorld) -> StageWorld:
    """A world with a stage and no cache."""
    made = StageWorld(tmp_path / "world", first.server, like=first)
    made.forget()
    made.asked()
    return made


@pytest.fixture
def world(staged: StageWorld) -> StageWorld:
    """A world with neither stage nor cache."""
    shutil.rmtree(staged.stage)
    return staged


def damage(path: Path) -> None:
    """Change a file and keep its size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_check_reads_everything_when_asked(staged: StageWorld) -> None:
    check = ("stage", "--check", "--digests", *TARGET)
    staged.run(*check).ok()
    report = staged.run(*check, "--json").ok().data["targets"][0]
    assert (report["complete"], report["damaged"]) == (True, [])
    files = {path.name.partition("-")[0]: path for path in staged.staged_files()}
    broken = [files["alpha"], files["mine"]]
    for path in broken:
        damage(path)
    quick = staged.run("stage", "--check", *TARGET, "--json").ok().data["targets"][0]
    assert (quick["complete"], quick["damaged"]) == (True, None), "sizes are all that is looked at"
    done = staged.run(*check)
    assert done.status == 1
    assert "error[stage-damaged]: target laptop: 2 wheels in the stage are not as locked" in done.err
    assert f"\n  alpha 1.0: {broken[0]}\n  mine: {broken[1]}\n" in done.err
    assert "hint: where there is internet, run: tumpline stage --target laptop" in done.err
    assert "not-staged" not in done.err
    report = staged.run(*check, "--json").data["targets"][0]
    assert not report["complete"]
    assert [(row["name"], row["version"], row["code"]) for row in report["damaged"]] == [
        ("alpha", "1.0", "wrong-hash"),
        ("mine", None, "wrong-hash"),
    ]
    assert staged.asked() == [], "to check asks nobody"
    staged.run("stage", *TARGET).ok()
    staged.run(*check).ok()
    staged.run("stage", "--digests", *TARGET).refuses("options-exclusive", 2, "stage --check --digests")


def names(world: StageWorld) -> list[str]:
    return sorted(path.name for path in world.staged_files())


def test_a_job_without_internet_has_everything(staged: StageWorld) -> None:
    if not can_cut_off():
        pytest.skip("no network namespace may be made here")
    staged.cut_off("stage", "--check", *TARGET).ok()
    staged.cut_off("sync", "--offline", *TARGET).ok()
    assert staged.says("import alpha, lib, mine; print(alpha.says, lib.says, mine.says)") == "alpha 1 mine"
    assert staged.run("run", *TARGET, "--", "say-mine").ok().out == "entry mine\n"
    assert staged.run("run", *TARGET, "--", "old-script").ok().out == "script mine\n"
    (info,) = staged.place.glob("lib/*/site-packages/mine-1.dist-info")
    said = json.loads((info / "direct_url.json").read_text())
    assert said == {"dir_info": {"editable": True}, "url": staged.project.as_uri()}
    # Editable: the code is what it is now.
    (staged.project / "src" / "mine.py").write_text("says = 'changed'\n")
    assert staged.says("import mine; print(mine.says)") == "changed"


def test_without_a_stage_all_that_is_missing_is_named(world: StageWorld) -> None:
    command = ("sync", "--offline", *TARGET)
    done = world.cut_off(*command) if can_cut_off() else world.run(*command)
    done.refuses("not-staged", 4, "alpha 1.0, lib 1.5, pip 99.0", "tumpline stage --target laptop")
    assert world.asked() == []
    assert not os.path.lexists(world.place)


def test_it_says_how_much_comes_and_what_there_is(first: StageWorld) -> None:
    size = sum(path.stat().st_size for path in first.wheels[:2])
    assert f"{first.stage} gets 4 wheels, 2 of them to be built: {size / 1000:.3g} kB and what is built" in first.said
    assert "in at most 18 files and folders" in first.said
    found = [*(first.stage / "files").rglob("*"), *(first.stage / "keys").rglob("*")]
    assert len([path for path in found if path.name != "partial"]) <= 18
    assert "laptop: 4 wheels in the stage" in first.said
    assert names(first) == NAMES
    assert list(first.stage.glob("files/partial/*")) == []
    built = first.diary.read_text()
    first.asked()
    second = first.run("stage", *TARGET).ok()
    assert "gets" not in second.err
    assert first.asked() == []
    assert first.diary.read_text() == built


def test_check(world: StageWorld) -> None:
    done = world.run("stage", "--check", *TARGET)
    assert done.status == 1
    assert "error[not-staged]: target laptop: 4 wheels that a job needs are not staged" in done.err
    for line in ("alpha 1.0: alpha-1.0-py3-none-any.whl", "lib 1.5: lib-1.5.tar.gz", "mine: the project itself"):
        assert f"\n  {line}\n" in done.err
    data = world.run("stage", "--check", "--json", *TARGET).data
    assert (data["schema"], data["stage"]) == ("tumpline.stage/1", str(world.stage))
    (target,) = data["targets"]
    assert (target["target"], target["complete"], target["staged"], target["brought"]) == ("laptop", False, [], [])
    assert [(row["name"], row["kind"]) for row in target["missing"]] == [
        ("alpha", "file"),
        ("lib", "built"),
        ("pip", "file"),
        ("mine", "project"),
    ]
    assert world.asked() == [], "to check asks nobody"
    assert not world.stage.exists()
    report = world.run("stage", "--json", *TARGET).ok().data["targets"][0]
    assert report["complete"]
    assert sorted(row["file"] for row in report["brought"]) == NAMES
    done = world.run("stage", "--check", *TARGET).ok()
    assert done.err == "laptop: 4 wheels in the stage; a job needs no internet\n"
    # The project's name or entry points may have changed: its wheel is made anew.
    world.edit("[build-system]", "[project.scripts]\nother = 'mine:main'\n[build-system]")
    assert [row["name"] for row in check(world)["missing"]] == ["mine"]


def check(world: StageWorld) -> dict[str, list[dict[str, str]]]:
    done = world.run("stage", "--check", "--json", *TARGET)
    (target,) = done.data["targets"]
    assert done.status == (0 if target["complete"] else 1)
    return dict(target)


def test_the_stage_is_named(world: StageWorld, tmp_path: Path) -> None:
    elsewhere = tmp_path / "with space" / "stage"
    world.run("stage", "--stage", str(elsewhere), *TARGET).ok()
    assert not world.stage.exists()
    assert len(world.staged_files(elsewhere)) == 4
    world.forget()
    world.run("sync", "--offline", *TARGET).refuses("not-staged", 4)
    world.run("sync", "--offline", "--stage", str(elsewhere), *TARGET).ok()
    world.environ["TUMPLINE_STAGE"] = str(elsewhere)
    world.run("stage", "--check", *TARGET).ok()


def test_in_a_project_that_is_elsewhere(staged: StageWorld, tmp_path: Path) -> None:
    moved = tmp_path / "another place" / "project"
    shutil.copytree(staged.project, moved)
    staged.run("sync", "--offline", *TARGET, "--project", str(moved)).ok()
    done = staged.run(
        "run", *TARGET, "--project", str(moved), "--", "python", "-c", "import mine; print(mine.__file__)"
    )
    assert done.ok().out.strip() == str(moved / "src" / "mine.py")


def test_what_another_brings_meanwhile_is_left_alone(tmp_path: Path) -> None:
    """Between the look at the stage and the removal of what is in the way."""
    wheel = make_wheel(tmp_path / "wheels", "alpha", "1")
    stage = WheelStore(tmp_path / "stage")
    survey = survey_stage(plan_environment(lock_of(indexed(wheel)), "here"), stage, None)
    assert len(survey.lacking) == 1
    brought = stage.put(wheel)
    assert without_damaged(survey, stage)[1] == 0
    assert brought.path.exists()
    brought.path.write_bytes(b"of another size")
    assert without_damaged(survey, stage)[1] == 1
    assert not brought.path.exists()


class TestDamage:
    def path(self, world: StageWorld, name: str) -> Path:
        (path,) = world.stage.glob(f"files/??/*/{name}-*")
        return path

    @pytest.mark.parametrize("name", ["alpha", "lib", "mine"])
    def test_truncated(self, staged: StageWorld, name: str) -> None:
        path = self.path(staged, name)
        path.write_bytes(path.read_bytes()[:-1])
        assert [row["name"] for row in check(staged)["missing"]] == [name]
        staged.run("sync", "--offline", *TARGET)
        staged.run("stage", *TARGET).ok()
        assert names(staged) == NAMES
        staged.run("sync", "--offline", *TARGET).ok()

    @pytest.mark.parametrize("name", ["alpha", "lib", "mine"])
    def test_changed(self, staged: StageWorld, name: str) -> None:
        path = self.path(staged, name)
        content = path.read_bytes()
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
        staged.run("sync", "--offline", *TARGET).refuses("wrong-hash", 2)
        assert not os.path.lexists(staged.place), "what is changed is not installed"
        done = staged.run("stage", *TARGET).ok()
        assert "note[stage-damaged]" in done.err
        assert names(staged) == NAMES
        staged.run("sync", "--offline", *TARGET).ok()

    def test_a_link_is_not_followed(self, staged: StageWorld, tmp_path: Path) -> None:
        path = self.path(staged, "alpha")
        path.rename(tmp_path / "elsewhere.whl")
        path.symlink_to(tmp_path / "elsewhere.whl")
        assert [row["name"] for row in check(staged)["missing"]] == ["alpha"]
        staged.run("stage", *TARGET).ok()
        assert not path.is_symlink()
        assert (tmp_path / "elsewhere.whl").is_file()

    @pytest.mark.parametrize(
        "entry",
        [
            b"",
            b"[]",
            b'["' + b"0" * 64 + b'", "../../../x-1-py3-none-any.whl", 3, ""]',
            b'["../../..", "x-1-py3-none-any.whl", 3, ""]',
            b'["' + b"0" * 64 + b'", "x-1-py3-none-any.whl", 1e400, ""]',
            b'["' + b"0" * 64 + b'", "x-1-py3-none-any.whl", -1, 5]',
        ],
    )
    def test_a_note_that_leads_astray(self, staged: StageWorld, entry: bytes) -> None:
        from tumpline.index.cache import Cache

        for path in staged.stage.glob("keys/??/*"):
            Cache(staged.stage).write(path.relative_to(staged.stage).as_posix(), entry, 0.0)
        assert [row["name"] for row in check(staged)["missing"]] == ["lib", "mine"]

    def test_a_note_of_another_wheel(self, staged: StageWorld) -> None:
        alpha = self.path(staged, "alpha")
        row = json.dumps([alpha.parent.name, alpha.name, alpha.stat().st_size, ""]).encode()
        from tumpline.index.cache import Cache

        for path in staged.stage.glob("keys/??/*"):
            Cache(staged.stage).write(path.relative_to(staged.stage).as_posix(), row, 0.0)
        staged.run("sync", "--offline", *TARGET).refuses("built-another", 2)

    def test_a_file_where_the_stage_should_be(self, world: StageWorld, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        world.run("stage", "--stage", str(tmp_path / "file"), *TARGET).refuses("stage-not-writable", 4)
