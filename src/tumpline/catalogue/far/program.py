"""What runs on the far side of a pull: lists folders and reads wheels when asked. This module travels.

It judges nothing: where a wheel is not read without any doubt, the answer is that it was not, and the near side reads
it itself, a range of bytes at a time. It writes nothing but its answers, and ends when the questions do. Questions come
from the user's own account, so they are not doubted here. `tumpline.catalogue.far.link` says what they mean.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from typing import TYPE_CHECKING

from tumpline.catalogue.far.buckets import bucket_digests, deal, digest_of
from tumpline.catalogue.far.frames import Receiver, Sender
from tumpline.catalogue.listing import Found, Listing, list_folder
from tumpline.catalogue.reader import read_wheel
from tumpline.host.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["Program", "main"]

_ENTRIES = 2000
"""Entries of a listing in one message."""

_BATCH = 64
"""Wheels read before what was read is sent, so that little is lost where the connection is cut."""

_BODY = 128 * 1024
"""Bytes after which a message with fewer wheels is sent."""

_LARGEST = 256 * 1024
"""Bytes of one wheel's answer; where METADATA says more than that, the near side reads it itself."""


class Program:
    """Answers questions; `layers` are those that were listed, by number: the folder, and the listing in its order."""

    def __init__(self, receiver: Receiver, sender: Sender) -> None:
        self._receiver = receiver
        self._sender = sender
        self._layers: dict[int, tuple[str, Listing]] = {}
        self._patience = Patience()
        self._open = -1

    def run(self) -> None:
        """Answer until there are no more questions."""
        answers: dict[bytes, Callable[[Any], None]] = {
            b"D": self._are_folders,
            b"L": self._list,
            b"C": self._compare,
            b"R": self._read,
            b"O": self._open_wheel,
            b"G": self._get,
        }
        while True:
            try:
                kind, body = self._receiver.receive()
            except EOFError:
                return
            try:
                answers[kind](json.loads(body.decode("ascii")))
            except OSError as error:
                if error.errno == errno.EPIPE:
                    raise
                self._sender.send_value(b"X", [error.errno or 0, error.strerror or str(error)])

    def _are_folders(self, folders: list[str]) -> None:
        self._sender.send_value(b"D", [_may_be_folder(folder) for folder in folders])

    def _list(self, question: Any) -> None:
        number, folder = question
        found = list_folder("", folder, self._patience)
        listing = Listing(sorted(found.wheels), sorted(found.others))
        self._layers[number] = (folder, listing)
        self._sender.send_value(b"L", [digest_of(listing), len(listing.wheels), len(listing.others)])

    def _compare(self, question: Any) -> None:
        number, digests = question
        listing = self._layers[number][1]
        if digests:
            there = bucket_digests(listing, len(digests))
            buckets = deal(listing, len(digests))
            differing = [place for place, digest in enumerate(digests) if digest != there[place]]
            wheels = [found for place in differing for found in buckets[place].wheels]
            others = [odd for place in differing for odd in buckets[place].others]
        else:
            differing = []
            wheels, others = listing
        # In the order of names, whatever the buckets: what is alike compresses well when it stands together.
        rows: list[list[Any]] = [[found.file, found.size, found.mtime_ns] for found in sorted(wheels)]
        rows += [[odd.file, odd.kind, odd.why] for odd in sorted(others)]
        self._sender.send_value(b"C", differing)
        for start in range(0, len(rows), _ENTRIES):
            self._sender.send_value(b"E", rows[start : start + _ENTRIES])
        self._sender.send_value(b"E", [])

    def _read(self, runs: list[list[int]]) -> None:
        batch: list[Any] = []
        size = 0
        for number, start, stop in runs:
            folder, listing = self._layers[number]
            for found in listing.wheels[start:stop]:
                row, length = self._row(folder, found)
                batch.append(row)
                size += length
                if len(batch) == _BATCH or size > _BODY:
                    self._sender.send_value(b"W", batch)
                    batch, size = [], 0
        if batch:
            self._sender.send_value(b"W", batch)

    def _row(self, folder: str, found: Found) -> tuple[Any, int]:
        """Return what a wheel says, and the length of that; None where it is not quite clear."""
        try:
            reading = read_wheel(folder, found.file, self._patience)
        except Exception:  # noqa: BLE001 - also that versions can not be compared here; the near side finds out
            return None, 0
        if reading.needs is None:
            return None, 0
        length = sum(map(len, reading.needs))
        if length > _LARGEST:
            return None, 0
        return [*reading.needs, reading.record.hex(), reading.stands_for], length

    def _open_wheel(self, question: Any) -> None:
        """Open a wheel for `_get` and tell its size, or -1 where it is no regular file."""
        number, place = question
        if self._open >= 0:
            os.close(self._open)
            self._open = -1
        folder, listing = self._layers[number]
        path = folder + "/" + listing.wheels[place].file
        self._open = self._patience.retry(lambda: os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        status = os.fstat(self._open)
        self._sender.send_value(b"O", status.st_size if stat.S_ISREG(status.st_mode) else -1)

    def _get(self, question: Any) -> None:
        offset, length = question
        self._sender.send(b"G", self._patience.retry(lambda: os.pread(self._open, length, offset)))


def main() -> None:
    """Answer the questions on standard input; whatever else prints goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)

    def write(content: bytes) -> None:
        while content:
            content = content[os.write(answers, content) :]

    try:
        Program(Receiver(sys.stdin.buffer.read), Sender(write)).run()
    except BrokenPipeError:
        # Nobody listens any more.
        os._exit(0)


def _may_be_folder(folder: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(folder).st_mode)  # noqa: PTH116 - pathlib takes its time to be imported
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # It can not be told; the listing will say why.
        return True
