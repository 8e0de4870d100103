"""Packages that are no wheel of an index or a wheelhouse: by address, by path, and from sources that are built."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.addresses.conftest import GitRepository
from tests.cli.world import MINOR, World
from tests.environment.sources import sdist_of, source_files, write_source
from tests.environment.worlds import python_says, sha256_of
from tests.index.server import Route, Server
from tests.wheelmaker import make_wheel

TARGET = ("--target", "laptop")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "world")
    made.pyproject.write_text(f'[project]\nname = "p"\nversion = "1"\ndependencies = []\n{laptop()}')
    make_wheel(made.links, "pip", "99.0")
    return made


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """One line for each time that the backend was run; told to have run for metadata as well as for a wheel."""
    path = tmp_path / "diary"
    path.write_text("")
    return path


def laptop(more: str = "") -> str:
    return f'[tool.tumpline.targets.laptop]\nsite = "here"\npython = "{MINOR}"\n{more}'


def ask(world: World, *requirements: str, more: str = "") -> None:
    listed = ", ".join(f'"{requirement}"' for requirement in (*requirements, "pip==99.0"))
    world.pyproject.write_text(f'[project]\nname = "p"\nversion = "1"\ndependencies = [{listed}]\n{laptop()}{more}')
    world.run("lock").ok()


def place(world: World) -> Path:
    return world.project / ".tumpline" / "env" / "laptop"


def said_of(world: World, name: str = "lib") -> Any:
    (path,) = place(world).glob(f"lib/*/site-packages/{name}-*.dist-info/direct_url.json")
    return json.loads(path.read_text())


def lib_says(world: World) -> str:
    return python_says(place(world), "import lib; print(lib.says)")


def runs(diary: Path) -> int:
    return len(diary.read_text().splitlines())


def test_a_folder(world: World, diary: Path) -> None:
    folder = write_source(world.root / "lib", source_files(diary))
    ask(world, "lib @ ../lib")
    assert runs(diary) == 0
    first = world.run("sync", *TARGET).ok()
    assert "building 1 wheel" in first.err
    assert lib_says(world) == "1"
    assert said_of(world) == {"dir_info": {}, "url": folder.as_uri()}
    built = runs(diary)
    # What a build leaves in its source is no change; a change of the source is one.
    (folder / "build").mkdir()
    (folder / "build" / "left").write_text("x")
    assert "is what the lock says" in world.run("sync", *TARGET).ok().err
    assert runs(diary) == built
    (folder / "lib.py").write_text("says = 'other'\n")
    world.run("run", *TARGET, "--", "python", "-c", "").refuses("environment-stale", 1)
    world.run("sync", *TARGET).ok()
    assert lib_says(world) == "other"
    assert runs(diary) > built


def test_a_folder_that_is_another_version_by_now(world: World, diary: Path) -> None:
    folder = write_source(world.root / "lib", source_files(diary))
    ask(world, "lib @ ../lib")
    write_source(folder, source_files(diary, version="1.6"))
    world.run("sync", *TARGET).refuses("built-another", 2, "the lock has lib 1.5, and what was built is lib 1.6")
    assert not os.path.lexists(place(world))
    folder.rename(world.root / "gone")
    world.run("sync", *TARGET).refuses("missing-file", 2, "../lib")


def test_an_sdist_of_an_index_once_built_is_kept(world: World, diary: Path) -> None:
    sdist_of(world.links, source_files(diary))
    ask(world, "lib", more="[tool.tumpline.packages]\nlib = { build = true }\n")
    world.run("sync", *TARGET).ok()
    assert lib_says(world) == "1"
    assert not list(place(world).glob("lib/*/site-packages/lib-*.dist-info/direct_url.json"))
    built = runs(diary)
    assert built
    # Another environment of the same target takes the wheel that is there; a damaged one is built anew.
    world.run("sync", *TARGET, "--env", "../other").ok()
    assert runs(diary) == built
    (kept,) = (world.root / "home" / ".cache" / "tumpline" / "built").rglob("*.whl")
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    world.run("sync", *TARGET, "--env", "../third").ok()
    assert runs(diary) > built


def test_a_build_that_the_project_does_not_allow(world: World, diary: Path) -> None:
    sdist_of(world.links, source_files(diary))
    allowed = "[tool.tumpline.packages]\nlib = { build = true }\n"
    ask(world, "lib", more=allowed)
    world.pyproject.write_text(world.pyproject.read_text().replace(allowed, ""))
    world.run("sync", *TARGET).refuses("build-not-allowed", 2, "lib 1.5", "lib = { build = true }")
    assert runs(diary) == 0


def test_an_address_that_another_package_brings_is_no_consent(world: World, diary: Path) -> None:
    write_source(world.root / "lib", source_files(diary))
    inner = (world.root / "lib").as_uri()
    asks = f'[project]\nname = "outer"\nversion = "1"\ndependencies = ["lib @ {inner}"]\n'
    write_source(world.root / "outer", {"pyproject.toml": asks})
    ask(world, "outer @ ../outer")
    world.run("sync", *TARGET).refuses("build-not-allowed", 2, "lib 1.5")
    assert runs(diary) == 0


def test_a_commit(world: World, diary: Path) -> None:
    (world.root / "lib").mkdir()
    repository = GitRepository(world.root / "lib")
    repository.git("init", "--quiet")
    first = repository.commit({f"pkg/{name}": content for name, content in source_files(diary).items()})
    ask(world, f"lib @ {repository.address}@main#subdirectory=pkg")
    repository.commit({"pkg/lib.py": "says = 'later'\n"})
    world.run("sync", *TARGET).ok()
    assert lib_says(world) == "1"
    assert said_of(world) == {
        "subdirectory": "pkg",
        "url": repository.folder.as_uri(),
        "vcs_info": {"commit_id": first, "requested_revision": "main", "vcs": "git"},
    }
    built = runs(diary)
    # Built once, the repository is not needed any more.
    repository.folder.rename(world.root / "gone")
    world.run("sync", *TARGET, "--env", "../other", "--offline").ok()
    assert runs(diary) == built


def test_files_of_a_server(world: World, server: Server, diary: Path, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "served", "delta", "2.0")
    source = sdist_of(tmp_path / "served", source_files(diary))
    for file in (wheel, source):
        server.add(f"/{file.name}", Route(file.read_bytes()))
    ask(world, *(f"{name} @ {server.url}/{file.name}" for name, file in (("delta", wheel), ("lib", source))))
    world.run("sync", *TARGET).ok()
    for name, file in (("delta", wheel), ("lib", source)):
        digest = sha256_of(file)
        assert said_of(world, name) == {
            "archive_info": {"hash": f"sha256={digest}", "hashes": {"sha256": digest}},
            "url": f"{server.url}/{file.name}",
        }
    assert lib_says(world) == "1"


@pytest.fixture
def server() -> Any:
    made = Server()
    yield made
    made.close()


def test_a_wheel_beside_the_project(world: World) -> None:
    wheel = make_wheel(world.project / "vendor", "delta", "2.0")
    ask(world, f"delta @ ./vendor/{wheel.name}")
    world.run("sync", *TARGET).ok()
    assert said_of(world, "delta")["url"] == wheel.as_uri()
    make_wheel(world.project / "vendor", "delta", "2.0", files={"delta.py": "changed = True\n"})
    world.run("sync", *TARGET, "--env", "../other").refuses("wrong-hash", 2, wheel.name)
    wheel.unlink()
    world.run("sync", *TARGET, "--env", "../other").refuses("missing-file", 4, "delta 2.0")


def test_a_build_that_fails_leaves_nothing(world: World, diary: Path) -> None:
    write_source(world.root / "lib", source_files(diary, work="raise SystemExit('no compiler here')"))
    ask(world, "lib @ ../lib")
    world.run("sync", *TARGET).refuses("build-failed", 4, "no compiler here", "../lib")
    assert not os.path.lexists(place(world))


@pytest.mark.parametrize("rare", ["", ', "rare"'], ids=["all-there", "one-lacking"])
def test_build_requirements_come_from_the_wheelhouse_first(tmp_path: Path, diary: Path, rare: str) -> None:
    world = World(tmp_path / "world")
    for folder, version in ((world.layer, "1.0+computecanada"), (world.links, "1.0")):
        make_wheel(folder, "helper", version)
        make_wheel(folder, "pip", "99.0")
    make_wheel(world.links, "rare", "3.0")
    if not rare:
        # With the wheelhouse alone, nothing newer from elsewhere gets in.
        make_wheel(world.links, "helper", "2.0")
    seen = tmp_path / "seen"
    work = f"import helper; open({str(seen)!r}, 'a').write(helper.__version__ + ' ')"
    sdist_of(world.links, source_files(diary, requires=f'"helper"{rare}', work=work))
    world.edit('["alpha", "gamma"]', '["lib", "pip"]')
    world.pyproject.write_text(world.pyproject.read_text() + "[tool.tumpline.packages]\nlib = { build = true }\n")
    world.run("catalogue", "scan", "lake").ok()
    world.run("lock").ok()
    world.run("sync", "--target", "lake").ok()
    assert set(seen.read_text().split()) == {"1.0+computecanada"}
