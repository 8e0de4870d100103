"""Pages of indexes over HTTP: negotiation, freshness, failures."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.index.conftest import Clients
from tests.index.server import Route, Server
from tumpline.errors import EnvironmentFailure, TumplineError
from tumpline.index import ProjectPage
from tumpline.index import local as local_module
from tumpline.index.client import IndexClient
from tumpline.index.settings import Credentials, IndexLocation, IndexSettings, origin_of
from tumpline.values import normalise

FOO, BAR = normalise("foo"), normalise("bar")
FILE = {"filename": "foo-1.0-py3-none-any.whl", "url": "../../files/foo-1.0-py3-none-any.whl", "hashes": {}}
NEWER = {"filename": "foo-2.0-py3-none-any.whl", "url": "../../files/foo-2.0-py3-none-any.whl", "hashes": {}}
HTML = b'<a href="../../files/foo-1.0-py3-none-any.whl">foo</a>'


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def versions(page: ProjectPage | None) -> list[str]:
    assert page is not None
    return [release.version for release in page.releases]


def code_of(client: IndexClient) -> str:
    with pytest.raises(TumplineError) as caught:
        client.page(FOO)
    assert caught.value.problems[0].hint
    return caught.value.code


def test_json_is_preferred_and_html_understood(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    server.add("/simple/bar/", Route(HTML.replace(b"foo", b"bar"), "text/html"))
    client = clients()

    assert versions(client.page(FOO)) == ["1.0"]
    page = client.page(BAR)
    assert page is not None
    assert page.files(0)[0].url == f"{server.url}/files/bar-1.0-py3-none-any.whl"
    accept = server.requests[0].headers["Accept"]
    assert accept.startswith("application/vnd.pypi.simple.v1+json")
    assert "text/html" in accept
    assert server.requests[0].headers["User-Agent"].startswith("tumpline/")


def test_a_compressed_page(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE], gzipped=True)

    assert versions(clients().page(FOO)) == ["1.0"]


@pytest.mark.parametrize("body", [b"<html><form>please log in</form></html>", b"\x00\x01"])
@pytest.mark.parametrize("content_type", ["text/html", "application/vnd.pypi.simple.v1+json", "text/plain"])
def test_something_else_than_a_page(server: Server, clients: Clients, content_type: str, body: bytes) -> None:
    server.add("/simple/foo/", Route(body, content_type))
    client = clients()

    if content_type == "text/html" and body == b"\x00\x01":
        assert versions(client.page(FOO)) == []
    else:
        assert code_of(client) == "index-answer-unreadable"


def test_a_fresh_page_is_not_asked_for_again(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    clock = Clock()
    clients(clock=clock).page(FOO)
    clients(clock=clock).page(BAR)

    clock.now += 599
    assert versions(clients(clock=clock).page(FOO)) == ["1.0"]
    assert clients(clock=clock).page(BAR) is None
    assert server.paths() == ["/simple/foo/", "/simple/bar/"]

    clock.now += 2
    clients(clock=clock).page(FOO)
    assert server.paths()[2:] == ["/simple/foo/"]

    clock.now -= 5000
    clients(clock=clock).page(FOO)
    assert server.paths()[3:] == ["/simple/foo/"]


@pytest.mark.parametrize(
    ("control", "after", "asked"),
    [
        ("max-age=60", 59, 1),
        ("max-age=60", 61, 2),
        ("public, max-age=1000", 999, 1),
        ("max-age=999999999", 86401, 2),
        ("no-cache", 1, 2),
        ("no-store, max-age=100", 1, 2),
    ],
)
def test_the_index_says_how_long_a_page_is_fresh(
    server: Server, clients: Clients, control: str, after: int, asked: int
) -> None:
    server.page("foo", [FILE], headers={"Cache-Control": control})
    clock = Clock()
    clients(clock=clock).page(FOO)
    clock.now += after
    clients(clock=clock).page(FOO)

    assert len(server.requests) == asked


@pytest.mark.parametrize(("field", "value"), [("etag", '"one"'), ("modified", "Wed, 01 Jan 2025 00:00:00 GMT")])
def test_a_stale_page_is_confirmed_without_being_sent(server: Server, clients: Clients, field: str, value: str) -> None:
    route = server.page("foo", [FILE], **{field: value})
    clock = Clock()
    clients(clock=clock).page(FOO)
    clock.now += 1000
    assert versions(clients(clock=clock).page(FOO)) == ["1.0"]
    sent = server.requests[1].headers
    assert value in (sent.get("If-None-Match"), sent.get("If-Modified-Since"))

    # The confirmation made it fresh again.
    clock.now += 599
    clients(clock=clock).page(FOO)
    assert len(server.requests) == 2

    setattr(route, field, "another")
    server.page("foo", [FILE, NEWER])
    clock.now += 2
    assert versions(clients(clock=clock).page(FOO)) == ["1.0", "2.0"]


def test_refresh_asks_even_about_what_is_fresh(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    clients().page(FOO)
    server.page("foo", [FILE, NEWER])

    assert versions(clients().page(FOO)) == ["1.0"]
    client = clients(refresh=True)
    assert versions(client.page(FOO)) == ["1.0", "2.0"]
    client.page(FOO)
    assert len(server.requests) == 2


@pytest.mark.parametrize("damage", [b"", b"tumpline-cache-1 garbage", None])
def test_a_damaged_cache_is_mended(server: Server, clients: Clients, tmp_path: Path, damage: bytes | None) -> None:
    server.page("foo", [FILE], etag='"one"')
    clients().page(FOO)
    (path,) = (tmp_path / "cache" / "pages").rglob("foo")
    whole = path.read_bytes()
    path.write_bytes(damage if damage is not None else whole.replace(b"py3-none-any.whl", b"py9-none-any.whl"))

    page = clients().page(FOO)

    assert page is not None
    assert page.files(0)[0].file == "foo-1.0-py3-none-any.whl"
    assert len(server.requests) == 2
    assert path.read_bytes() == whole


def test_damaged_files_are_mended_when_asked_for_unless_offline(
    server: Server, clients: Clients, tmp_path: Path
) -> None:
    server.page("foo", [FILE], etag='"one"')
    clients().page(FOO)
    (path,) = (tmp_path / "cache" / "pages").rglob("foo")
    head, files, rest = path.read_bytes().rpartition(b"[[")
    path.write_bytes(head + files + rest.replace(b"1.0", b"9.0"))

    page = clients(offline=True).page(FOO)
    assert page is not None
    with pytest.raises(EnvironmentFailure) as caught:
        page.files(0)
    assert caught.value.code == "offline-not-cached"

    page = clients().page(FOO)
    assert page is not None
    assert page.files(0)[0].file == "foo-1.0-py3-none-any.whl"
    assert "If-None-Match" not in server.requests[-1].headers


def test_offline_answers_from_the_cache_whatever_its_age(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    clock = Clock()
    clients(clock=clock).page(FOO)
    clients(clock=clock).page(BAR)
    clock.now += 10**8
    client = clients(offline=True, refresh=True, clock=clock)

    assert versions(client.page(FOO)) == ["1.0"]
    assert client.page(BAR) is None
    client.prefetch([normalise("never-seen")])
    with pytest.raises(EnvironmentFailure) as caught:
        client.page(normalise("never-seen"))
    assert caught.value.code == "offline-not-cached"
    assert "never-seen" in str(caught.value)
    assert len(server.requests) == 2


def test_a_passing_failure_is_tried_again(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE], fail_first=2)
    assert versions(clients().page(FOO)) == ["1.0"]
    assert len(server.requests) == 3

    server.page("bar", [], cut_first=1)
    assert versions(clients().page(BAR)) == []


def test_a_failure_that_does_not_pass(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE], fail_first=99)

    assert code_of(clients()) == "index-fails"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "code"), [(401, "index-refuses"), (403, "index-refuses"), (407, "index-refuses"), (400, "index-fails")]
)
def test_a_status_that_is_no_answer(server: Server, clients: Clients, status: int, code: str) -> None:
    server.page("foo", [FILE], status=status)

    assert code_of(clients()) == code
    assert len(server.requests) == 1


def test_an_extra_index_that_forbids_a_name_does_not_know_it(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    server.add("/extra/foo/", Route(status=403))
    locations = (IndexLocation("pypi", server.index), IndexLocation("extra-1", f"{server.url}/extra"))

    assert versions(clients(locations=locations).page(FOO)) == ["1.0"]


def test_an_extra_index_that_fails_is_not_passed_over(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    server.add("/extra/foo/", Route(status=500))
    locations = (IndexLocation("pypi", server.index), IndexLocation("extra-1", f"{server.url}/extra"))

    assert code_of(clients(locations=locations, retries=0)) == "index-fails"


def test_several_indexes_are_merged(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE])
    server.add("/extra/foo/", Route(b'<a href="foo-3.0.tar.gz">x</a>', "text/html"))
    server.add(
        "/links.html", Route(b'<a href="foo-0.5.zip">x</a><a href="bar-1.zip">x</a><a href="?">x</a>', "text/html")
    )
    locations = (
        IndexLocation("find-links-1", f"{server.url}/links.html", "links"),
        IndexLocation("pypi", server.index),
        IndexLocation("extra-1", f"{server.url}/extra"),
    )
    client = clients(locations=locations)

    assert versions(client.page(FOO)) == ["0.5", "1.0", "3.0"]
    assert versions(client.page(BAR)) == ["1"]
    # The page of links is fetched once for all projects, and by nobody while it is fresh.
    assert server.paths().count("/links.html") == 1
    assert versions(clients(locations=locations).page(BAR)) == ["1"]
    assert server.paths().count("/links.html") == 1


def test_a_page_of_links_is_fetched_once_for_many_projects(server: Server, clients: Clients) -> None:
    server.add("/links.html", Route(b'<a href="foo-0.5.zip">x</a>', "text/html", delay=0.1))
    client = clients(locations=(IndexLocation("find-links-1", f"{server.url}/links.html", "links"),))
    names = [normalise(f"project-{number}") for number in range(8)]

    client.prefetch([FOO, *names])

    assert versions(client.page(FOO)) == ["0.5"]
    assert [client.page(name) for name in names] == [None] * 8
    assert len(server.requests) == 1


def test_a_page_of_links_is_confirmed_and_needed_offline(server: Server, clients: Clients) -> None:
    server.add("/links.html", Route(b'<a href="foo-0.5.zip">x</a>', "text/html", etag='"one"'))
    locations = (IndexLocation("find-links-1", f"{server.url}/links.html", "links"),)
    with pytest.raises(EnvironmentFailure) as caught:
        clients(locations=locations, offline=True).page(FOO)
    assert caught.value.code == "offline-not-cached"
    clock = Clock()
    clients(locations=locations, clock=clock).page(FOO)
    clock.now += 1000

    assert versions(clients(locations=locations, clock=clock).page(FOO)) == ["0.5"]
    assert server.requests[-1].headers["If-None-Match"] == '"one"'
    assert versions(clients(locations=locations, clock=clock, offline=True).page(FOO)) == ["0.5"]
    assert clients(locations=locations, clock=clock).page(BAR) is None
    assert len(server.requests) == 2


def test_a_missing_page_of_links_is_an_error(server: Server, clients: Clients) -> None:
    locations = (IndexLocation("find-links-1", f"{server.url}/links.html", "links"),)

    assert code_of(clients(locations=locations)) == "index-fails"


def test_a_page_without_end_is_given_up(server: Server, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_module, "LARGEST_PAGE", 100_000)
    # Small on the way, large when unpacked.
    server.page("foo", [FILE] * 5000, gzipped=True)

    assert code_of(clients()) == "answer-too-large"


def test_pages_are_fetched_ahead(server: Server, clients: Clients) -> None:
    names = [normalise(f"project-{number}") for number in range(20)]
    for name in names:
        server.page(name, [], delay=0.02)
    client = clients()

    client.prefetch(names)
    client.prefetch(names)

    assert all(client.page(name) is not None for name in names)
    assert sorted(server.paths()) == sorted(f"/simple/{name}/" for name in names)


def test_fetching_ahead_never_raises(server: Server, clients: Clients) -> None:
    server.page("foo", [FILE], status=400)
    client = clients()

    client.prefetch([FOO, FOO])

    assert code_of(client) == "index-fails"
    server.page("foo", [FILE])
    assert versions(client.page(FOO)) == ["1.0"]


def test_credentials_of_the_address_are_sent_to_that_host_alone(
    server: Server, clients: Clients, settings: IndexSettings
) -> None:
    server.page("foo", [FILE], auth=("me", "s:cret"))
    other = Server()
    try:
        other.page("bar", [])
        server.add("/simple/bar/", Route(redirect=f"{other.index}bar/"))
        client = clients(credentials=(Credentials(origin_of(server.url), "me", "s:cret"),))

        assert versions(client.page(FOO)) == ["1.0"]
        assert versions(client.page(BAR)) == []
        assert "Authorization" in server.requests[-1].headers
        assert "Authorization" not in other.requests[-1].headers
    finally:
        other.close()


def test_credentials_from_a_netrc_file(server: Server, clients: Clients, tmp_path: Path) -> None:
    server.page("foo", [FILE], auth=("me", "cret"))
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password cret\n")
    netrc.chmod(0o600)
    assert versions(clients(netrc=netrc).page(FOO)) == ["1.0"]

    netrc.write_text("machine elsewhere.example login me password cret\n")
    assert code_of(clients(netrc=netrc, refresh=True)) == "index-refuses"
    netrc.write_text("nonsense cret\n")
    assert code_of(clients(netrc=netrc, refresh=True)) == "index-refuses"


def test_nothing_secret_is_in_the_cache_or_in_a_message(server: Server, clients: Clients, tmp_path: Path) -> None:
    server.page("foo", [FILE], auth=("me", "secret-word"))
    client = clients(credentials=(Credentials(origin_of(server.url), "me", "secret-word"),))
    client.page(FOO)
    for path in (tmp_path / "cache").rglob("*"):
        assert path.is_dir() or b"secret-word" not in path.read_bytes()

    wrong = clients(credentials=(Credentials(origin_of(server.url), "me", "secret-w0rd"),), refresh=True)
    with pytest.raises(EnvironmentFailure) as caught:
        wrong.page(FOO)
    assert "secret-w0rd" not in str(caught.value.problems)


WARM = """
import sys, threading
from pathlib import Path
from tumpline.index.client import IndexClient
from tumpline.index.settings import IndexLocation, IndexSettings
from tumpline.values import normalise
with IndexClient(IndexSettings(locations=(IndexLocation("pypi", sys.argv[1]),)), Path(sys.argv[2])) as client:
    client.prefetch([normalise("foo")])
    assert client.page(normalise("foo")).releases[0].version == "1.0"
    assert threading.active_count() == 1
loud = {"urllib3", "ssl", "concurrent.futures", "html.parser", "distlib", "netrc", "tarfile"} & set(sys.modules)
assert not loud, loud
"""


def test_a_warm_cache_needs_no_thread_and_no_http_library(server: Server, clients: Clients, tmp_path: Path) -> None:
    server.page("foo", [FILE])
    clients().page(FOO)

    subprocess.run([sys.executable, "-c", WARM, server.index, str(tmp_path / "cache")], check=True, timeout=60)


COLD = """
import sys
from pathlib import Path
from tumpline.index.client import IndexClient
from tumpline.index.settings import IndexLocation, IndexSettings
from tumpline.values import normalise
settings = IndexSettings(locations=(IndexLocation("pypi", sys.argv[1]),))
with IndexClient(settings, Path(sys.argv[2])) as client:
    names = [normalise(f"project-{number}") for number in range(10)]
    client.prefetch(names)
    for name in names:
        (file,) = client.page(name).files(0)
        print(client.download(file).read_bytes() == name.encode() * 50_000)
"""


def test_several_processes_share_one_cache(server: Server, tmp_path: Path) -> None:
    for number in range(10):
        path = tmp_path / f"project_{number}-1.0-py3-none-any.whl"
        path.write_bytes(f"project-{number}".encode() * 50_000)
        server.page(f"project-{number}", [server.file(path)])
    cache = tmp_path / "cache"

    running = [
        subprocess.Popen([sys.executable, "-c", COLD, server.index, str(cache)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    for process in running:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert said.split() == ["True"] * 10
    assert len(list((cache / "pages").rglob("project-*"))) == 10
    assert len([path for path in (cache / "files").rglob("*") if path.is_file()]) == 10
    assert not list(cache.rglob(".*"))


def test_closing_with_work_under_way(server: Server, settings: IndexSettings, tmp_path: Path) -> None:
    for number in range(20):
        server.page(f"project-{number}", [], delay=0.05)
    client = IndexClient(replace(settings, retries=0), tmp_path / "cache", workers=2)
    client.prefetch(normalise(f"project-{number}") for number in range(20))

    client.close()

    assert len(server.requests) < 20
