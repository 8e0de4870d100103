"""What runs on the far side when a stage is copied there: takes files and puts each, whole, in its place. It travels.

Questions come from the person's own account, so they are not doubted here; the bytes are, since lines garble.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.catalogue.far.frames import Receiver, Sender

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["main", "receive_files"]

_PIECE = 1 << 20


def receive_files(receiver: Receiver, sender: Sender, read: Callable[[int], bytes]) -> None:
    """Answer until there are no more questions; `read` returns the bytes that follow a message as they are."""
    folder = Path()
    while True:
        try:
            kind, body = receiver.receive()
        except EOFError:
            return
        question = json.loads(body.decode("ascii"))
        try:
            if kind == b"F":
                folder, answer = _look(question)
                sender.send_value(b"F", answer)
            else:
                sender.send_value(b"P", _put(folder, question, read))
        except OSError as error:
            sender.send_value(b"X", [error.errno or 0, error.strerror or str(error)])


def _look(question: Any) -> tuple[Path, list[Any]]:
    """Make the folder; tell where it is, how many bytes are free there, and which of the files are lacking."""
    wanted, files = question
    folder = Path.cwd() / wanted
    folder.mkdir(parents=True, exist_ok=True)
    status = os.statvfs(str(folder))
    lacking = [number for number, (path, size) in enumerate(files) if _size(folder / path) != size]
    return folder, [str(folder), status.f_bavail * status.f_frsize, lacking]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _put(folder: Path, question: Any, read: Callable[[int], bytes]) -> str:
    """Take one file: a path, its size and its sha256; return in a few words what is wrong, if anything."""
    path, size, sha256 = question
    target = folder / path
    scratch = folder / "files" / "partial" / f"{os.getpid()}-{os.urandom(4).hex()}"
    digest = hashlib.sha256()
    try:
        try:
            scratch.parent.mkdir(parents=True, exist_ok=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            with scratch.open("xb") as stream:
                while size:
                    piece = _piece(read, size)
                    size -= len(piece)
                    digest.update(piece)
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            if digest.hexdigest() != sha256:
                return "other bytes arrived than were sent"
            scratch.replace(target)
            return ""
        finally:
            # What was announced comes whatever happens here, and what is asked next comes behind it.
            while size:
                size -= len(_piece(read, size))
    finally:
        with suppress(OSError):
            scratch.unlink()


def _piece(read: Callable[[int], bytes], left: int) -> bytes:
    """Return the next bytes, at most so many; raises EOFError where there are none."""
    piece = read(min(left, _PIECE))
    if not piece:
        raise EOFError
    return piece


def main() -> None:
    """Answer the questions on standard input; whatever else prints goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)

    def write(content: bytes) -> None:
        while content:
            content = content[os.write(answers, content) :]

    try:
        receive_files(Receiver(sys.stdin.buffer.read), Sender(write), sys.stdin.buffer.read)
    except (BrokenPipeError, EOFError):
        # Nobody listens, or talks, any more.
        os._exit(0)
