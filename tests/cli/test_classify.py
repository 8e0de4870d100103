"""``tumpline classify``: each dependency in the section where the clusters' way of installing needs it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.cli.world import World
from tests.wheelmaker import make_wheel


@pytest.fixture
def mixed(world: World) -> World:
    """A world whose project asks for everything in one list: leaflet is only on the index, delta in the wheelhouse."""
    make_wheel(world.layer, "delta", "2.31.0+computecanada")
    make_wheel(world.links, "delta", "2.31.0")
    make_wheel(world.links, "leaflet", "1.2.1")
    world.edit(
        '["alpha", "gamma"]',
        '[\n    "alpha",  # always\n    "leaflet>=1",\n    "gamma",\n    "delta[x]==2.31.0+computecanada",\n]',
    )
    world.run("catalogue", "scan", "lake").ok()
    return world


def data(world: World) -> dict[str, Any]:
    return tomllib.loads(world.pyproject.read_text())


def test_each_goes_where_it_belongs(mixed: World) -> None:
    before = mixed.pyproject.read_text()
    check = mixed.run("classify", "--check")
    assert check.status == 1
    assert mixed.pyproject.read_text() == before
    done = mixed.run("classify").ok()
    assert [line.split() for line in done.out.splitlines()[2:4]] == [
        ["alpha", "1.0", "generic", "1.0", "pypi", "main"],
        ["leaflet>=1", "1.2.1", "pypi", "1.2.1", "pypi", "pypi,", "moved", "from", "main"],
    ]
    assert "was delta[x]==2.31.0+computecanada" in done.out
    assert data(mixed)["project"]["dependencies"] == ["alpha", "delta[x]~=2.31.0"]
    assert data(mixed)["dependency-groups"] == {"pypi": ["leaflet>=1", "gamma"]}
    assert "# always" in mixed.pyproject.read_text()
    mixed.run("lock", "--check").ok()


def test_twice_changes_nothing(mixed: World) -> None:
    mixed.run("classify").ok()
    before = (mixed.pyproject.read_bytes(), mixed.lock.read_bytes())
    assert "every dependency is where it belongs" in mixed.run("classify").ok().err
    assert (mixed.pyproject.read_bytes(), mixed.lock.read_bytes()) == before
    answer = mixed.run("classify", "--check", "--json").ok().data
    assert (answer["schema"], answer["changed"], answer["written"]) == ("tumpline.classify/1", False, False)
    leaflet = next(one for one in answer["dependencies"] if one["name"] == "leaflet")
    assert (leaflet["group"], leaflet["was"]["group"]) == ("pypi", "pypi")
    assert leaflet["targets"]["lake"] == {"version": "1.2.1", "source": "pypi", "from": "pypi"}


def test_what_came_into_the_wheelhouse_comes_back(mixed: World) -> None:
    mixed.run("classify").ok()
    make_wheel(mixed.layer, "leaflet", "1.2.1+computecanada")
    mixed.run("catalogue", "scan", "lake").ok()
    mixed.run("classify").ok()
    assert data(mixed)["project"]["dependencies"] == ["alpha", "delta[x]~=2.31.0", "leaflet>=1"]
    assert data(mixed)["dependency-groups"] == {"pypi": ["gamma"]}


def test_all_from_the_index(mixed: World) -> None:
    mixed.run("classify").ok()
    mixed.run("classify", "--strategy", "pypi").ok()
    assert data(mixed)["tool"]["tumpline"]["policy"] == "pypi"
    assert "dependency-groups" not in data(mixed)
    assert len(data(mixed)["project"]["dependencies"]) == 4
    mixed.run("classify", "--strategy", "mixed").ok()
    assert data(mixed)["tool"]["tumpline"]["policy"] == "mixed"
    assert data(mixed)["dependency-groups"] == {"pypi": ["leaflet>=1", "gamma"]}


def test_wheelhouse_only_says_what_is_missing(mixed: World) -> None:
    make_wheel(mixed.layer, "gamma", "0.9+computecanada")
    mixed.edit('"gamma"', '"gamma>=1"')
    mixed.run("catalogue", "scan", "lake").ok()
    before = (mixed.pyproject.read_bytes(), mixed.lock.read_bytes())
    done = mixed.run("classify", "--strategy", "wheelhouse")
    assert done.status == 3
    assert done.err.count("error[not-available]: ") == 2
    assert "lake: has only 0.9" in done.err, "the nearest that there are"
    english, french = done.out.split("Objet : ")
    assert english.startswith("Subject: Request for Python packages: gamma, leaflet\n")
    assert "Package: leaflet\nVersion: leaflet>=1\n" in english
    assert "Demande de paquets Python" in french
    answer = mixed.run("classify", "--strategy", "wheelhouse", "--json")
    assert (answer.status, answer.err) == (3, "")
    assert {problem["code"] for problem in answer.data["problems"]} == {"not-available"}
    assert answer.data["request"]["en"] in done.out
    assert (mixed.pyproject.read_bytes(), mixed.lock.read_bytes()) == before
