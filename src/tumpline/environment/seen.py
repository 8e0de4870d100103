"""What was found current before, remembered: so that looking again takes no parsing of locks and projects.

Whoever has compared an environment with a lock leaves a checksum of all that the comparison rested on in the folder of
the environment. A generation never changes, so what was found of it holds as long as the same one comes out.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["SEEN_NAME", "is_seen", "remember", "stamp_of"]

SEEN_NAME = "tumpline-seen.txt"

_FORM = b"1"
_LENGTH = 32
_MOST = 16
"""An environment is looked at in a few ways (with and without ``--target``), and over years with a few locks."""


def stamp_of(contents: Sequence[bytes], words: Sequence[str]) -> str:
    """Return a checksum of what a comparison rests on: the contents of files, and words that say what was asked.

    It tells one state of a project from the next, and guards against nobody: whoever may change a lock needs no
    collision. That is why it is no digest, for which a library would have to be loaded that is half as large as all
    else that answers from here.
    """
    parts = [_FORM, *contents, *(word.encode("utf-8", "surrogatepass") for word in words)]
    whole = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return f"{zlib.crc32(whole):08x}{zlib.adler32(whole):08x}{len(whole):016x}"


def is_seen(folder: Path, stamp: str) -> bool:
    """Whether a generation was found to be what is asked for; never raises."""
    try:
        with (folder / SEEN_NAME).open("rb") as stream:
            return stamp.encode() in stream.read((_LENGTH + 1) * _MOST).split()
    except OSError:
        return False


def remember(folder: Path, stamp: str) -> None:
    """Note that a generation was found to be what is asked for. Not being able to is no error."""
    with suppress(OSError):
        path = folder / SEEN_NAME
        known = path.read_text(encoding="ascii", errors="replace").split() if path.exists() else []
        if stamp in known:
            return
        scratch = folder / f".{SEEN_NAME}.{os.getpid()}-{os.urandom(4).hex()}"
        scratch.write_text("".join(f"{each}\n" for each in [stamp, *known][:_MOST]), encoding="ascii")
        scratch.replace(path)
