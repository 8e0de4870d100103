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

_ACTIVATE = 2**20

_ACTIVATED = re.compile(rb"^[ \t]*VIRTUAL_ENV=(.+)$", re.MULTILINE)


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
            words = shlex.split(found.decode("utf-8", "surrogateescape"))
        except ValueError:
            continue
        if len(words) == 1 and words[0].startswith("/"):
            return words[0]
    return ""


def spellings(folder: str) -> tuple[str, ...]:
    """Return the paths by which the files of the environment in `folder` may name it, `folder` itself the last.

    Where a link led to it when it was made, its scripts have the link's path, and where it was moved, an old one; the
    name of its own folder is the same in all of them. Raises OSError where its scripts can not be listed.
    """
    named = re.compile(rb"(/[^\0\n\"']*/" + re.escape(os.fsencode(posixpath.basename(folder))) + rb")/bin/python")
    found: dict[str, None] = {}
    for name in sorted(os.listdir(f"{folder}/bin")):  # noqa: PTH208 - names are wanted
        path = f"{folder}/bin/{name}"
        if os.path.islink(path) or not os.path.isfile(path):  # noqa: PTH113, PTH114 - paths are text here
            continue
        with open(path, "rb") as stream:  # noqa: PTH123 - as above
            start = stream.read(_START)
        if start.startswith(b"#!") and (match := named.search(b"\n".join(start.split(b"\n")[:2]))):
            found[os.fsdecode(match[1])] = None
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
