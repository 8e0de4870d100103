"""What a file says of itself, by every way there is."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.index.conftest import Clients
from tests.index.server import Route, Server
from tests.wheelmaker import make_wheel
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.index import IndexFile
from tumpline.index import ranges as ranges_module
from tumpline.index import sdists as sdists_module
from tumpline.index.client import IndexClient
from tumpline.index.ranges import NoRanges, RemoteFile
from tumpline.values import normalise

FOO = normalise("foo")
METADATA = b"Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nRequires-Dist: separate\n\n"
BULK = bytes((position * 7919 >> 3) & 0xFF for position in range(700_000))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel larger than what is asked for first, with its dist-info at the end."""
    return make_wheel(
        tmp_path / "made", "foo", "1.0", requires=["bar>=2"], files={"foo/bulk": BULK}, compression=zipfile.ZIP_STORED
    )


def offer(server: Server, path: Path, extra: Mapping[str, object] | None = None, **route: Any) -> None:
    server.page("foo", [{**server.file(path, **route), **(extra or {})}])


def file_of(client: IndexClient) -> IndexFile:
    page = client.page(FOO)
    assert page is not None
    (file,) = page.files(0)
    return file


def asked(server: Server) -> list[tuple[str, str]]:
    """Return the questions about files: (last part of the path, Range)."""
    return [
        (request.path.rpartition("/")[2], request.headers.get("Range", ""))
        for request in server.requests
        if request.path.startswith("/files/")
    ]


def code_of(client: IndexClient) -> str:
    with pytest.raises(TumplineError) as caught:
        client.metadata(file_of(client))
    assert caught.value.problems[0].hint
    return caught.value.code


def test_separate_metadata(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel, {"core-metadata": {"sha256": hashlib.sha256(METADATA).hexdigest()}})
    server.add(f"/files/{wheel.name}.metadata", Route(METADATA, gzipped=True))
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("separate",)
    assert client.metadata(file_of(client)).requires_dist == ("separate",)
    assert asked(server) == [(f"{wheel.name}.metadata", "")]


def test_separate_metadata_without_hash(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel, {"core-metadata": True})
    server.add(f"/files/{wheel.name}.metadata", Route(METADATA))
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("separate",)


def test_separate_metadata_that_is_not_asked_for_unless_advertised(
    server: Server, clients: Clients, wheel: Path
) -> None:
    offer(server, wheel)
    server.add(f"/files/{wheel.name}.metadata", Route(METADATA))
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_separate_metadata_advertised_in_vain(server: Server, clients: Clients, wheel: Path, status: int) -> None:
    offer(server, wheel, {"core-metadata": True})
    server.add(f"/files/{wheel.name}.metadata", Route(status=status))
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert [name for name, _ in asked(server)] == [f"{wheel.name}.metadata", wheel.name]


def test_a_host_that_advertises_in_vain_is_not_asked_for_ever(server: Server, clients: Clients, tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / "made", "foo", f"{number}.0") for number in range(6)]
    server.page("foo", [{**server.file(path), "core-metadata": True} for path in wheels])
    client = clients()
    page = client.page(FOO)
    assert page is not None

    for number in range(6):
        assert client.metadata(page.files(number)[0]).version == f"{number}.0"

    assert sum(name.endswith(".metadata") for name, _ in asked(server)) == 3


def test_separate_metadata_with_another_hash(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel, {"core-metadata": {"sha256": "0" * 64}})
    server.add(f"/files/{wheel.name}.metadata", Route(METADATA))

    assert code_of(clients()) == "wrong-hash"


@pytest.mark.parametrize(
    "content", [METADATA.replace(b"foo", b"bar"), METADATA.replace(b"1.0", b"1.1"), b"", b"Name: foo\nVersion: soon\n"]
)
def test_separate_metadata_of_something_else(server: Server, clients: Clients, wheel: Path, content: bytes) -> None:
    offer(server, wheel, {"core-metadata": True})
    server.add(f"/files/{wheel.name}.metadata", Route(content))

    assert code_of(clients()) == "wheel-metadata-disagrees"


@pytest.mark.parametrize("status", [500, 400])
def test_separate_metadata_that_fails(server: Server, clients: Clients, wheel: Path, status: int) -> None:
    offer(server, wheel, {"core-metadata": True})
    server.add(f"/files/{wheel.name}.metadata", Route(status=status))

    assert code_of(clients()) == "index-fails"


def test_the_tail_of_a_wheel_in_one_question(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel)
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert [name for name, span in asked(server) if span.startswith("bytes=-")] == [wheel.name]
    assert len(asked(server)) == 1


def test_metadata_at_the_beginning_of_a_wheel(server: Server, clients: Clients, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "made", "foo", "1.0", requires=["bar>=2"], files={})
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("foo/bulk", BULK * 3)
    offer(server, wheel)
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert len(asked(server)) == 2
    assert asked(server)[1][1].startswith("bytes=0-")
    assert int(asked(server)[1][1].rpartition("-")[2]) < 100_000


def test_a_directory_longer_than_the_tail(server: Server, clients: Clients, tmp_path: Path) -> None:
    files = {f"foo/{number:06}-{'x' * 200}": b"" for number in range(2000)}
    wheel = make_wheel(tmp_path / "made", "foo", "1.0", requires=["bar>=2"], files=files)
    offer(server, wheel)
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert 2 <= len(asked(server)) <= 4
    assert all(span for _, span in asked(server))


def test_a_remote_file_reads_as_the_file_does(server: Server, clients: Clients, wheel: Path) -> None:
    content = wheel.read_bytes()
    server.file(wheel)
    start = len(content) - 1000
    transport = clients()._access.transport
    remote = RemoteFile(transport, f"{server.url}/files/{wheel.name}", len(content), start, content[start:])

    for offset, length in ((start + 10, 20), (0, 10), (5, 100), (start - 5, 10), (300_000, 200_000), (start, 9999)):
        assert remote.read(offset, length) == content[offset : offset + length]


@pytest.mark.parametrize(
    ("ranges", "questions"),
    [
        # One question brings the whole file, which is kept.
        ("ignored", 1),
        # "The last so many" is refused, "from here to there" is not.
        ("no-suffix", 2),
        ("refused", 3),
        ("garbled", 3),
        ("short", 3),
        ("shifted", 3),
    ],
)
def test_servers_that_know_ranges_badly(
    server: Server, clients: Clients, wheel: Path, ranges: str, questions: int
) -> None:
    offer(server, wheel, ranges=ranges)
    client = clients()
    file = file_of(client)

    assert client.metadata(file).requires_dist == ("bar>=2",)
    assert len(asked(server)) == questions
    kept = client.cached(file.sha256, file.file)
    assert (kept is None) == (ranges == "no-suffix")


@pytest.mark.parametrize("ranges", ["suffix-only", "less-later"])
def test_servers_that_lose_their_ranges(server: Server, clients: Clients, tmp_path: Path, ranges: str) -> None:
    wheel = make_wheel(tmp_path / "made", "foo", "1.0", requires=["bar>=2"], files={})
    with zipfile.ZipFile(wheel, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("foo/bulk", BULK)
    offer(server, wheel, ranges=ranges)
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert [span.partition("=")[2][:2] for _, span in asked(server)] == ["-1", "0-", ""]


def test_a_part_that_would_be_most_of_the_file_is_not_asked_for(
    server: Server, clients: Clients, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges_module, "_MOST", 1000)
    server.file(wheel)
    remote = RemoteFile(clients()._access.transport, f"{server.url}/files/{wheel.name}", 700_000, 699_000, bytes(1000))

    with pytest.raises(NoRanges):
        remote.read(0, 600_000)
    assert server.requests == []


def test_ranges_refused_without_a_known_size(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel, {"size": None}, ranges="no-suffix")
    client = clients()

    assert client.metadata(file_of(client)).requires_dist == ("bar>=2",)
    assert [span[:8] for _, span in asked(server)] == ["bytes=-1", ""]


def test_a_host_without_ranges_is_remembered(server: Server, clients: Clients, tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / "made", "foo", f"{number}.0", files={"foo/b": BULK}) for number in range(3)]
    server.page("foo", [server.file(path, ranges="refused") for path in wheels])
    client = clients()
    page = client.page(FOO)
    assert page is not None

    for number in range(3):
        assert client.metadata(page.files(number)[0]).version == f"{number}.0"

    assert sum(bool(span) for _, span in asked(server)) == 2


def test_a_whole_wheel_with_another_hash(server: Server, clients: Clients, wheel: Path, tmp_path: Path) -> None:
    offer(server, wheel, {"hashes": {"sha256": "0" * 64}}, ranges="ignored")

    assert code_of(clients()) == "wrong-hash"
    assert not [path for path in (tmp_path / "cache" / "files").rglob("*") if path.is_file()]


def test_a_file_that_is_gone(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel)
    del server.routes[f"/files/{wheel.name}"]

    assert code_of(clients()) == "file-gone-from-index"


def test_a_tail_of_nonsense(server: Server, clients: Clients, tmp_path: Path) -> None:
    path = tmp_path / "foo-1.0-py3-none-any.whl"
    path.write_bytes(BULK)
    offer(server, path)

    assert code_of(clients()) in {"truncated-wheel", "not-a-wheel", "damaged-wheel"}


def test_a_wheel_that_names_another_project(server: Server, clients: Clients, tmp_path: Path) -> None:
    offer(server, make_wheel(tmp_path / "made", "foo", "1.0", metadata_name="bar"))

    assert code_of(clients()) == "wheel-metadata-disagrees"


def test_metadata_is_remembered_by_hash(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel)
    client = clients()
    client.metadata(file_of(client))
    before = len(server.requests)

    offline = clients(offline=True)
    assert offline.metadata(file_of(offline)).requires_dist == ("bar>=2",)
    assert len(server.requests) == before


@pytest.mark.parametrize("damage", [b"", b"garbage", b"[1, 2]"])
def test_damaged_metadata_is_fetched_again(
    server: Server, clients: Clients, wheel: Path, tmp_path: Path, damage: bytes
) -> None:
    offer(server, wheel)
    client = clients()
    client.metadata(file_of(client))
    (path,) = (path for path in (tmp_path / "cache" / "metadata").rglob("*") if path.is_file())
    if damage == b"[1, 2]":
        client._access.cache.write(str(path.relative_to(tmp_path / "cache")), damage, 1.0)
    else:
        path.write_bytes(damage)

    again = clients()
    assert again.metadata(file_of(again)).requires_dist == ("bar>=2",)
    assert len(asked(server)) == 2


def test_offline_without_metadata(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel)
    file_of(clients())

    assert code_of(clients(offline=True)) == "offline-not-cached"


def test_a_wheel_in_the_cache_is_read_there(server: Server, clients: Clients, wheel: Path) -> None:
    offer(server, wheel)
    client = clients()
    client.download(file_of(client))

    offline = clients(offline=True)
    assert offline.metadata(file_of(offline)).requires_dist == ("bar>=2",)


def test_metadata_is_fetched_ahead(server: Server, clients: Clients, tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / "made", "foo", f"{number}.0") for number in range(10)]
    server.page("foo", [server.file(path, delay=0.01) for path in wheels] + [{"filename": "foo-99.zip", "url": "x"}])
    client = clients()
    page = client.page(FOO)
    assert page is not None
    files = [page.files(position)[0] for position in range(11)]

    client.prefetch_metadata(files)

    assert [client.metadata(file).version for file in files[:10]] == [f"{number}.0" for number in range(10)]
    with pytest.raises(EnvironmentFailure):
        client.metadata(files[10])
    assert len(asked(server)) == 10


def pkg_info(version: str = "2.2", *lines: str) -> bytes:
    return "\n".join([f"Metadata-Version: {version}", "Name: foo", "Version: 1.0", *lines, "", "text"]).encode()


def make_sdist(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as zipped:
            for name, content in members.items():
                zipped.writestr(name, content)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_an_sdist_that_keeps_its_promises(server: Server, clients: Clients, tmp_path: Path, ending: str) -> None:
    content = pkg_info("2.4", "Requires-Dist: bar>=2", "Dynamic: Description", "Requires-Python: >=3.8")
    members = {"foo-1.0/setup.py": b"x", "foo-1.0/foo.egg-info/PKG-INFO": b"x", "foo-1.0/PKG-INFO": content}
    offer(server, make_sdist(tmp_path / f"foo-1.0{ending}", members))
    client = clients()
    found = client.metadata(file_of(client))

    assert (found.requires_dist, found.requires_python) == (("bar>=2",), ">=3.8")
    again = clients()
    assert again.metadata(file_of(again)) == found
    assert len(asked(server)) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pkg_info("2.1", "Requires-Dist: bar"), "2.1"),
        (pkg_info("2.2", "Dynamic: Requires-Dist"), "requires-dist"),
        (pkg_info("2.2", "Dynamic: Requires-Python", "Dynamic: provides-extra"), "provides-extra, requires-python"),
        (b"Name: foo\nVersion: 1.0\n", "(none)"),
    ],
)
def test_an_sdist_that_promises_nothing(
    server: Server, clients: Clients, tmp_path: Path, content: bytes, words: str
) -> None:
    offer(server, make_sdist(tmp_path / "foo-1.0.tar.gz", {"foo-1.0/PKG-INFO": content}))

    # The second client knows it from the cache, without the file.
    for questions in (1, 1):
        client = clients()
        with pytest.raises(InputError) as caught:
            client.metadata(file_of(client))
        assert caught.value.code == "metadata-not-static"
        assert words in caught.value.problems[0].why
        assert len(asked(server)) == questions


def test_separate_metadata_of_an_sdist_must_keep_promises_too(server: Server, clients: Clients, tmp_path: Path) -> None:
    offer(server, make_sdist(tmp_path / "foo-1.0.tar.gz", {}), {"core-metadata": True})
    server.add("/files/foo-1.0.tar.gz.metadata", Route(pkg_info("2.1")))

    for _ in range(2):
        assert code_of(clients()) == "metadata-not-static"
    assert len(asked(server)) == 1


ENCRYPTED = struct.pack("<H", 1)


def broken_sdists(folder: Path) -> dict[str, Path]:
    folder.mkdir(parents=True, exist_ok=True)

    def plain(case: str, name: str, content: bytes) -> Path:
        path = folder / case / name
        path.parent.mkdir()
        path.write_bytes(content)
        return path

    good = make_sdist(folder / "good" / "foo-1.0.tar.gz", {"foo-1.0/PKG-INFO": pkg_info() * 100}).read_bytes()
    zipped = make_sdist(folder / "good" / "foo-1.0.zip", {"foo-1.0/PKG-INFO": pkg_info()}).read_bytes()
    locked = bytearray(zipped)
    locked[6:8] = ENCRYPTED
    at = locked.index(b"PK\x01\x02")
    locked[at + 8 : at + 10] = ENCRYPTED
    link = folder / "link" / "foo-1.0.tar.gz"
    link.parent.mkdir()
    with tarfile.open(link, "w:gz") as archive:
        entry = tarfile.TarInfo("foo-1.0/PKG-INFO")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return {
        "text": plain("text", "foo-1.0.tar.gz", b"not an archive"),
        "cut": plain("cut", "foo-1.0.tar.gz", good[: len(good) // 2]),
        "gzip": plain("gzip", "foo-1.0.tar.gz", gzip.compress(b"not a tar")),
        "zip": plain("zip", "foo-1.0.zip", zipped[:-10]),
        "locked": plain("locked", "foo-1.0.zip", bytes(locked)),
        "empty": make_sdist(folder / "empty" / "foo-1.0.tar.gz", {"PKG-INFO": b"", "a/b/PKG-INFO": b""}),
        "empty-zip": make_sdist(folder / "empty-zip" / "foo-1.0.zip", {"../PKG-INFO": b""}),
        "bomb": make_sdist(
            folder / "bomb" / "foo-1.0.tar.gz", {"foo-1.0/zeros": bytes(200_000), "foo-1.0/PKG-INFO": pkg_info()}
        ),
        "large": make_sdist(folder / "large" / "foo-1.0.zip", {"foo-1.0/PKG-INFO": pkg_info() + bytes(60_000)}),
        "link": link,
    }


@pytest.mark.parametrize(
    "case", ["text", "cut", "gzip", "zip", "locked", "empty", "empty-zip", "bomb", "large", "link"]
)
def test_broken_and_hostile_sdists(
    server: Server, clients: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setattr(sdists_module, "_MOST_UNPACKED", 100_000)
    monkeypatch.setattr(sdists_module, "_LARGEST_FILE", 50_000)
    offer(server, broken_sdists(tmp_path / "made")[case])

    assert code_of(clients()) == "metadata-unreadable"


def test_an_sdist_of_something_else(server: Server, clients: Clients, tmp_path: Path) -> None:
    members = {"foo-1.0/PKG-INFO": pkg_info().replace(b"1.0", b"2.0")}
    offer(server, make_sdist(tmp_path / "foo-1.0.tar.gz", members))

    assert code_of(clients()) == "wheel-metadata-disagrees"


def test_asking_for_metadata_of_a_warm_cache_starts_nothing(
    server: Server, clients: Clients, wheel: Path, tmp_path: Path
) -> None:
    offer(server, wheel)
    client = clients()
    client.metadata(file_of(client))
    script = (
        "import sys, threading\nfrom pathlib import Path\n"
        "from tumpline.index.client import IndexClient\n"
        "from tumpline.index.settings import IndexLocation, IndexSettings\nfrom tumpline.values import normalise\n"
        "settings = IndexSettings(locations=(IndexLocation('pypi', sys.argv[1]),))\n"
        "with IndexClient(settings, Path(sys.argv[2])) as client:\n"
        "    (file,) = client.page(normalise('foo')).files(0)\n"
        "    client.prefetch_metadata([file])\n"
        "    assert client.metadata(file).requires_dist == ('bar>=2',)\n"
        "    assert threading.active_count() == 1\n"
        "assert 'urllib3' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", script, server.index, str(tmp_path / "cache")], check=True, timeout=60)
