"""``tumpline init``: from nothing, or into a project that is there; run again, it changes nothing."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings

from tests.cli.world import MINOR, World
from tests.project.test_dependencies import projects
from tests.wheelmaker import make_wheel
from tumpline.cli.app import run_command
from tumpline.errors import InputError
from tumpline.project.read import read_project


def data(world: World) -> dict[str, Any]:
    return tomllib.loads(world.pyproject.read_text())


def test_from_nothing(world: World) -> None:
    world.pyproject.unlink()
    done = world.run("init", "--target", "lake", "--target", "laptop=here").ok()
    assert "pyproject.toml gets:" in done.err
    assert data(world) == {
        "project": {"name": "project", "version": "0.1.0", "requires-python": f">={MINOR}", "dependencies": []},
        "tool": {
            "tumpline": {
                "targets": {
                    "lake": {"site": "lake", "python": MINOR},
                    "laptop": {"site": "here", "python": MINOR},
                }
            }
        },
    }
    before = world.pyproject.read_bytes()
    assert "says it already" in world.run("init", "--target", "lake").ok().err
    assert "says it already" in world.run("init").ok().err
    assert world.pyproject.read_bytes() == before
    world.run("catalogue", "scan", "lake").ok()
    world.run("add", "alpha").ok()


def test_by_default_for_this_machine(world: World) -> None:
    world.pyproject.unlink()
    world.run("init").ok()
    assert list(data(world)["tool"]["tumpline"]["targets"]) == ["laptop"]
    world.pyproject.unlink()
    world.run("init", environ={"TUMPLINE_SITE": "lake"}).ok()
    assert data(world)["tool"]["tumpline"]["targets"]["lake"]["site"] == "lake"


@pytest.mark.parametrize(
    "text",
    [
        '# mine\n[project]\nname = "x"\ndependencies = ["alpha"]\n\n[build-system]\nrequires = ["hatchling"]\n',
        '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.9"\nalpha = "*"',
        '[project]\r\nname = "x"\r\n[tool.uv]\r\npackage = false\r\n',
        "[tool.pdm]\ndistribution = false\n\n\n",
    ],
)
def test_into_a_project(world: World, text: str) -> None:
    world.pyproject.write_bytes(text.encode())
    world.run("init", "--target", "lake:3.12", "--target", "other=lake").ok()
    after = world.pyproject.read_bytes().decode()
    assert after.startswith(text.rstrip())
    before = tomllib.loads(text)
    targets = {"lake": {"site": "lake", "python": "3.12"}, "other": {"site": "lake", "python": MINOR}}
    made = tomllib.loads(after)
    assert made["tool"]["tumpline"] == {"targets": targets}
    del made["tool"]["tumpline"]
    if "project" not in before and "poetry" not in before.get("tool", {}):
        assert made.pop("project")["name"] == "project"
    if not made["tool"]:
        del made["tool"]
    assert made == before
    world.run("init", "--target", "lake:3.12", "--target", "other=lake").ok()
    assert world.pyproject.read_bytes().decode() == after


def init_twice(root: Path, content: bytes) -> None:
    """Run the command in this process, twice, and see that the second time changes nothing."""
    (root / "pyproject.toml").write_bytes(content)
    texts = []
    for _ in range(2):
        words = ["init", "--project", str(root), "--target", "linux:3.12", "--target", "fir:3.12", "--no-import", "-q"]
        assert run_command(words) == 0
        texts.append((root / "pyproject.toml").read_bytes())
    assert texts[0].startswith(content.rstrip())
    assert texts[1] == texts[0] != content


def readable(content: bytes) -> bool:
    try:
        read_project(Path(), content)
    except InputError:
        return False
    return True


@pytest.mark.shared
def test_twice_in_real_projects(shared: Path, tmp_path: Path) -> None:
    done = 0
    for path in sorted((shared / "cases" / "pyproject").iterdir()):
        if readable(path.read_bytes()):
            init_twice(tmp_path, path.read_bytes())
            done += 1
    assert done >= 10


@settings(max_examples=100, deadline=None)
@given(projects())
def test_twice_in_generated_projects(text: str) -> None:
    assume(readable(text.encode()))
    with tempfile.TemporaryDirectory() as folder:
        init_twice(Path(folder), text.encode())


def test_the_python_that_covers_most(world: World) -> None:
    profile = world.sites / "lake.toml"
    text = profile.read_text()
    pythons = text.partition("pythons = [")[2].partition("]")[0]
    profile.write_text(text.replace(f"pythons = [{pythons}]", 'pythons = ["3.10.1", "3.11.2", "3.12.3"]'))
    profile.write_text(profile.read_text().replace(f"default-python = {pythons}", 'default-python = "3.12.3"'))
    for python in ("cp310", "cp311"):
        make_wheel(world.layer, "fast", "1.0", tags=f"{python}-{python}-linux_x86_64")
    make_wheel(world.layer, "rare", "1.0", tags="cp311-cp311-linux_x86_64")
    world.pyproject.write_text(
        '[project]\nname = "x"\nrequires-python = ">=3.9"\ndependencies = ["fast", "rare", "no"]\n'
    )
    world.run("catalogue", "scan", "lake").ok()
    done = world.run("init", "--target", "lake").ok()
    assert "lake has of 3 packages: Python 3.10: 1, Python 3.11: 2, Python 3.12: 0" in done.err
    assert "not for Python 3.11: no" in done.err
    assert data(world)["tool"]["tumpline"]["targets"]["lake"]["python"] == "3.11"
    world.pyproject.write_text('[project]\nname = "x"\nrequires-python = ">=3.12"\ndependencies = ["fast"]\n')
    answer = world.run("init", "--target", "lake", "--dry-run", "--json").ok().data
    assert answer["targets"] == [{"name": "lake", "site": "lake", "python": "3.12"}]
    assert (answer["schema"], answer["written"]) == ("tumpline.init/1", False)
    assert answer["coverage"]["lake"]["3.12"] == {"found": 0, "missing": ["fast"]}


class TestLists:
    """What a folder has of requirements is taken over, as `import` does it."""

    TARGETS = ("--target", "lake", "--target", "laptop=here")

    @pytest.fixture
    def bare(self, world: World) -> World:
        world.pyproject.unlink()
        (world.project / "requirements.txt").write_text("alpha==1.0+computecanada\ngamma>=1\n")
        return world

    def test_requirements(self, bare: World) -> None:
        (bare.project / "requirements-dev.txt").write_text("-r requirements.txt\nbeta\n")
        (bare.project / "requirements-old.txt").write_text("omega\n")
        done = bare.run("init", *self.TARGETS).ok()
        assert data(bare)["project"]["dependencies"] == ["alpha~=1.0.0", "gamma>=1"]
        assert data(bare)["dependency-groups"] == {"dev": ["beta"]}
        assert data(bare)["tool"]["tumpline"]["groups"] == ["dev"]
        assert "alpha~=1.0.0  (requirements.txt:1)" in done.err
        assert '  dependencies = ["alpha~=1.0.0", "gamma>=1"]\n' in done.err, "the plan"
        assert "not taken over: requirements-old.txt (tumpline import FILE does)" in done.err
        assert "next: tumpline lock" in done.err
        before = bare.pyproject.read_bytes()
        assert "says it already" in bare.run("init", *self.TARGETS).ok().err
        assert bare.pyproject.read_bytes() == before
        bare.run("lock").ok()

    def test_an_environment_of_conda(self, bare: World) -> None:
        (bare.project / "requirements.txt").unlink()
        (bare.project / "environment.yml").write_text(
            f"name: x\ndependencies:\n  - python={MINOR}\n  - alpha=1.0\n  - pip:\n    - gamma\n"
        )
        bare.run("init", *self.TARGETS).ok()
        assert data(bare)["project"]["dependencies"] == ["alpha==1.0.*", "gamma"]

    def test_the_python_that_a_list_names_goes_before_the_default(self, bare: World) -> None:
        profile = bare.sites / "lake.toml"
        pythons = profile.read_text().partition("pythons = [")[2].partition("]")[0]
        text = profile.read_text().replace(f"pythons = [{pythons}]", 'pythons = ["3.10.1", "3.11.2", "3.12.3"]')
        profile.write_text(text.replace(f"default-python = {pythons}", 'default-python = "3.12.3"'))
        (bare.project / "environment.yml").write_text("dependencies:\n  - python=3.10\n")
        bare.run("init", "--target", "lake").ok()
        assert data(bare)["tool"]["tumpline"]["targets"]["lake"]["python"] == "3.10"

    def test_a_project_that_asks_for_nothing_yet(self, bare: World) -> None:
        text = '# mine\n[project]\nname = "x"\ndependencies = [\n]\n'
        bare.pyproject.write_text(text)
        done = bare.run("init", *self.TARGETS).ok()
        assert bare.pyproject.read_text().startswith(
            '# mine\n[project]\nname = "x"\ndependencies = [\n    "alpha~=1.0.0",\n    "gamma>=1"\n]\n'
        )
        assert '      "alpha~=1.0.0",\n' in done.err

    def test_one_that_asks_for_something_is_left_alone(self, world: World) -> None:
        (world.project / "requirements.txt").write_text("beta\n")
        before = world.pyproject.read_bytes()
        world.run("init").ok()
        assert world.pyproject.read_bytes() == before
        done = world.run("init", "--from", "requirements.txt", "--json").ok()
        assert done.data["import"]["requirements"][0]["requirement"] == "beta"
        assert data(world)["project"]["dependencies"] == ["alpha", "gamma", "beta"]

    def test_what_can_not_be_read_is_told(self, bare: World) -> None:
        with (bare.project / "requirements.txt").open("a") as stream:
            stream.write("=junk\n")
        done = bare.run("init", *self.TARGETS)
        assert done.status == 1
        assert "error[bad-requirement]: requirements.txt:3: " in done.err
        assert len(data(bare)["project"]["dependencies"]) == 2
        bare.pyproject.unlink()
        (bare.project / "requirements.txt").write_text("=junk\n" * 1000)
        done = bare.run("init", *self.TARGETS)
        assert (done.status, bare.pyproject.exists()) == (1, False)
        assert "nothing was written, since not every line was read" in done.err
        bare.run("init", *self.TARGETS, "--no-import").ok()
        assert data(bare)["project"]["dependencies"] == []
        bare.run("init", "--from", "nowhere.txt").refuses("missing-file", 2, "nowhere.txt")


def test_refused(world: World) -> None:
    before = world.pyproject.read_bytes()
    world.run("init", "--target", "lake:3").refuses("bad-target", 2)
    world.run("init", "--target", "nowhere").refuses("unknown-site", 2)
    world.run("init", "--target", "lake=here").refuses("target-exists", 2, "other-lake=here")
    world.run("init", "--target", "laptop=here:2.7").refuses("target-exists", 2)
    world.run("init", "--target", "a=lake", "--target", "a=lake").refuses("target-exists", 2)
    assert world.pyproject.read_bytes() == before


@pytest.mark.parametrize("command", ["init", "add alpha", "remove alpha", "classify"])
@pytest.mark.parametrize(
    ("content", "code"), [(b"[project\n", "not-toml"), (b'[project]\nname = "\xe9"\n', "not-utf-8")]
)
def test_a_broken_file(world: World, command: str, content: bytes, code: str) -> None:
    world.pyproject.write_bytes(content)
    world.run(*command.split()).refuses(code, 2)
    assert world.pyproject.read_bytes() == content
