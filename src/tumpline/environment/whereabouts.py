"""Where an environment was made, as its own files tell, which may be elsewhere than where it is now.

Read each time that an environment is used: a few bytes, and little is imported for it.
"""

from __future__ import annotations

import os
import posixpath
import re
import shlex
from pathlib import Path

__all__ = ["made_at", "moved_from", "spellings"]

_START = 2**13
"""Bytes of a script that are looked at for its interpreter: a path has 4096 at most."""

_FIRST_LINES = (
    rb"#!(/[^\0\n]*",
    rb"#!/bin/sh\n\"exec\" '(/[^\0\n']*",
    rb"#!/bin/sh\n'{3}exec' [\"']?(/[^\0\n\"']*",
)
"""How scripts begin, up to their environment: a bare path, and the ways around a space or great length."""

_ACTIVATE = 2**20

_ACTIVATED = re.compile(rb"^[ \t]*VIRTUAL_ENV=(.+)$", re.MULTILINE)

_ESCAPED = re.compile(rb"\"\$\([^()\n]*printf '%b' '((?:\\0[0-7]{3})+)'\)\"")
"""How virtualenv writes what is not ASCII: as a call of ``printf``, whatever the shell's locale is."""


def made_at(folder: str) -> str:
    """Return the folder in which the environment in `folder` was made, as its own files spell it.

    That is another one where the environment was moved or copied. virtualenv wrote it, with links followed, into
    ``bin/activate``; empty where that does not tell.
    """
    try:
        with open(f"{folder}/bin/activate", "rb") as stream:  # noqa: PTH123 - importing pathlib is most of the time
            content = stream.read(_ACTIVATE)
    except OSError:
        return ""
    for found in _ACTIVATED.findall(content):
        try:
            words = shlex.split(os.fsdecode(_ESCAPED.sub(_unescaped, found)))
        except ValueError:
            continue
        if any("$(" in word for word in words):
            continue  # more than a path: what it says can not be told without a shell
        if len(words) == 1 and words[0].startswith("/"):
            return words[0]
    return ""


def _unescaped(found: re.Match[bytes]) -> bytes:
    content = bytes(int(digits, 8) & 0xFF for digits in found[1].split(b"\\0")[1:])
    return os.fsencode(shlex.quote(os.fsdecode(content)))


def spellings(folder: str) -> tuple[str, ...]:
    """Return the paths by which the files of the environment in `folder` may name it, `folder` itself the last.

    Where a link led to it when it was made, its scripts have the link's path, and where it was moved, an old one; the
    name of its own folder is the same in all of them. Raises OSError where its scripts can not be listed.
    """
    end = b"/" + re.escape(os.fsencode(posixpath.basename(folder))) + b")/bin/python"
    named = re.compile(b"|".join(start + end for start in _FIRST_LINES))
    found: dict[str, None] = {}
    for name in sorted(os.listdir(f"{folder}/bin")):  # noqa: PTH208 - names are wanted
        path = f"{folder}/bin/{name}"
        if os.path.islink(path) or not os.path.isfile(path):  # noqa: PTH113, PTH114 - paths are text here
            continue
        with open(path, "rb") as stream:  # noqa: PTH123 - as above
            start = stream.read(_START)
        if match := named.match(start):
            found[os.fsdecode(next(filter(None, match.groups())))] = None
    return tuple(dict.fromkeys([*found, *filter(None, [made_at(folder)]), folder]))


def moved_from(folder: Path) -> str:
    """Return the folder in which an environment was made that is elsewhere now, empty where it is there still."""
    before = made_at(str(folder))
    if not before:
        return ""
    try:
        same = os.path.samefile(before, folder)  # noqa: PTH121 - paths are text here
    except OSError:
        same = False
    return "" if same else before
