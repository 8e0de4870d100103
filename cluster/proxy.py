"""A proxy that lets jobs reach a few hosts and no others: ``python -m cluster.proxy ADDRESS PORT FILE``.

It logs each host that is asked for and what it answered. FILE only makes the process recognisable.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import sys
from http.server import BaseHTTPRequestHandler
from importlib import import_module
from urllib.parse import urlsplit

__all__ = ["main"]

_ALLOWED = (str(urlsplit(import_module("distlib.index").DEFAULT_INDEX).hostname), "github.com", "githubusercontent.com")
"""Some of what Vulcan's proxy lets through; names below these as well."""


class _Handler(BaseHTTPRequestHandler):
    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if not any(host == name or host.endswith(f".{name}") for name in _ALLOWED):
            self.send_error(403, "this host is not on the list")
            return
        try:
            far = socket.create_connection((host, int(port)), timeout=20)
        except (OSError, ValueError) as error:
            self.send_error(502, str(error))
            return
        with far:
            self.send_response(200)
            self.end_headers()
            self._carry(far)

    def do_GET(self) -> None:
        self.send_error(403, "only CONNECT is let through")

    def _carry(self, far: socket.socket) -> None:
        ends = {self.connection: far, far: self.connection}
        with selectors.DefaultSelector() as selector, contextlib.suppress(OSError):
            for end in ends:
                selector.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    end = key.fileobj
                    if not isinstance(end, socket.socket) or not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(address: str, port: str, _: str) -> None:
    """Serve until the process is ended."""
    with _Server((address, int(port)), _Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
