"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.world import World
from tests.index.server import Server


@pytest.fixture(scope="session")
def first_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world whose wheelhouse is scanned and whose project is locked."""
    world = World(tmp_path_factory.mktemp("first") / "world")
    world.run("catalogue", "scan", "lake").ok()
    world.run("lock").ok()
    return world


@pytest.fixture
def world(first_world: World, tmp_path: Path) -> World:
    """A world of the test's own, with a catalogue and a lock that are current."""
    world = World(tmp_path / "world", first_world.root)
    assert world.lock.is_file()
    return world


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()
