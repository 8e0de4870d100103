"""What in an environment depends on where it is, and making it right for another place.

An environment knows its folder from its own files: the first line of every script, a few files that programs wrote
with absolute paths, and the rows of RECORD that hold the digests of those. virtualenv's own files (``pyvenv.cfg``,
``activate``, the links to Python) are not among them: they are made anew by virtualenv, which knows how each is quoted.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
import shlex
from collections.abc import Mapping

from tumpline.environment.layout import first_line

__all__ = ["may_hold_place", "move_record", "move_text"]

_LARGEST = 2**20
"""Bytes; what is larger is data, not a script or a setting."""


def may_hold_place(path: str, packages: tuple[str, ...]) -> bool:
    """Whether the file at a path of an environment can hold the environment's own folder.

    That is all that lies outside of the folders of `packages`, and in them the files by which installers and import
    tell where something is.
    """
    folder = next((folder for folder in packages if path.startswith(f"{folder}/")), None)
    if folder is None:
        return True
    inner = path[len(folder) + 1 :]
    if "/" not in inner:
        return inner.endswith((".pth", ".egg-link"))
    return inner.endswith(".dist-info/direct_url.json") and inner.count("/") == 1


def move_text(content: bytes, before: str, after: str) -> bytes:
    """Return a file with the folder of the environment replaced; binary and large files come back as they are.

    A script that starts with the environment's Python gets the first line that it would have got in the new place.
    """
    if len(content) > _LARGEST or b"\0" in content:
        return content
    head = b""
    for line in _first_lines(f"{before}/bin/python"):
        if content.startswith(line):
            head, content = first_line(f"{after}/bin/python"), content[len(line) :]
            break
    old, new = before.encode("utf-8", "surrogateescape"), after.encode("utf-8", "surrogateescape")
    return head + content.replace(old, new)


def _first_lines(python: str) -> tuple[bytes, ...]:
    """Return the ways in which tumpline, `installer` and pip begin a script for an interpreter."""
    end = "\"$0\" \"$@\"\n' '''\n"
    return (
        first_line(python),
        f"#!/bin/sh\n'''exec' {shlex.quote(python)} {end}".encode(),
        f"#!/bin/sh\n'''exec' \"{python}\" {end}".encode(),
    )


def move_record(content: bytes, folder: str, changed: Mapping[str, bytes]) -> bytes:
    """Return a RECORD with new digests and sizes for the files that were changed.

    `folder` is that of the packages, `changed` the new contents; the paths of both are relative to the environment.
    Raises ValueError where it is no RECORD.
    """
    found = io.StringIO()
    writer = csv.writer(found, lineterminator="\n")
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8", "surrogateescape"), newline="")))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    for row in rows:
        if len(row) != 3:
            raise ValueError("a row is not path, digest, size")
        new = changed.get(posixpath.normpath(posixpath.join(folder, row[0])))
        if new is not None and row[1]:
            digest = base64.urlsafe_b64encode(hashlib.sha256(new).digest()).rstrip(b"=").decode()
            row = [row[0], f"sha256={digest}", str(len(new))]
        writer.writerow(row)
    return found.getvalue().encode("utf-8", "surrogateescape")
