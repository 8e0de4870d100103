"""``tumpline add`` and ``remove``: the project file and the lock change together, or not at all."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest

from tests.cli.world import MINOR, World
from tests.wheelmaker import make_wheel
from tumpline.lock.file import read_lock

POETRY = f"""\
[tool.poetry]
name = "toy-project"
version = "0.1"
description = ""
authors = []

[tool.poetry.dependencies]
python = ">=3.9"
alpha = "*"  # always

[tool.tumpline.targets.lake]
site = "lake"
python = "{MINOR}"

[tool.tumpline.targets.laptop]
site = "here"
python = "{MINOR}"
"""


@pytest.fixture
def shop(world: World) -> World:
    """A world where requests is in the wheelhouse, and leaflet only on the index."""
    make_wheel(world.layer, "requests", "2.31.0+computecanada")
    for version in ("2.30.0", "2.31.0", "2.32.3"):
        make_wheel(world.links, "requests", version)
    for version in ("1.1", "1.2.1"):
        make_wheel(world.links, "leaflet", version)
    world.run("catalogue", "scan", "lake").ok()
    world.run("lock").ok()
    return world


def data(world: World) -> dict[str, Any]:
    return tomllib.loads(world.pyproject.read_text())


def locked(world: World) -> dict[str, set[str]]:
    return {str(package.name): {pin.version for pin in package.pins} for package in read_lock(world.lock).packages}


def test_a_tilde_requirement_on_what_all_targets_can_have(shop: World) -> None:
    before = shop.pyproject.read_text()
    done = shop.run("add", "Requests").ok()
    assert "wrote Requests~=2.31.0" in done.err
    assert shop.pyproject.read_text() == before.replace('"gamma"]', '"gamma", "Requests~=2.31.0"]')
    assert locked(shop)["requests"] == {"2.31.0+computecanada", "2.31.0"}
    shop.run("lock", "--check").ok()
    shop.run("remove", "requests").ok()
    assert shop.pyproject.read_text() == before
    assert "requests" not in locked(shop)
    shop.run("lock", "--check").ok()


def test_in_a_poetry_project(shop: World) -> None:
    shop.pyproject.write_text(POETRY)
    shop.run("add", "requests").ok()
    assert shop.pyproject.read_text() == POETRY.replace("# always\n", '# always\nrequests = "~2.31.0"\n')
    shop.run("remove", "requests").ok()
    assert shop.pyproject.read_text() == POETRY


@pytest.mark.parametrize("poetry", [False, True])
def test_where_it_is_typed_makes_no_difference(shop: World, poetry: bool) -> None:
    if poetry:
        shop.pyproject.write_text(POETRY)
    shop.edit('site = "here"', 'site = "linux"')
    before, texts = shop.pyproject.read_text(), []
    for site in ("lake", "linux"):
        shop.pyproject.write_text(before)
        shop.run("add", "requests", environ={"TUMPLINE_SITE": site}).ok()
        texts.append((shop.pyproject.read_text(), shop.lock.read_text()))
    assert texts[0] == texts[1]
    assert ('requests = "~2.31.0"' if poetry else '"requests~=2.31.0"') in texts[0][0]


def test_off_the_cluster_alike(shop: World) -> None:
    shop.edit('site = "lake"', 'site = "here"')
    shop.run("add", "requests==2.31.*").ok()
    assert "requests==2.31.*" in data(shop)["project"]["dependencies"], "what a person wrote is kept"


@pytest.mark.parametrize("poetry", [False, True])
def test_what_only_the_index_has_goes_to_its_group(shop: World, poetry: bool) -> None:
    if poetry:
        shop.pyproject.write_text(POETRY)
    before = shop.pyproject.read_text()
    done = shop.run("add", "leaflet").ok()
    assert "in the group pypi" in done.err
    if poetry:
        group = data(shop)["tool"]["poetry"]["group"]["pypi"]
        assert group == {"optional": True, "dependencies": {"leaflet": "~1.2.1"}}
    else:
        assert data(shop)["dependency-groups"] == {"pypi": ["leaflet~=1.2.1"]}
    shop.run("remove", "leaflet").ok()
    assert shop.pyproject.read_text() == before


def test_a_group_that_is_named_is_locked(shop: World) -> None:
    shop.run("add", "leaflet<1.2", "--group", "maps").ok()
    assert data(shop)["dependency-groups"] == {"maps": ["leaflet<1.2"]}
    assert data(shop)["tool"]["tumpline"]["groups"] == ["maps"]
    assert locked(shop)["leaflet"] == {"1.1"}
    shop.run("remove", "leaflet", "--group", "other").refuses("not-asked-for", 2, "it stands in: maps")
    assert shop.run("remove", "leaflet", "--group", "Maps", "--json").ok().data["removed"] == [
        {"name": "leaflet", "group": "maps"}
    ]
    assert "groups" not in data(shop)["tool"]["tumpline"], "it goes with what was in it"


@pytest.mark.parametrize("poetry", [False, True])
def test_for_some_targets_only(shop: World, poetry: bool) -> None:
    if poetry:
        shop.pyproject.write_text(POETRY)
    before = shop.pyproject.read_text()
    done = shop.run("add", "requests", "leaflet", "--target", "lake").ok()
    written = 'leaflet = "~1.2.1"' if poetry else "leaflet~=1.2.1"
    assert f"wrote {written} in the group lake, for lake only" in done.err
    assert data(shop)["tool"]["tumpline"]["targets"]["lake"]["groups"] == ["lake"]
    assert "groups" not in data(shop)["tool"]["tumpline"]["targets"]["laptop"]
    pins = {str(package.name): [pin.target for pin in package.pins] for package in read_lock(shop.lock).packages}
    assert (pins["requests"], pins["leaflet"], pins["alpha"]) == (["lake"], ["lake"], ["lake", "laptop"])
    if poetry:
        assert data(shop)["tool"]["poetry"]["group"]["lake"]["optional"] is True
    else:
        assert data(shop)["dependency-groups"] == {"lake": ["requests~=2.31.0", "leaflet~=1.2.1"]}
    shop.run("lock", "--check").ok()
    shop.run("sync", "--target", "laptop", "--dry-run").ok()
    shop.run("remove", "leaflet", "requests").ok()
    assert shop.pyproject.read_text() == before


def test_the_group_of_some_targets_is_named(shop: World) -> None:
    done = shop.run("add", "leaflet", "--target", "lake", "--target", "lake", "--group", "maps", "--json").ok()
    (row,) = done.data["added"]
    assert (row["group"], row["targets"]) == ("maps", ["lake"])
    before = (shop.pyproject.read_bytes(), shop.lock.read_bytes())
    words = ("add", "requests", "--group", "maps")
    shop.run(*words, "--target", "laptop").refuses("group-of-others", 2, "maps", "lake")
    shop.run(*words, "--target", "nowhere").refuses("unknown-target", 2, "choose one of: lake, laptop")
    shop.run(*words, "--target", "lake", "--group", "pypi").refuses("group-of-others", 2, "all targets")
    assert (shop.pyproject.read_bytes(), shop.lock.read_bytes()) == before
    shop.run(*words).ok()
    assert "groups" not in data(shop)["tool"]["tumpline"], "it is locked where it is locked already"


def test_a_policy(shop: World) -> None:
    done = shop.run("add", "requests", "--source", "pypi", "--json").ok()
    assert data(shop)["tool"]["tumpline"]["packages"] == {"requests": {"source": "pypi"}}
    assert locked(shop)["requests"] == {"2.32.3"}
    assert done.data["schema"] == "tumpline.add/1"
    assert done.data["added"] == [
        {"name": "requests", "requirement": "requests~=2.32.3", "group": "pypi", "targets": [], "replaced": None}
    ]
    shop.run("add", "requests", "--source", "wheelhouse").ok()
    assert data(shop)["tool"]["tumpline"]["packages"] == {"requests": {"source": "wheelhouse"}}


def test_again_replaces(shop: World) -> None:
    shop.run("add", "requests==2.31.0").ok()
    done = shop.run("add", "requests>=2.30,<2.32", "--json").ok()
    assert done.data["added"][0]["replaced"] == "requests==2.31.0"
    assert data(shop)["project"]["dependencies"] == ["alpha", "gamma", "requests>=2.30,<2.32"]


def test_extras_and_markers_are_kept(shop: World) -> None:
    shop.run("add", "requests; python_version >= '3'").ok()
    assert data(shop)["project"]["dependencies"][-1] == 'requests~=2.31.0; python_version >= "3"'


def test_nothing_is_written_where_it_does_not_resolve(shop: World) -> None:
    before = (shop.pyproject.read_bytes(), shop.lock.read_bytes())
    shop.run("add", "requests>=3").refuses("not-available", 3, "requests")
    shop.run("add", "requests", "no-such-package").refuses("package-unknown", 3, "no-such-package")
    shop.run("add", "requests>>3").refuses("bad-requirement", 2, "REQ")
    shop.run("remove", "reqests").refuses("not-asked-for", 2)
    shop.run("remove", "alpa").refuses("not-asked-for", 2, "did you mean alpha?")
    assert (shop.pyproject.read_bytes(), shop.lock.read_bytes()) == before


def test_a_dry_run(shop: World) -> None:
    before = (shop.pyproject.read_bytes(), shop.lock.read_bytes())
    assert "would write requests~=2.31.0" in shop.run("add", "requests", "--dry-run").ok().err
    assert "would remove alpha" in shop.run("remove", "alpha", "--dry-run").ok().err
    assert (shop.pyproject.read_bytes(), shop.lock.read_bytes()) == before


def test_a_link_stays_a_link(shop: World) -> None:
    real = shop.project / "real.toml"
    shop.pyproject.rename(real)
    shop.pyproject.symlink_to("real.toml")
    shop.run("add", "requests").ok()
    assert shop.pyproject.is_symlink()
    assert "requests~=2.31.0" in real.read_text()


def test_without_a_table(shop: World) -> None:
    shop.pyproject.write_text("[tool.x]\ny = 1\n")
    shop.run("add", "requests").refuses("cannot-edit", 2, "tumpline init")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_is_protected(shop: World) -> None:
    shop.pyproject.chmod(0o444)
    shop.run("add", "requests").refuses("cannot-write", 4, "may only be read")
    shop.run("remove", "alpha").refuses("cannot-write", 4, "may only be read")
