"""The near side of the conversation with the program on the far side.

Each question has one answer, in one or more messages, before the next is asked:

    D [folder, ...]             D [is a folder?, ...]
    L [layer, folder]           L [digest, wheels, others]
    C [layer, [digest, ...]]    C [differing bucket, ...], then E [entry, ...] until one is empty
    R [[layer, from, to], ...]  W [what a wheel says, or null where that is not clear, ...] until all are told
    O [layer, wheel]            O size in bytes, or -1 where it is no regular file
    G [offset, length]          G bytes of the wheel opened last

Layers are numbered as they are listed, wheels by their place among the sorted names. Where the system refuses, the
answer is X [errno, its words].
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from tumpline.catalogue.far.answers import decode, entry_of, integers_of, reading_of_row
from tumpline.catalogue.far.buckets import MOST_BUCKETS, bucket_digests, deal, digest_of
from tumpline.catalogue.far.bundle import first_line, make_bundle
from tumpline.catalogue.far.frames import BadMessage, Receiver, Sender
from tumpline.catalogue.listing import Found, Listing, Odd
from tumpline.catalogue.reading import Reading
from tumpline.errors import EnvironmentFailure
from tumpline.host.ssh import SSH_FAILED, ssh_failure

__all__ = ["COMMAND", "Link", "Pipe"]

COMMAND = "-I -B -c 'import sys;exec(sys.stdin.buffer.readline())'"
"""What Python is given on the far side, where the login shell may be any: one pair of quotes, nothing to expand.

Isolated, so that no variable and no file of the user's changes what it imports; and no bytecode is written.
"""

_BANNER = 256 * 1024
"""Bytes that a login shell may print before the program begins."""

_MOST_ENTRIES = 1_000_000
"""Entries of a layer that are accepted: the largest wheelhouse in use has a hundredth of that."""

_MOST_TEXT = 512 * 1024 * 1024
"""Characters of requirements that are accepted in all; those of 40,000 wheels are some five million."""

_PER_BUCKET = 16
"""Entries for each bucket: the digests then weigh as much as the entries of some sixty changes (of 40,000 wheels)."""

_RANGE = 256 * 1024
"""Bytes of a wheel asked for at once."""

_OLDEST = (3, 6)


class Pipe(Protocol):
    """A program that was started elsewhere, as `tumpline.host.ssh.RemoteProgram` is."""

    host: str

    @property
    def last_words(self) -> tuple[str, ...]:
        """What was said last on standard error."""
        ...

    def write(self, content: bytes) -> None:
        """Send bytes; raises BrokenPipeError."""
        ...

    def read(self, most: int) -> bytes:
        """Return the next bytes, none at the end."""
        ...

    def end(self) -> int:
        """End the program and return its status."""
        ...


class Link:
    """Starts the conversation over a pipe to a Python and asks questions; `python` is the version there.

    Raises EnvironmentFailure: what `ssh_failure` makes, ``no-python-there``, ``python-too-old-there``,
    ``login-shell-talks``; and, here and from every method, ``connection-cut``, ``bad-answer``. Where the far side's
    system refuses, methods raise OSError as if the files were here.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._buffer = b""
        self._text = 0
        self.host = pipe.host
        marker = f"tumpline-{secrets.token_hex(12)}"
        bundle = make_bundle()
        with suppress(BrokenPipeError):  # what came instead of a Python says why
            pipe.write(first_line(marker, len(bundle)) + bundle)
        self.python = self._await(f"\n{marker} ".encode())
        self._sender = Sender(pipe.write)
        self._receiver = Receiver(self._exactly)

    def are_folders(self, folders: Sequence[str]) -> list[bool]:
        """Say of each path whether it is a folder, or can not be told not to be one."""
        with self._answers():
            self._sender.send_value(b"D", folders)
            value = self._value(b"D")
            if not isinstance(value, list) or len(value) != len(folders) or {*map(type, value)} - {bool}:
                raise BadMessage("it does not say which folders are there")
            return value

    def list_layer(self, number: int, layer: str, folder: str, known: Listing) -> Listing:
        """Return the sorted listing of a folder, of which only what differs from `known` is transferred."""
        with self._answers():
            self._sender.send_value(b"L", [number, folder])
            answer = self._value(b"L")
            match answer:
                case [str(digest), int(wheels), int(others)] if 0 <= wheels + others <= _MOST_ENTRIES:
                    pass
                case _:
                    raise BadMessage("it does not say what a folder holds")
            if digest_of(known) == digest:
                return Listing(sorted(known.wheels), sorted(known.others))
            listing = self._changed(number, layer, known, wheels + others)
            if digest_of(listing) != digest and (known.wheels or known.others):
                # Two different buckets can have one short digest, if rarely.
                listing = self._changed(number, layer, Listing([], []), wheels + others)
            names = {found.file for found in listing.wheels} | {odd.file for odd in listing.others}
            if digest_of(listing) != digest or len(names) != wheels + others:
                raise BadMessage("the listing of a folder is not what it was said to be")
            return listing

    def _changed(self, number: int, layer: str, known: Listing, most: int) -> Listing:
        """Return what is known with the buckets that differ replaced; where nothing is known there are none."""
        count = min(MOST_BUCKETS, -(-(len(known.wheels) + len(known.others)) // _PER_BUCKET))
        self._sender.send_value(b"C", [number, bucket_digests(known, count)])
        differing = set(integers_of(self._value(b"C"), most=count - 1))
        listing = Listing([], [])
        for place, bucket in enumerate(deal(known, count)):
            if place not in differing:
                listing.wheels.extend(bucket.wheels)
                listing.others.extend(bucket.others)
        for entry in self._entries(layer, most):
            if isinstance(entry, Found):
                listing.wheels.append(entry)
            else:
                listing.others.append(entry)
        listing.wheels.sort()
        listing.others.sort()
        return listing

    def read(self, runs: Sequence[tuple[int, int, int]]) -> Iterator[list[Reading | None]]:
        """Read the wheels of runs (layer, from, to) and give what they say, in order, as it comes."""
        left = sum(stop - start for _, start, stop in runs)
        with self._answers():
            self._sender.send_value(b"R", runs)
            while left:
                value = self._value(b"W")
                if not isinstance(value, list) or not 0 < len(value) <= left:
                    raise BadMessage("it does not say what wheels hold")
                left -= len(value)
                readings = [reading_of_row(row) for row in value]
                self._text += sum(len("".join(one.needs)) for one in readings if one and one.needs)
                if self._text > _MOST_TEXT:
                    raise BadMessage("wheels say more than they can")
                yield readings

    def open_wheel(self, number: int, place: int) -> tuple[int, Callable[[int, int], bytes]]:
        """Return a wheel's size in bytes, -1 where it is no regular file, and the function that reads a range of it."""
        with self._answers():
            self._sender.send_value(b"O", [number, place])
            (size,) = integers_of([self._value(b"O")], least=-1)
            return size, self._get

    def _get(self, offset: int, length: int) -> bytes:
        content = b""
        while len(content) < length:
            asked = min(_RANGE, length - len(content))
            with self._answers():
                self._sender.send_value(b"G", [offset + len(content), asked])
                part = self._body(b"G")
                if len(part) > asked:
                    raise BadMessage("it sends more bytes than were asked for")
            content += part
            if len(part) < asked:
                break
        return content

    def _entries(self, layer: str, most: int) -> Iterator[Found | Odd]:
        left = most
        while rows := self._value(b"E"):
            if not isinstance(rows, list) or len(rows) > left:
                raise BadMessage("a folder holds more than it was said to")
            left -= len(rows)
            for row in rows:
                yield entry_of(layer, row)

    def _value(self, kind: bytes) -> object:
        return decode(self._body(kind))

    def _body(self, kind: bytes) -> bytes:
        found, body = self._receiver.receive()
        if found == b"X":
            match decode(body):
                case [int(number), str(words)]:
                    # What a machine elsewhere calls a number may be called otherwise here; its words are right.
                    raise OSError(number, words) if number else OSError(words)
            raise BadMessage("it does not say why its system refused")
        if found != kind:
            raise BadMessage(f"an answer of kind {found!r} where {kind!r} was due")
        return body

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, BrokenPipeError) as error:
            raise self._cut() from error
        except BadMessage as error:
            raise EnvironmentFailure.of(
                "bad-answer",
                "what comes from there can not be understood",
                where=self.host,
                why=str(error),
                hint="run the same command again; if it happens again, report it",
            ) from error

    def _cut(self) -> EnvironmentFailure:
        status = self._pipe.end()
        said = "\n".join(line for line in self._pipe.last_words[-5:] if line)
        return EnvironmentFailure.of(
            "connection-cut",
            "the connection was cut",
            where=self.host,
            why=said or f"ssh ended with status {status}",
            hint="run the same command again: what was received is kept",
        )

    def _exactly(self, length: int) -> bytes:
        """Return so many bytes, fewer where the program has ended."""
        parts = [self._buffer[:length]]
        self._buffer = self._buffer[length:]
        left = length - len(parts[0])
        while left:
            part = self._pipe.read(left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def _await(self, marker: bytes) -> str:
        """Pass over what the login shell prints, up to the marker; return the version of Python behind it."""
        # The marker begins a line, also where nothing was printed before it.
        seen = b"\n"
        while True:
            place = seen.find(marker)
            line, newline, rest = seen[place + len(marker) :].partition(b"\n")
            if place >= 0 and newline:
                break
            part = self._pipe.read(4096)
            seen += part
            if not part:
                raise self._not_begun(seen)
            if len(seen) > _BANNER:
                raise self._talks(seen)
        self._buffer = rest
        version = line.decode("ascii", "replace").strip()
        parts = version.split(".")
        if len(parts) != 3 or not all(part.isdecimal() and len(part) < 4 for part in parts):
            raise self._talks(seen)
        if (int(parts[0]), int(parts[1])) < _OLDEST:
            raise EnvironmentFailure.of(
                "python-too-old-there",
                f"the Python there is {version}",
                where=self.host,
                why="Python 3.6 or newer is needed there",
                hint="name a newer one with --python, by its path if need be",
            )
        return version

    def _not_begun(self, seen: bytes) -> EnvironmentFailure:
        status = self._pipe.end()
        words = self._pipe.last_words
        if status == SSH_FAILED:
            return ssh_failure(self.host, status, words)
        said = [*words[-5:], *seen.decode("utf-8", "replace").strip().splitlines()[-5:]]
        return EnvironmentFailure.of(
            "no-python-there",
            "no Python answers there",
            where=self.host,
            why="\n".join(line for line in said if line.strip()) or f"the command ended with status {status}",
            hint="name the Python of that machine with --python, by its path if need be",
        )

    def _talks(self, seen: bytes) -> EnvironmentFailure:
        self._pipe.end()
        first = seen[:2000].decode("utf-8", "replace").strip().splitlines()[:3]
        return EnvironmentFailure.of(
            "login-shell-talks",
            "the login shell there prints too much before the program begins",
            where=self.host,
            why="\n".join(line[:200] for line in first),
            hint=f"see what this prints, and silence it in the shell's start-up files: ssh {self.host} true",
        )
