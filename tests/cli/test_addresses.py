"""What is taken by address, at the command line: locked, kept, checked, exported."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.addresses.conftest import STATIC, GitRepository
from tests.addresses.test_build import BACKEND, PYPROJECT
from tests.addresses.test_files import sdist, sha256
from tests.cli.world import World
from tests.index.server import Route, Server
from tests.wheelmaker import make_wheel

ASKS = 'dependencies = ["alpha", "gamma"]'


def asking(world: World, *requirements: str, more: str = "") -> None:
    listed = ", ".join(f'"{requirement}"' for requirement in requirements)
    world.edit(ASKS, f"dependencies = [{listed}]")
    world.pyproject.write_text(world.pyproject.read_text() + more)


def pins(world: World, name: str) -> list[dict[str, Any]]:
    packages = tomllib.loads(world.lock.read_text())["package"]
    return next(package["pin"] for package in packages if package["name"] == name)


@pytest.fixture
def repository(world: World) -> GitRepository:
    folder = world.root / "lib"
    folder.mkdir()
    made = GitRepository(folder)
    made.git("init", "--quiet")
    return made


def test_a_commit_is_kept_until_an_upgrade(world: World, repository: GitRepository) -> None:
    first = repository.commit({"pyproject.toml": STATIC.replace("dep>=1", "gamma")})
    asking(world, f"lib @ {repository.address}@main")
    done = world.run("lock").ok()
    assert "to be built from source: lib" in done.err
    assert pins(world, "lib") == [
        {
            "targets": ["lake", "laptop"],
            "source": "vcs",
            "path": "../lib",
            "reference": "main",
            "commit": first,
            "build": True,
        }
    ]
    assert pins(world, "gamma")
    text = world.lock.read_text()
    assert str(world.root) not in text
    assert "://" not in text

    second = repository.commit({"pyproject.toml": STATIC.replace("dep>=1", "gamma").replace("1.5", "1.6")})
    world.run("lock").ok()
    world.run("lock", "--check").ok()
    assert world.lock.read_text() == text
    assert "lib 1.5 -> 1.6" in world.run("lock", "--upgrade", "lib").ok().err
    assert pins(world, "lib")[0]["commit"] == second
    assert "lib @ git+file:///" in world.run("export", "--target", "laptop", "--format", "requirements").ok().out
    assert f'commit-id = "{second}"' in world.run("export", "--target", "laptop").ok().out
    rows = world.run("parity", "--json").ok().data["packages"]
    assert [row["targets"]["lake"]["source"] for row in rows if row["name"] == "lib"] == ["vcs"]


def test_the_same_lock_in_another_checkout(world: World, repository: GitRepository, tmp_path: Path) -> None:
    repository.commit({"pyproject.toml": STATIC.replace("dep>=1", "gamma")})
    make_wheel(world.project / "vendor", "delta", "2.0", requires=["beta"])
    asking(world, "lib @ ../lib", "delta @ ./vendor/delta-2.0-py3-none-any.whl")
    world.run("lock").ok()
    elsewhere = World(tmp_path / "elsewhere", world.root)
    elsewhere.run("lock", "--check").ok()
    elsewhere.lock.unlink()
    elsewhere.run("lock").ok()
    assert elsewhere.lock.read_bytes() == world.lock.read_bytes()
    assert pins(world, "lib") == [{"targets": ["lake", "laptop"], "source": "path", "path": "../lib", "build": True}]
    (pin,) = pins(world, "delta")
    assert (pin["path"], pin["sha256"]) == (
        "vendor/delta-2.0-py3-none-any.whl",
        sha256(world.project / "vendor" / "delta-2.0-py3-none-any.whl"),
    )


def test_a_wheel_of_a_server_for_one_target(world: World, server: Server, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "delta", "2.0", requires=["gamma"], tags="py3-none-manylinux_2_17_x86_64.any")
    server.add(f"/{wheel.name}", Route(wheel.read_bytes()))
    address = f"{server.url}/{wheel.name}#sha256={sha256(wheel)}"
    asking(world, f"delta @ {address}")
    world.run("lock").ok()
    (pin,) = pins(world, "delta")
    assert (pin["source"], pin["url"], pin["file"]) == ("url", f"{server.url}/{wheel.name}", wheel.name)
    linux = make_wheel(tmp_path, "delta", "2.0", tags="py3-none-manylinux_2_17_x86_64")
    server.add(f"/{linux.name}", Route(linux.read_bytes()))
    world.edit(address, f"{server.url}/{linux.name}")
    done = world.run("lock")
    done.refuses("not-available", 3, "delta can not be had on lake", "this site refuses manylinux wheels")


def test_building_is_allowed_by_name(world: World) -> None:
    files = {"pyproject.toml": PYPROJECT, "backend.py": BACKEND.format(work="pass", version="1.5")}
    sdist(world.links, files)
    make_wheel(world.links, "dep", "1.0")
    asking(world, "lib")
    world.run("lock").refuses("not-available", 3, "only as source")
    world.pyproject.write_text(world.pyproject.read_text() + "[tool.tumpline.packages]\nlib = { build = true }\n")
    world.run("lock").ok()
    (pin,) = pins(world, "lib")
    assert (pin["file"], pin["build"]) == ("lib-1.5.tar.gz", True)
    assert pin["approximate"].startswith("dependencies as a build told them")
    text = world.lock.read_text()
    world.lock.unlink()
    world.run("lock", "--offline").ok()
    assert world.lock.read_text() == text


def test_what_goes_wrong_is_told_with_its_place(world: World, repository: GitRepository) -> None:
    repository.commit({"setup.py": "raise SystemExit('run')"})
    asking(world, f"lib @ {repository.address}")
    before = world.lock.read_bytes()
    world.run("lock").refuses(
        "build-not-allowed",
        2,
        "project.dependencies[0], git+file:///",
        "it has no pyproject.toml",
        "lib = { build = true } under [tool.tumpline.packages]",
    )
    world.edit(repository.address, "git+https://me:secret@127.0.0.1:9/lib")
    done = world.run("lock")
    done.refuses("git-failed", 4, "https://127.0.0.1:9/lib")
    assert "secret" not in done.err
    world.edit("git+https://me:secret@127.0.0.1:9/lib", "file:///nowhere/lib")
    world.run("lock").refuses("path-not-portable", 2, "project.dependencies[0]")
    assert world.lock.read_bytes() == before


def test_another_address_for_each_target(world: World) -> None:
    for target, version in (("lake", "1.5"), ("laptop", "1.6")):
        folder = world.project / f"for-{target}"
        folder.mkdir()
        (folder / "pyproject.toml").write_text(STATIC.replace("1.5", version).replace("dep>=1", "gamma"))
        world.run("add", f"lib @ ./for-{target}", "--target", target).ok()
    found = {pin["targets"][0]: pin["path"] for pin in pins(world, "lib")}
    assert found == {"lake": "for-lake", "laptop": "for-laptop"}
    world.run("add", "lib @ ./for-lake", "--group", "both").refuses("addresses-conflict", 2, "both", "laptop")
