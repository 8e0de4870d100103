"""Running a program on another machine with the user's own ``ssh``: their configuration, agent and prompts.

Nothing is asked or decided here that ``ssh`` does itself: keys, multiplexing, jump hosts and second factors are the
user's, and its prompts go through the terminal.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from tumpline.errors import EnvironmentFailure, InputError

__all__ = ["RemoteProgram", "check_host", "ssh_failure"]

SSH_FAILED = 255
"""The status with which ``ssh`` says that it failed itself; any other is that of the program there."""

_HOST = re.compile(r"(?!-)[A-Za-z0-9_.:%@/\[\]+-]{1,255}")
_OPTIONS = ("-T", "-o", "ServerAliveInterval=20")
"""No terminal there; and a line that died in silence is noticed within a minute or two."""

_WORDS = 20
"""Last lines of what ``ssh`` said that are kept."""

_LONGEST = 2000
"""Characters of a line that are kept."""

_GRACE = 5.0
"""Seconds that the program has to end by itself."""

_KEY = re.compile("REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed")
_DENIED = re.compile("Permission denied|Too many authentication failures")
_UNREACHABLE = re.compile(
    "Could not resolve|not known|Connection refused|timed out|No route to host|Network is unreachable"
)
"""What OpenSSH's client says, in no other language than this."""


class RemoteProgram:
    """A program that was started on another machine; a context manager that ends it.

    `command` is what the login shell there is given; it must mean the same to every shell. `said` is told each line
    that ``ssh`` and the program print on standard error, as it comes. `sent` and `received` count bytes. Raises
    EnvironmentFailure ``no-ssh``, InputError ``bad-host``.
    """

    def __init__(self, ssh: Sequence[str], host: str, command: str, said: Callable[[str], None]) -> None:
        self.host = host
        self.sent = 0
        self.received = 0
        self._said = said
        self._words: deque[str] = deque(maxlen=_WORDS)
        words = [*ssh, *_OPTIONS, check_host(host), command]
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise EnvironmentFailure.of(
                "no-ssh",
                f"cannot run {words[0]}",
                why=error.strerror or str(error),
                hint="install OpenSSH's client, or name another with --ssh",
            ) from error
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def last_words(self) -> tuple[str, ...]:
        """The last lines that were said on standard error."""
        return tuple(self._words)

    def write(self, content: bytes) -> None:
        """Send bytes; raises BrokenPipeError where nobody reads them any more."""
        assert self._process.stdin is not None  # noqa: S101 - it was asked for above
        rest = memoryview(content)
        while rest:
            rest = rest[self._process.stdin.write(rest) or 0 :]
        self.sent += len(content)

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most so many; none where the program has ended."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for above
        content = os.read(self._process.stdout.fileno(), most)
        self.received += len(content)
        return content

    def end(self) -> int:
        """End the program where it has not ended yet, and return its status; a second time does nothing more."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            try:
                self._process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        # A connection that is kept for others can hold the pipe open, so its end is not waited for.
        self._listener.join(0.5)
        return self._process.returncode

    def _listen(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - it was asked for above
        with self._process.stderr as stream:
            while line := stream.readline(_LONGEST):
                words = line.decode("utf-8", "replace").rstrip()
                self._words.append(words)
                self._said(words)


def check_host(host: str) -> str:
    """Return a host's name where it is one; raises InputError ``bad-host``: it must not be taken for an option."""
    if not _HOST.fullmatch(host) or "@-" in host:
        raise InputError.of(
            "bad-host",
            f"{host!r} can not be the name of a host",
            hint="write HOST, USER@HOST or a name from ~/.ssh/config",
        )
    return host


def ssh_failure(host: str, status: int, words: Sequence[str]) -> EnvironmentFailure:
    """Make the error for an ``ssh`` that could not connect, from its status and what it said last."""
    said = "\n".join(line for line in words if line.strip())
    if _KEY.search(said):
        return EnvironmentFailure.of(
            "host-key-mismatch",
            "ssh does not trust the machine that answers",
            where=host,
            why=said,
            hint="compare its key's fingerprint with the one that the cluster publishes; only if they are the same, "
            "correct ~/.ssh/known_hosts",
        )
    if _DENIED.search(said):
        return EnvironmentFailure.of(
            "ssh-permission-denied",
            "the host does not let you in",
            where=host,
            why=said,
            hint=f"see that this works by itself: ssh {host}; name the user in ~/.ssh/config, or with --host USER@HOST",
        )
    if _UNREACHABLE.search(said):
        return EnvironmentFailure.of(
            "host-unreachable",
            "the host can not be reached",
            where=host,
            why=said,
            hint=f"check its name and the network: ssh {host}; another host can be given with --host",
        )
    return EnvironmentFailure.of(
        "ssh-failed",
        "ssh could not connect",
        where=host,
        why=said or f"it ended with status {status}",
        hint=f"see what this says: ssh {host}",
    )
