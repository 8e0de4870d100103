"""Messages over a pair of pipes: each with its kind and length, compressed as one stream. This module travels.

A message is one byte that says its kind, and a body. On the wire it is the length of what follows (4 bytes, big-endian)
and a part of a zlib stream that is flushed with every message, so that what was said before need not be said again.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LIMIT", "BadMessage", "Receiver", "Sender"]

LIMIT = 4 * 1024 * 1024
"""The most bytes of a message, before and after compression."""

_LENGTH = struct.Struct(">I")


class BadMessage(Exception):
    """What came is no message of this protocol; the text says why."""


class Sender:
    """Sends messages with `write`, which takes all bytes it is given."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._stream = zlib.compressobj(6)

    def send(self, kind: bytes, body: bytes = b"") -> None:
        """Send one message."""
        packed = self._stream.compress(kind + body) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        self._write(_LENGTH.pack(len(packed)) + packed)

    def send_value(self, kind: bytes, value: object) -> None:
        """Send one message whose body is JSON."""
        self.send(kind, json.dumps(value, separators=(",", ":")).encode("ascii"))


class Receiver:
    """Receives messages with `read`, which returns as many bytes as it is asked for, or fewer where the stream ends."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._stream = zlib.decompressobj()

    def receive(self) -> tuple[bytes, bytes]:
        """Return the kind and the body of the next message; raises EOFError where the stream ends, BadMessage."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if length > LIMIT:
            raise BadMessage(f"a message of {length} bytes")
        packed = self._exactly(length)
        try:
            message = self._stream.decompress(packed, LIMIT + 1)
        except zlib.error as error:
            raise BadMessage(str(error)) from None
        if not message or len(message) > LIMIT or self._stream.eof:
            raise BadMessage("a message that is empty, or larger than it may be")
        return message[:1], message[1:]

    def _exactly(self, length: int) -> bytes:
        content = self._read(length)
        if len(content) != length:
            raise EOFError
        return content
