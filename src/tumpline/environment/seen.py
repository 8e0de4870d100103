"""What was found current before, remembered: so that looking again takes no parsing of locks and projects.

Whoever has compared an environment with a lock leaves a digest of all that the comparison rested on in the folder of
the environment. A generation never changes, so what was found of it holds as long as the same digest comes out.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["SEEN_NAME", "is_seen", "remember", "stamp_of"]

SEEN_NAME = "tumpline-seen.txt"

_FORM = b"1"
_LENGTH = 64
_MOST = 16
"""An environment is looked at in a few ways (with and without ``--target``), and over years with a few locks."""


def stamp_of(contents: Sequence[bytes], words: Sequence[str]) -> str:
    """Digest what a comparison rests on: the contents of files, and words that say what was asked and where."""
    digest = hashlib.sha256(_FORM)
    for part in [*contents, *(word.encode("utf-8", "surrogatepass") for word in words)]:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


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
