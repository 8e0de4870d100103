"""Getting an answer at all: connections, proxies, certificates, redirects."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.index.server import Route, Server
from tumpline.errors import EnvironmentFailure, InputError, TumplineError
from tumpline.index.settings import IndexSettings
from tumpline.index.transport import Answer, Transport, is_loopback


def get(settings: IndexSettings, url: str) -> bytes:
    transport = Transport(settings, backoff=0.01)
    try:
        return transport.exchange(url, read)
    finally:
        transport.close()


def read(answer: Answer) -> bytes:
    assert answer.status == 200
    return answer.body(1 << 20)


def problem_of(settings: IndexSettings, url: str) -> tuple[str, str]:
    with pytest.raises(TumplineError) as caught:
        get(settings, url)
    (problem,) = caught.value.problems
    assert problem.hint
    return problem.code, f"{problem.message}; {problem.why}; {problem.where}"


def test_nobody_is_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        code, words = problem_of(IndexSettings(retries=1), f"http://me:cret@127.0.0.1:{port}/x?token=cret")

    assert code == "index-unreachable"
    assert "127.0.0.1" in words
    assert "refused" in words
    assert "cret" not in words


def test_a_slow_server(server: Server) -> None:
    server.add("/slow", Route(b"late", delay=1.0))

    code, words = problem_of(IndexSettings(timeout=0.05, retries=1), f"{server.url}/slow")

    assert code == "index-timeout"
    assert "0.05 s" in words
    assert len(server.requests) == 2


def test_the_wait_that_a_server_asks_for_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumpline.index.transport._LONGEST_WAIT", 0.01)
    server.add("/busy", Route(b"no", status=429, headers={"Retry-After": "100000"}))

    assert problem_of(IndexSettings(retries=2), f"{server.url}/busy")[0] == "index-fails"
    assert len(server.requests) == 3


def test_a_closed_transport_does_not_try_again(server: Server) -> None:
    server.add("/busy", Route(fail_first=99))
    transport = Transport(IndexSettings(retries=5))
    transport.close()

    with pytest.raises(EnvironmentFailure):
        transport.exchange(f"{server.url}/busy", read)

    transport.close()
    assert len(server.requests) == 1


def test_redirects(server: Server) -> None:
    server.add("/a/here", Route(redirect="../b/there?x=1"))
    server.add("/b/there", Route(b"found"))
    server.add("/loop", Route(redirect="/loop"))

    assert get(IndexSettings(), f"{server.url}/a/here") == b"found"
    code, words = problem_of(IndexSettings(retries=0), f"{server.url}/loop")
    assert code == "index-fails"
    assert "redirects" in words


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://index.example/simple/", "insecure-index"),
        ("ftp://index.example/simple/", "index-address-unusable"),
        ("https:///simple/", "index-address-unusable"),
    ],
)
def test_addresses_that_are_not_fetched(url: str, code: str) -> None:
    assert problem_of(IndexSettings(retries=0), url)[0] == code


def test_a_redirect_to_another_machine_over_plain_http(server: Server) -> None:
    server.add("/away", Route(redirect="http://index.example/x"))

    assert problem_of(IndexSettings(retries=0), f"{server.url}/away")[0] == "insecure-index"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "x.localhost"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.example", ""])
def test_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A proxy that answers by itself, and what it was asked."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Be silent."""

        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Proxy-Authorization")))
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"proxy")

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"127.0.0.1:{httpd.server_port}", asked
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_pips_proxy_with_credentials(proxy: tuple[str, list[tuple[str, str | None]]]) -> None:
    address, asked = proxy
    settings = IndexSettings(proxy=f"http://me:cret@{address}", trusted_hosts=("index.example",), no_proxy=("*",))

    assert get(settings, "http://index.example/x") == b"proxy"
    assert asked == [("http://index.example/x", "Basic bWU6Y3JldA==")]


@pytest.mark.parametrize(
    ("no_proxy", "through"),
    [
        ((), True),
        (("other.example", "10.0.0.0/8", "nonsense/8"), True),
        (("127.0.0.1",), False),
        (("127.0.0.0/8",), False),
        (("*",), False),
    ],
)
def test_the_environments_proxy_and_its_exceptions(
    server: Server, proxy: tuple[str, list[tuple[str, str | None]]], no_proxy: tuple[str, ...], through: bool
) -> None:
    server.add("/x", Route(b"direct"))
    settings = IndexSettings(proxies=(("http", proxy[0]),), no_proxy=no_proxy)

    assert get(settings, f"{server.url}/x") == (b"proxy" if through else b"direct")


@pytest.mark.parametrize("rule", ["example.org", ".example.org", "*.example.org", "host.example.org:80"])
def test_names_without_proxy(rule: str) -> None:
    # The proxy is not there: an attempt to use it would be another failure than that of the name.
    settings = IndexSettings(
        proxies=(("http", "127.0.0.1:1"),),
        no_proxy=(rule,),
        trusted_hosts=("host.example.org",),
        retries=0,
        timeout=2.0,
    )
    transport = Transport(settings)

    assert transport._proxy_for("http://host.example.org:80/x") == ""
    assert transport._proxy_for("http://badexample.org/x") == "127.0.0.1:1"


def test_a_proxy_that_is_none() -> None:
    settings = IndexSettings(proxy="socks5://me:cret@127.0.0.1:1", retries=0)

    code, words = problem_of(settings, "https://index.example/x")

    assert code == "proxy-unusable"
    assert "cret" not in words


def test_a_proxy_that_is_not_there() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        settings = IndexSettings(proxy=f"127.0.0.1:{held.getsockname()[1]}", retries=0)

        code, words = problem_of(settings, "https://index.example/x")

    assert code == "index-unreachable"
    assert "through a proxy" in words


@pytest.mark.parametrize("field", ["certificates", "client_certificate"])
def test_certificates_that_cannot_be_read(tmp_path: Path, field: str) -> None:
    absent = tmp_path / "absent.pem"
    none = IndexSettings(retries=0)
    settings = (
        replace(none, certificates=absent) if field == "certificates" else replace(none, client_certificate=absent)
    )

    with pytest.raises(InputError) as caught:
        get(settings, "https://index.example/x")

    assert caught.value.code == "certificates-unreadable"
    assert caught.value.problems[0].where == str(tmp_path / "absent.pem")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for ``localhost`` that nobody signed, with its key in the same file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not here to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def tls_server(server: Server, certificate: Path) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server._httpd.socket = context.wrap_socket(server._httpd.socket, server_side=True)
    server.add("/x", Route(b"over tls"))
    server.add("/down", Route(redirect=f"{server.url}/x"))
    return server.url.replace("http://127.0.0.1", "https://localhost")


def test_a_certificate_that_nobody_vouches_for(tls_server: str) -> None:
    code, words = problem_of(IndexSettings(retries=3), f"{tls_server}/x")

    assert code == "certificate-not-trusted"
    assert "self" in words


def test_a_certificate_named_by_the_user(tls_server: str, certificate: Path) -> None:
    assert get(IndexSettings(certificates=certificate), f"{tls_server}/x") == b"over tls"
    assert (
        get(IndexSettings(certificates=certificate, client_certificate=certificate), f"{tls_server}/x") == b"over tls"
    )
    assert problem_of(IndexSettings(certificates=certificate.parent), f"{tls_server}/x")[0] == "certificate-not-trusted"


def test_a_trusted_host_may_show_any_certificate(tls_server: str) -> None:
    port = tls_server.rpartition(":")[2]

    assert get(IndexSettings(trusted_hosts=(f"localhost:{port}",)), f"{tls_server}/x") == b"over tls"
    assert problem_of(IndexSettings(trusted_hosts=("localhost:1",)), f"{tls_server}/x")[0] == "certificate-not-trusted"


def test_a_redirect_from_https_to_http_is_not_followed(tls_server: str, certificate: Path) -> None:
    assert problem_of(IndexSettings(certificates=certificate), f"{tls_server}/down")[0] == "insecure-index"
