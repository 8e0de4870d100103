"""Whole files: fetched once, checked, and found again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.conftest import Clients
from tests.index.server import Route, Server
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.index import IndexFile
from tumpline.index.client import IndexClient
from tumpline.index.settings import IndexLocation
from tumpline.values import normalise

FOO = normalise("foo")
CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "foo-1.0-py3-none-any.whl"


@pytest.fixture
def route(server: Server) -> Route:
    """The file, offered with its hash and its size."""
    server.page(
        "foo",
        [{"filename": NAME, "url": f"../../files/{NAME}", "size": len(CONTENT), "hashes": {"sha256": SHA256}}],
    )
    return server.add(f"/files/{NAME}", Route(CONTENT))


def file_of(client: IndexClient) -> IndexFile:
    page = client.page(FOO)
    assert page is not None
    (file,) = page.files(0)
    return file


def kept(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache" / "files").rglob("*") if path.is_file())


def asked(server: Server) -> list[str]:
    return [request.headers.get("Range", "") for request in server.requests if request.path == f"/files/{NAME}"]


def test_a_file_is_fetched_once(server: Server, route: Route, clients: Clients, tmp_path: Path) -> None:
    client = clients()
    told: list[int] = []
    assert client.cached(SHA256, NAME) is None

    path = client.download(file_of(client), progress=told.append)

    assert path == tmp_path / "cache" / "files" / SHA256[:2] / SHA256 / NAME
    assert path.read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)
    assert client.cached(SHA256, NAME) == path
    assert clients(offline=True).download(file_of(client)) == path
    assert asked(server) == [""]
    assert kept(tmp_path) == [path]


def test_a_broken_connection_is_taken_up_where_it_broke(
    server: Server, route: Route, clients: Clients, tmp_path: Path
) -> None:
    route.cut_first = 1
    client = clients()
    told: list[int] = []

    assert client.download(file_of(client), progress=told.append).read_bytes() == CONTENT
    first, second = asked(server)
    assert first == ""
    assert second.startswith("bytes=")
    assert sum(told) == len(CONTENT)
    assert all(amount > 0 for amount in told)


@pytest.mark.parametrize("ranges", ["ignored", "refused", "garbled"])
def test_a_broken_connection_to_a_server_without_ranges(
    server: Server, route: Route, clients: Clients, ranges: str
) -> None:
    route.cut_first = 1
    route.ranges = ranges  # type: ignore[assignment]  # one of the literals
    client = clients()
    told: list[int] = []

    assert client.download(file_of(client), progress=told.append).read_bytes() == CONTENT
    assert sum(told) == len(CONTENT)
    assert min(told) < 0


def test_a_connection_that_always_breaks(route: Route, clients: Clients, tmp_path: Path) -> None:
    route.cut_first = 99
    client = clients()

    with pytest.raises(EnvironmentFailure) as caught:
        client.download(file_of(client))

    assert caught.value.code == "index-unreachable"
    (part,) = kept(tmp_path)
    assert part.parent.name == "partial"
    assert CONTENT.startswith(part.read_bytes())


def test_what_a_killed_process_received_is_taken_over(
    server: Server, route: Route, clients: Clients, tmp_path: Path
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    client = clients()
    part = client._store._new_part(file_of(client), None)
    half = len(CONTENT) // 2
    part.write(CONTENT[:half])
    part.close()
    left = part._path
    second = client._store._new_part(file_of(client), None)
    assert second.size == 0, "the process of the first still runs"
    second.close()
    left.rename(left.with_name(left.name.replace(f".{os.getpid()}-", f".{ended.pid}-")))

    assert client.download(file_of(client)).read_bytes() == CONTENT
    assert asked(server) == [f"bytes={half}-"]


def test_what_was_left_and_is_wrong_is_fetched_again(
    server: Server, route: Route, clients: Clients, tmp_path: Path
) -> None:
    folder = tmp_path / "cache" / "files" / "partial"
    folder.mkdir(parents=True)
    (folder / f"{SHA256[:32]}.elsewhere.1-00").write_bytes(b"x" * 20)
    os.utime(folder / f"{SHA256[:32]}.elsewhere.1-00", (time.time() - 3600, time.time() - 3600))
    client = clients()

    assert client.download(file_of(client)).read_bytes() == CONTENT
    assert asked(server) == ["bytes=20-", ""]
    assert [path.name for path in kept(tmp_path)] == [NAME]


def problem_of(client: IndexClient, file: IndexFile) -> str:
    with pytest.raises(TumplineError) as caught:
        client.download(file)
    assert caught.value.problems[0].hint
    return caught.value.code


@pytest.mark.parametrize(
    ("served", "code"),
    [
        (Route(CONTENT[:-1] + b"x"), "wrong-hash"),
        (Route(CONTENT[:-1]), "wrong-hash"),
        (Route(CONTENT + b"x"), "wrong-hash"),
        (Route(status=404), "file-gone-from-index"),
        (Route(status=410), "file-gone-from-index"),
        (Route(status=403), "index-refuses"),
        (Route(status=500), "index-fails"),
        (Route(CONTENT, status=206), "index-fails"),
    ],
)
def test_nothing_wrong_is_kept(
    server: Server, route: Route, clients: Clients, tmp_path: Path, served: Route, code: str
) -> None:
    server.add(f"/files/{NAME}", served)
    client = clients()

    assert problem_of(client, file_of(client)) == code
    assert kept(tmp_path) == []


def test_a_file_without_hash_is_kept_under_the_one_it_has(
    server: Server, route: Route, clients: Clients, tmp_path: Path
) -> None:
    server.add("/simple/foo/", Route(f'<a href="../../files/{NAME}">x</a>'.encode(), "text/html"))
    client = clients()
    file = file_of(client)
    assert file.sha256 == ""

    found = client.with_hash(file)

    assert found == replace(file, sha256=SHA256)
    assert client.download(file) == tmp_path / "cache" / "files" / SHA256[:2] / SHA256 / NAME
    assert clients().with_hash(file) == found
    assert len(asked(server)) == 1


def test_offline(server: Server, route: Route, clients: Clients) -> None:
    file = file_of(clients())

    assert problem_of(clients(offline=True), file) == "offline-not-cached"
    assert asked(server) == []


@pytest.mark.parametrize("name", ["../foo-1.0.zip", "a/b.whl", ".whl", "", "a\\b.whl", "c:b.whl"])
def test_names_that_would_leave_the_cache(clients: Clients, name: str) -> None:
    client = clients()
    file = IndexFile(name, "http://127.0.0.1:1/x", sha256=SHA256)

    with pytest.raises(InputError) as caught:
        client.download(file)
    assert caught.value.code == "unsafe-file-name"
    assert client.cached(SHA256, name) is None


def test_a_cache_that_cannot_be_written(route: Route, clients: Clients, tmp_path: Path) -> None:
    client = clients()
    file = file_of(client)
    folder = tmp_path / "cache" / "files"
    for obstacle in (folder, folder / SHA256[:2]):
        obstacle.parent.mkdir(exist_ok=True)
        obstacle.write_text("in the way")

        assert problem_of(client, file) == "cannot-write"
        obstacle.unlink()
    assert kept(tmp_path) == []


def test_a_full_disk(route: Route, clients: Clients, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no device that is always full")
    client = clients()
    file = file_of(client)
    part = client._store._new_part(file, None)
    part._stream.close()
    part._stream = full.open("wb", buffering=0)

    with pytest.raises(EnvironmentFailure) as caught:
        part.write(bytes(1 << 20))

    assert caught.value.code == "cannot-write"
    part.close()
    assert not part._path.exists()


def test_what_killed_processes_left_behind_is_swept_up(route: Route, clients: Clients, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "files" / "partial"
    folder.mkdir(parents=True)
    old, new = folder / "old", folder / "new"
    old.write_text("x")
    new.write_text("x")
    os.utime(old, (time.time() - 100_000, time.time() - 100_000))
    client = clients()

    client.download(file_of(client))

    assert list(folder.iterdir()) == [new]


def test_a_locked_file_is_located(server: Server, route: Route, clients: Clients) -> None:
    assert clients().locate(FOO, NAME, SHA256) == file_of(clients())


def test_a_locked_file_is_located_in_any_index_by_its_hash(server: Server, route: Route, clients: Clients) -> None:
    other = f'<a href="{NAME}#sha256={"0" * 64}">x</a>'.encode()
    server.add("/other/foo/", Route(other, "text/html"))
    locations = (IndexLocation("pypi", f"{server.url}/other"), IndexLocation("extra-1", server.index))
    client = clients(locations=locations)

    assert client.locate(FOO, NAME, SHA256).index == "extra-1"
    with pytest.raises(EnvironmentFailure) as caught:
        client.locate(FOO, NAME, "1" * 64)
    assert caught.value.code == "file-gone-from-index"
    assert "extra-1, pypi" in caught.value.problems[0].why


def test_a_locked_file_offered_without_hash_is_checked_when_it_is_fetched(
    server: Server, route: Route, clients: Clients
) -> None:
    server.add("/simple/foo/", Route(f'<a href="../../files/{NAME}">x</a>'.encode(), "text/html"))
    client = clients()

    assert client.download(client.locate(FOO, NAME, SHA256)).read_bytes() == CONTENT
    assert problem_of(client, client.locate(FOO, NAME, "1" * 64)) == "wrong-hash"


def test_a_stale_page_is_asked_for_again_before_a_file_is_given_up(
    server: Server, route: Route, clients: Clients
) -> None:
    page = server.routes.pop("/simple/foo/")
    client = clients()
    assert client.page(FOO) is None
    server.add("/simple/foo/", page)

    with pytest.raises(EnvironmentFailure):
        clients(offline=True).locate(FOO, NAME, SHA256)
    assert client.locate(FOO, NAME, SHA256).file == NAME


def test_a_locked_file_that_nobody_could_have_made(server: Server, route: Route, clients: Clients) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        clients().locate(FOO, "bar-1.0-py3-none-any.whl", SHA256)
    assert caught.value.code == "file-gone-from-index"
