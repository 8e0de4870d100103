"""A real web server on loopback that behaves as well, or as badly, as a test wants."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

__all__ = ["JSON_TYPE", "Request", "Route", "Server"]

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


@dataclass
class Route:
    """What is answered at one path. `ranges`: honoured, ignored, refused with 416, known only in one form, wrong."""

    body: bytes = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    ranges: Literal[
        "yes", "ignored", "refused", "no-suffix", "suffix-only", "garbled", "short", "shifted", "less-later"
    ] = "yes"
    fail_first: int = 0
    cut_first: int = 0
    delay: float = 0.0
    auth: tuple[str, str] | None = None
    etag: str = ""
    modified: str = ""
    gzipped: bool = False
    redirect: str = ""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]


class Server:
    """Routes by path, and the requests that came. Unknown paths are 404."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        outer = self

        class Handler(_Handler):
            owner = outer

        self._httpd = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._httpd.server_port}"

    @property
    def index(self) -> str:
        return f"{self.url}/simple/"

    def close(self) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def add(self, path: str, route: Route) -> Route:
        self.routes[path] = route
        return route

    def page(self, name: str, files: Iterable[Mapping[str, object]], **more: object) -> Route:
        """Serve a project's page as JSON; a file given by path alone gets its address, size and hash."""
        content = {"meta": {"api-version": "1.1"}, "name": name, "files": list(files)}
        route = Route(json.dumps(content).encode(), JSON_TYPE)
        for key, value in more.items():
            setattr(route, key, value)
        return self.add(f"/simple/{name}/", route)

    def file(self, path: Path, **more: object) -> dict[str, object]:
        """Serve a file, and return its entry for `page`."""
        content = path.read_bytes()
        route = self.add(f"/files/{path.name}", Route(content))
        for key, value in more.items():
            setattr(route, key, value)
        return {
            "filename": path.name,
            "url": f"../../files/{path.name}",
            "size": len(content),
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        }


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that hang up: some tests make them do so."""


class _Handler(BaseHTTPRequestHandler):
    owner: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Be silent."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.owner.requests.append(Request(self.path, dict(self.headers.items())))
        route = self.owner.routes.get(path)
        if route is None:
            self._send(404, b"", {})
            return
        time.sleep(route.delay)
        if route.fail_first > 0:
            route.fail_first -= 1
            self._send(503, b"busy", {})
        elif route.auth and self.headers.get("Authorization") != _basic(*route.auth):
            self._send(401, b"who are you", {"WWW-Authenticate": "Basic"})
        elif route.redirect:
            self._send(302, b"", {"Location": route.redirect})
        elif (route.etag and self.headers.get("If-None-Match") == route.etag) or (
            route.modified and self.headers.get("If-Modified-Since") == route.modified
        ):
            self._send(304, b"", {})
        else:
            self._content(route)

    def _content(self, route: Route) -> None:
        headers = {"Content-Type": route.content_type, **route.headers}
        if route.etag:
            headers["ETag"] = route.etag
        if route.modified:
            headers["Last-Modified"] = route.modified
        body = route.body
        wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if wanted and route.status == 200 and route.ranges != "ignored":
            first, last = wanted.groups()
            size = len(body)
            start = int(first) if first else max(0, size - int(last))
            stop = min(int(last) + 1, size) if first and last else size
            if route.ranges == "refused" or (route.ranges == "no-suffix" and not first) or start >= size:
                self._send(416, b"", {})
                return
            if route.ranges == "suffix-only" and first:
                self._send(200, body, headers)
                return
            if route.ranges == "short":
                stop -= 1
            if route.ranges == "less-later" and first:
                stop -= 1
            if route.ranges == "shifted":
                start = max(0, start - 1)
            headers["Content-Range"] = (
                "whatever"
                if route.ranges == "garbled"
                else f"bytes {start}-{stop - 1 + (route.ranges == 'short')}/{size}"
            )
            self._send(206, body[start:stop], headers, route)
            return
        if route.gzipped:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        self._send(route.status, body, headers, route)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], route: Route | None = None) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        if route is not None and route.cut_first > 0:
            # Promise all, send half, hang up.
            route.cut_first -= 1
            body = body[: len(body) // 2]
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
