"""Parts of a file behind HTTP: the tail of a wheel is enough to know what it says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.index.model import IndexFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tumpline.index.transport import Answer, Transport

__all__ = ["NoRanges", "RemoteFile", "open_remote"]

_TAIL = 160 * 1024
"""Bytes asked for first: the end of a wheel, its directory and its dist-info files in nearly all cases.

A wheel's reader wants the last 64 KiB and then what lies a little before; the directory of the largest common
wheels (some thousand files) has 100 to 250 KB. One larger answer is faster than a second question.
"""

_STEP = 64 * 1024
"""The least bytes asked for when something before the tail is wanted."""

_MOST = 96 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class NoRanges(Exception):
    """The server does not serve parts of the file; never leaves this room: the whole file is fetched then."""


@dataclass(slots=True)
class RemoteFile:
    """A file of `size` bytes of which the end, from `start` on, is here; more is fetched when it is read.

    `pieces` (offset, bytes) lie before the end: repaired wheels have their dist-info at the very beginning.
    """

    transport: Transport
    url: str
    size: int
    start: int
    content: bytes
    pieces: list[tuple[int, bytes]] = field(default_factory=list)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file; raises NoRanges, and what `Transport.exchange` raises."""
        end = min(offset + length, self.size)
        for start, content in self.pieces:
            if start <= offset and end <= start + len(content):
                return content[offset - start : end - start]
        if end <= self.start:
            stop = min(offset + max(length, _STEP), self.start)
            content = self._fetch(offset, stop)
            self.pieces.append((offset, content))
            return content[:length]
        if offset < self.start:
            first = max(0, min(offset, self.start - _STEP))
            self.content = self._fetch(first, self.start) + self.content
            self.start = first
        return self.content[offset - self.start : end - self.start]

    def _fetch(self, first: int, stop: int) -> bytes:
        if stop - first > _MOST:
            raise NoRanges
        part = _ask(self.transport, self.url, f"{first}-{stop - 1}", stop - first, _refuse)
        if not isinstance(part, RemoteFile) or (part.start, len(part.content), part.size) != (
            first,
            stop - first,
            self.size,
        ):
            raise NoRanges
        return part.content


def open_remote(transport: Transport, file: IndexFile, keep: Callable[[Answer], Path]) -> RemoteFile | Path:
    """Ask for the tail of a file: one question tells its size as well.

    A server that ignores ranges sends the whole file: `keep` stores it, and its path is the answer. Raises NoRanges
    where the server refuses, and what `keep` and `Transport.exchange` raise.
    """
    try:
        return _ask(transport, file.url, f"-{_TAIL}", _TAIL, keep)
    except NoRanges:
        if not file.size:
            raise
    # Some servers know "from here to there" and not "the last so many".
    first = max(0, file.size - _TAIL)
    return _ask(transport, file.url, f"{first}-{file.size - 1}", file.size - first, keep)


def _ask(transport: Transport, url: str, wanted: str, length: int, keep: Callable[[Answer], Path]) -> RemoteFile | Path:
    def receive(answer: Answer) -> RemoteFile | Path:
        if answer.status in (200, 404, 410):
            return keep(answer)
        if answer.status != 206:
            raise NoRanges
        stated = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
        if not stated:
            raise NoRanges
        start, last, size = (int(number) for number in stated.groups())
        if not start <= last < size or last - start >= length:
            raise NoRanges
        content = answer.body(length, decode=False)
        if len(content) != last - start + 1 or (wanted.startswith("-") and last != size - 1):
            raise NoRanges
        return RemoteFile(transport, url, size, start, content)

    headers = {"Range": f"bytes={wanted}", "Accept-Encoding": "identity"}
    return transport.exchange(url, receive, headers=lambda: headers)


def _refuse(answer: Answer) -> Path:
    raise NoRanges
