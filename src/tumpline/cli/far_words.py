"""Commands that are given as one text: for a program of this machine, and for a login shell that may be any (R23)."""

from __future__ import annotations

import re
import shlex

from tumpline.errors import InputError

__all__ = ["plain_words", "split_words"]

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=@%+,-]+")
"""What means itself to every shell."""


def split_words(option: str, text: str) -> list[str]:
    """Split a command as a shell does; no shell sees it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError.of(
            "bad-command", f"{option} can not be split into words", why=str(error), hint="close the quotes"
        ) from error
    if not words:
        raise InputError.of("bad-command", f"{option} names no command", hint=f"leave {option} out, or name a command")
    return words


def plain_words(option: str, text: str) -> str:
    """Return a command of the machine there; its words must be plain, as nobody knows which shell will read them."""
    words = split_words(option, text)
    if odd := [word for word in words if not _PLAIN_WORD.fullmatch(word)]:
        raise InputError.of(
            "bad-command",
            f"{option} can not have {odd[0]!r}",
            why="its words go through the login shell there, so they may hold letters, digits and _./:=@%+,- only",
            hint="give the path of a Python, or of a script there that starts one",
        )
    return " ".join(words)
