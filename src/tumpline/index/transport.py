"""Asking over HTTP: connections, certificates, proxies, credentials, redirects and another try after a passing failure.

The only module that needs urllib3, and imported only once something has to be fetched.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3

from tumpline import __version__
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.credentials import CredentialStore
from tumpline.index.settings import IndexSettings, origin_of, shown, split_credentials

__all__ = ["Answer", "Transport", "TryAgain", "is_loopback", "unexpected"]

T = TypeVar("T")

_PASSING = frozenset({429, 500, 502, 503, 504, 520, 524})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
_LONGEST_WAIT = 10.0
_CHUNK = 1 << 16
_FALLBACK_BUNDLE = Path("/etc/ssl/cert.pem")
"""Where macOS keeps its certificates; a Python from its own installer there finds none by itself."""


class TryAgain(Exception):
    """Raised by the receiver of an answer to have the same asked again, as after a passing failure."""


class Answer:
    """An answer whose body has not been read: `url` is where redirects ended; header names are in any case."""

    def __init__(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    def chunks(self, *, decode: bool) -> Iterator[bytes]:
        """Yield the body in pieces; `decode` undoes gzip and the like."""
        return self._response.stream(_CHUNK, decode_content=decode)

    def release(self) -> None:
        """Give the connection up; one whose body was not read to its end is closed, not used again."""
        self._response.close()
        self._response.release_conn()

    def body(self, limit: int, *, decode: bool = True) -> bytes:
        """Return the body; raises EnvironmentFailure ``answer-too-large`` beyond `limit` bytes."""
        content = bytearray()
        for chunk in self.chunks(decode=decode):
            content += chunk
            if len(content) > limit:
                raise EnvironmentFailure.of(
                    "answer-too-large",
                    f"the answer is larger than {limit >> 20} MB",
                    where=shown(self.url),
                    hint="check that the address is that of a package index",
                )
        return bytes(content)


class Transport:
    """A pool of connections that may be used by several threads at once.

    `backoff` is the wait in seconds before the second further try; it doubles each time.
    """

    def __init__(self, settings: IndexSettings, *, backoff: float = 0.25, connections: int = 8) -> None:
        self._settings = settings
        self._backoff = backoff
        self._connections = connections
        self._credentials = CredentialStore(settings)
        self._managers: dict[tuple[str, bool], urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def close(self) -> None:
        """Drop all connections; tries under way are given up instead of repeated."""
        self._closed.set()
        with self._lock:
            for manager in self._managers.values():
                manager.clear()
            self._managers.clear()

    def exchange(
        self,
        url: str,
        receive: Callable[[Answer], T],
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> T:
        """GET an address and hand the answer to `receive`, which reads as much of the body as it wants.

        After a passing failure - no connection, a broken body, 429, 500, 502, 503, 504 - the whole is tried again, so
        `receive` and `headers` may be called more than once. Any other status is for `receive` to judge. Raises
        EnvironmentFailure ``index-unreachable``, ``index-timeout``, ``index-fails`` or ``certificate-not-trusted``,
        and InputError ``insecure-index`` for plain http to another machine that is not a trusted host.
        """
        attempt = 0
        while True:
            wait = self._backoff * 2 ** (attempt - 1) if attempt else 0.0
            try:
                answer = self._open(url, headers())
                try:
                    if answer.status not in _PASSING:
                        return receive(answer)
                    failure = _failing(answer)
                    wait = max(wait, _retry_after(answer))
                except TryAgain:
                    failure = _failing(answer)
                finally:
                    answer.release()
            except urllib3.exceptions.LocationValueError as error:
                raise _malformed(url) from error
            except urllib3.exceptions.HTTPError as error:
                failure = self._unreachable(url, error)
                failure.__cause__ = error
                if failure.code == "certificate-not-trusted":
                    raise failure from error
            if attempt >= self._settings.retries or self._closed.wait(min(wait, _LONGEST_WAIT)):
                raise failure
            attempt += 1

    def _open(self, url: str, headers: Mapping[str, str]) -> Answer:
        first = origin_of(url)
        for _ in range(_MOST_REDIRECTS):
            self._check_secure(url)
            sent = {"User-Agent": f"tumpline/{__version__}", **headers}
            if found := self._credentials.find(url):
                sent["Authorization"] = found.header()
            response = self._manager(url).request(
                "GET",
                url,
                headers=sent,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self._settings.timeout, read=self._settings.timeout),
            )
            target = response.headers.get("Location")
            if response.status not in _REDIRECTS or target is None:
                return Answer(url, response)
            response.drain_conn()
            response.release_conn()
            url, _unused = split_credentials(urljoin(url, target))
            if first.startswith("https:") and not url.startswith("https:"):
                raise _insecure(url)
        raise EnvironmentFailure.of(
            "index-fails",
            f"the index redirects more than {_MOST_REDIRECTS} times",
            where=shown(url),
            hint="check the address of the index",
        )

    def _check_secure(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise _malformed(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self._trusted(url):
            raise _insecure(url)

    def _trusted(self, url: str) -> bool:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        port = origin_of(url).rpartition(":")[2]
        return not {host, f"{host}:{port}"}.isdisjoint(self._settings.trusted_hosts)

    def _manager(self, url: str) -> urllib3.PoolManager:
        proxy, trusted = self._proxy_for(url), self._trusted(url)
        with self._lock:
            if (manager := self._managers.get((proxy, trusted))) is None:
                manager = self._managers[proxy, trusted] = self._new_manager(proxy, trusted)
            return manager

    def _new_manager(self, proxy: str, trusted: bool) -> urllib3.PoolManager:
        context = self._tls(trusted)
        if not proxy:
            return urllib3.PoolManager(maxsize=self._connections, ssl_context=context)
        address, found = split_credentials(proxy if "://" in proxy else f"http://{proxy}")
        if urlsplit(address).scheme not in ("http", "https"):
            raise InputError.of(
                "proxy-unusable",
                f"the proxy {shown(address)} is neither http nor https",
                hint="correct the proxy setting of pip or the variables http_proxy and https_proxy",
            )
        headers = {"Proxy-Authorization": found.header()} if found else None
        return urllib3.ProxyManager(
            address, maxsize=self._connections, ssl_context=context, proxy_headers=headers, proxy_ssl_context=context
        )

    def _tls(self, trusted: bool) -> ssl.SSLContext:
        chosen = self._settings.certificates
        try:
            if chosen is None:
                context = ssl.create_default_context()
                if not context.cert_store_stats()["x509_ca"] and _FALLBACK_BUNDLE.is_file():
                    context.load_verify_locations(cafile=_FALLBACK_BUNDLE)
            elif chosen.is_dir():
                context = ssl.create_default_context(capath=chosen)
            else:
                context = ssl.create_default_context(cafile=chosen)
            if self._settings.client_certificate:
                context.load_cert_chain(self._settings.client_certificate)
        except OSError as error:
            raise InputError.of(
                "certificates-unreadable",
                "the certificates cannot be read",
                where=str(self._settings.client_certificate or chosen),
                why=error.strerror or str(error),
                hint="correct cert and client-cert in pip's configuration, or PIP_CERT and SSL_CERT_FILE",
            ) from error
        if trusted:
            # pip's trusted-host says: whatever certificate this host shows.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return context

    def _proxy_for(self, url: str) -> str:
        if self._settings.proxy:
            return self._settings.proxy
        parts = urlsplit(url)
        proxy = dict(self._settings.proxies).get(parts.scheme, "")
        return "" if not proxy or _bypasses(parts.hostname or "", parts.port, self._settings.no_proxy) else proxy

    def _unreachable(self, url: str, error: urllib3.exceptions.HTTPError) -> EnvironmentFailure:
        where, host = shown(url), urlsplit(url).hostname or ""
        through = " through a proxy" if self._proxy_for(url) else ""
        # urllib3 counts a connection that was refused among the time-outs.
        refused = isinstance(error, urllib3.exceptions.NewConnectionError)
        if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
            return EnvironmentFailure.of(
                "index-timeout",
                f"{host} gave no answer in {self._settings.timeout:g} s{through}",
                where=where,
                hint="try again, raise PIP_TIMEOUT, or use --offline where everything needed is in the cache",
            )
        cause = _innermost(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return EnvironmentFailure.of(
                "certificate-not-trusted",
                f"the certificate of {host} is not trusted",
                where=where,
                why=cause.verify_message,
                hint="name the file of certificates your network uses in PIP_CERT or SSL_CERT_FILE",
            )
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(error).__name__
        return EnvironmentFailure.of(
            "index-unreachable",
            f"cannot get an answer from {host}{through}",
            where=where,
            why=why,
            hint="check the network and the proxy, or use --offline where everything needed is in the cache",
        )


def unexpected(answer: Answer) -> NoReturn:
    """Raise the error for a status that means neither success nor absence: ``index-refuses`` or ``index-fails``."""
    if answer.status in (401, 403, 407):
        raise EnvironmentFailure.of(
            "index-refuses",
            f"the index refuses access (status {answer.status})",
            where=shown(answer.url),
            hint="give a user and a password in the address of the index, in pip's configuration or in a netrc file",
        )
    raise _failing(answer)


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself, where plain http harms nobody."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _failing(answer: Answer) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "index-fails",
        f"the index answers with status {answer.status}",
        where=shown(answer.url),
        hint="try again later, or use --offline where everything needed is in the cache",
    )


def _insecure(url: str) -> InputError:
    host = urlsplit(url).hostname
    return InputError.of(
        "insecure-index",
        f"{host} is reached over plain http, where anybody on the way can change a package",
        where=shown(url),
        hint=f"use https, or list {host} in pip's trusted-host",
    )


def _malformed(url: str) -> InputError:
    return InputError.of(
        "index-address-unusable",
        f"{shown(url)} is not an address that can be fetched",
        hint="see `pip config debug` for where index-url, extra-index-url and find-links are set",
    )


def _retry_after(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _innermost(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error


def _bypasses(host: str, port: int | None, rules: tuple[str, ...]) -> bool:
    """Say whether ``no_proxy`` names the host: itself, a domain above it, ``host:port``, a network, or ``*``."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    for rule in rules:
        bare = rule.removeprefix("*").removeprefix(".")
        if rule == "*" or bare in (host, f"{host}:{port}") or host.endswith(f".{bare}"):
            return True
        if address is not None and "/" in rule:
            try:
                network = ipaddress.ip_network(rule, strict=False)
            except ValueError:
                continue
            if address.version == network.version and address in network:
                return True
    return False
