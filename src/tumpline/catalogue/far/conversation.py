"""The near side of any conversation with a program that was sent to the far side, over a pipe to a Python there."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from tumpline.catalogue.far.answers import decode
from tumpline.catalogue.far.bundle import first_line
from tumpline.catalogue.far.frames import BadMessage, Receiver, Sender
from tumpline.errors import EnvironmentFailure
from tumpline.host.ssh import SSH_FAILED, ssh_failure

__all__ = ["COMMAND", "Conversation", "Pipe"]

COMMAND = "-I -B -c 'import sys;exec(sys.stdin.buffer.readline())'"
"""What Python is given on the far side, where the login shell may be any: one pair of quotes, nothing to expand.

Isolated, so that no variable and no file of the user's changes what it imports; and no bytecode is written.
"""

_BANNER = 256 * 1024
"""Bytes that a login shell may print before the program begins."""

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


class Conversation:
    """Starts a program over a pipe to a Python; subclasses ask the questions. `python` is the version there.

    `bundle` is what `make_bundle` makes. Raises EnvironmentFailure: what `ssh_failure` makes, ``no-python-there``,
    ``python-too-old-there``, ``login-shell-talks``; and, here and from every method, ``connection-cut``,
    ``bad-answer``. Where the far side's system refuses, methods raise OSError as if the files were here.
    """

    def __init__(self, pipe: Pipe, bundle: bytes) -> None:
        self._pipe = pipe
        self._buffer = b""
        self.host = pipe.host
        marker = f"tumpline-{secrets.token_hex(12)}"
        with suppress(BrokenPipeError):  # what came instead of a Python says why
            pipe.write(first_line(marker, len(bundle)) + bundle)
        self.python = self._await(f"\n{marker} ".encode())
        self._sender = Sender(pipe.write)
        self._receiver = Receiver(self._exactly)

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
