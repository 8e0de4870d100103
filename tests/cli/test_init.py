"""``tumpline init``: from nothing, or into a project that is there; run again, it changes nothing."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.cli.world import MINOR, World
from tests.wheelmaker import make_wheel


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


def test_what_is_there_is_named(world: World) -> None:
    world.pyproject.unlink()
    (world.project / "requirements.txt").write_text("alpha\n")
    assert "next: tumpline import requirements.txt" in world.run("init").ok().err


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
