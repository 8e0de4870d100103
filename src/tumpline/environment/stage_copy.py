"""Copying what a target needs of a stage to another machine, over the person's own ``ssh``.

With ``rsync`` where both machines have it; else by a small program that is sent to a Python there. Either way a file
appears there whole or not at all, and what is there already is not sent again.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tumpline.addresses.files import digest_of
from tumpline.catalogue.far.bundle import make_bundle
from tumpline.catalogue.far.conversation import Conversation, Pipe
from tumpline.catalogue.far.frames import BadMessage
from tumpline.environment.stage import Survey
from tumpline.environment.wheelstore import key_path
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.reading import open_patiently
from tumpline.host.ssh import SSH_FAILED, check_host, ssh_failure

__all__ = ["Copied", "Recipient", "copy_by_program", "copy_by_rsync", "files_of", "split_place"]

MODULES = ("tumpline.catalogue.far.frames", "tumpline.environment.stage_receiver")
"""What travels."""

_NOT_THERE = (1, 2, 4, 12, 126, 127)
"""How rsync ends where the other side has none, or one that does not understand ours; all else is a failure."""

_PIECE = 1 << 18
_BAD = re.compile(r"[\x00-\x1f\x7f]")


class Copied(NamedTuple):
    """Where files were copied to: how many were sent, with how many bytes, and how many had been there."""

    folder: str
    sent: int
    size: int
    there: int
    by: str


def split_place(text: str) -> tuple[str, str]:
    """Split ``HOST:PATH``; a path that does not begin with a slash is below the home there.

    Raises InputError ``bad-place``, ``bad-host``.
    """
    host, colon, path = text.partition(":")
    path = path.removeprefix("~/")
    if not colon or not path or path.startswith((":", "~")) or _BAD.search(path):
        raise InputError.of(
            "bad-place",
            f"{text!r} is no place on another machine",
            where="--to",
            hint="write HOST:PATH, such as narval:scratch/tumpline/stage",
        )
    return check_host(host), path


def files_of(surveys: Iterable[Survey]) -> dict[str, Path]:
    """Return the files of a stage that targets need: path in the stage -> where it is."""
    found: dict[str, Path] = {}
    for survey in surveys:
        for need, wheel in survey.here:
            root = wheel.path.parents[3]
            found[wheel.path.relative_to(root).as_posix()] = wheel.path
            if need.key:
                found[key_path(need.key)] = root / key_path(need.key)
    # The notes of what was built last: they must not name a wheel that is not there yet.
    return dict(sorted(found.items(), key=lambda item: (item[0].startswith("keys/"), item[0])))


def copy_by_rsync(
    files: Mapping[str, Path], stage: Path, ssh: Sequence[str], place: tuple[str, str], environ: Mapping[str, str]
) -> Copied | None:
    """Copy with rsync; None where one of the two machines has none that will do.

    `place` is host and path. Raises EnvironmentFailure ``copy-failed`` and what `ssh_failure` makes.
    """
    program = shutil.which("rsync", path=environ.get("PATH", os.defpath))
    if program is None:
        return None
    host, path = place
    # Paths go through no shell (-s); the list comes through a pipe; what is of the same size is the same, by its name.
    words = [program, "-s", "--mkpath", "--size-only", "--partial-dir=.rsync-partial", "--out-format=%l %n"]
    words += ["--files-from=-", "--from0", "-e", shlex.join(ssh), f"{stage}/"]
    words.append(f"{host}:{path if path.startswith('/') else f'./{path}'}/")
    done = subprocess.run(
        words, input=b"\0".join(map(os.fsencode, files)), env=dict(environ), capture_output=True, check=False
    )
    if done.returncode in _NOT_THERE:
        return None
    said = done.stderr.decode("utf-8", "replace").splitlines()
    if done.returncode == SSH_FAILED:
        raise ssh_failure(host, done.returncode, said[-20:])
    if done.returncode:
        raise EnvironmentFailure.of(
            "copy-failed",
            "the stage could not be copied",
            where=f"{host}:{path}",
            why="\n".join(said[-5:]) or f"rsync ended with status {done.returncode}",
            hint="run the same command again: what has arrived stays",
        )
    rows = [line.partition(" ") for line in done.stdout.decode("utf-8", "replace").splitlines()]
    sizes = [int(size) for size, _, name in rows if name in files and size.isdecimal()]
    return Copied(path, len(sizes), sum(sizes), len(files) - len(sizes), "rsync")


class Recipient(Conversation):
    """A Python on another machine that takes files; raises what `Conversation` raises."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(pipe, make_bundle(MODULES))

    def look(self, folder: str, files: Sequence[tuple[str, int]]) -> tuple[str, int, list[int]]:
        """Return where the folder is, how many bytes are free there, and the numbers of the files that are lacking."""
        with self._answers():
            self._sender.send_value(b"F", [folder, files])
            match self._value(b"F"):
                case [str(found), int(free), list(lacking)] if all(
                    isinstance(number, int) and 0 <= number < len(files) for number in lacking
                ):
                    return found, free, lacking
            raise BadMessage("it does not say what it has")

    def put(self, name: str, path: Path, progress: Callable[[int], None]) -> None:
        """Send one file; raises EnvironmentFailure ``copy-failed`` where other bytes arrive."""
        sha256, size = digest_of(path)
        with self._answers():
            self._sender.send_value(b"P", [name, size, sha256])
            left = size
            with open_patiently(path) as stream:
                while left:
                    # A file that shrinks meanwhile is filled up, and its hash will not fit.
                    piece = stream.read(min(left, _PIECE)) or bytes(min(left, _PIECE))
                    self._pipe.write(piece)
                    left -= len(piece)
                    progress(len(piece))
            if wrong := self._value(b"P"):
                raise EnvironmentFailure.of(
                    "copy-failed",
                    f"{path.name} did not arrive as it is",
                    where=self.host,
                    why=str(wrong),
                    hint="run the same command again: what has arrived stays",
                )


def copy_by_program(
    files: Mapping[str, Path], recipient: Recipient, path: str, progress: Callable[[int], None]
) -> Copied:
    """Copy through the program there; `progress` hears of bytes that were sent.

    Raises EnvironmentFailure ``no-room-there``, ``copy-failed``, and what `Conversation` raises.
    """
    names = list(files)
    sizes = [files[name].stat().st_size for name in names]
    try:
        folder, free, lacking = recipient.look(path, list(zip(names, sizes, strict=True)))
        total = sum(sizes[number] for number in lacking)
        if total > free:
            raise EnvironmentFailure.of(
                "no-room-there",
                "the stage does not fit there",
                where=f"{recipient.host}:{folder}",
                why=f"{total / 1e6:,.0f} MB are to be sent, and {free / 1e6:,.0f} MB are free",
                hint="choose another folder there, or free some space",
            )
        for number in lacking:
            recipient.put(names[number], files[names[number]], progress)
    except OSError as error:
        raise EnvironmentFailure.of(
            "copy-failed",
            "the stage could not be copied",
            where=f"{recipient.host}:{path}",
            why=error.strerror or str(error),
            hint="check that the folder can be made there and has space left, then run the same command again: "
            "what has arrived stays",
        ) from error
    return Copied(folder, len(lacking), total, len(names) - len(lacking), "ssh")
