"""What several tests of the catalogue need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sshd import Server


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An OpenSSH server; tests are skipped where it can not run."""
    server = Server(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture
def server(running_server: Server) -> Iterator[Server]:
    """The server, with its usual behaviour."""
    yield running_server
    running_server.session()
    running_server.trust("host")
