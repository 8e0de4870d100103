"""A server on loopback, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.index.server import Server
from tumpline.index.client import IndexClient
from tumpline.index.settings import IndexLocation, IndexSettings


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def settings(server: Server) -> IndexSettings:
    """Settings with the server as the only index, and no patience."""
    return IndexSettings(locations=(IndexLocation("pypi", server.index),), timeout=5.0, retries=2)


Clients = Callable[..., IndexClient]


@pytest.fixture
def clients(settings: IndexSettings, tmp_path: Path) -> Iterator[Clients]:
    """Make clients that share one cache; keyword arguments are those of `IndexSettings` and `IndexClient`."""
    made: list[IndexClient] = []

    def make(**more: Any) -> IndexClient:
        own = {key: more.pop(key) for key in list(more) if key in IndexSettings.__dataclass_fields__}
        client = IndexClient(replace(settings, **own), tmp_path / "cache", backoff=0.01, **more)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
