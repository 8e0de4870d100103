"""Wheels in a folder that any number of processes share: each by its content, and found by what it was built from.

``files/<2 digits>/<sha256>/<file name>`` is a wheel, ``keys/<2 digits>/<sha256 of a key>`` says which wheel was built
of what. No locks (R20): files appear whole, by renaming, and never change. What others may have put there is not
believed: a name must be that of a wheel, and a link is not followed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.caches import CacheUse
from tumpline.host.reading import open_patiently
from tumpline.index.cache import Cache
from tumpline.wheels import parse_wheel_name

__all__ = ["BuiltWheel", "WheelStore", "key_path"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20


class BuiltWheel(NamedTuple):
    """A wheel that was built: its file, and what it must have. `origin` is the folder of a source that it refers to."""

    path: Path
    sha256: str
    size: int
    origin: str = ""


class WheelStore:
    """The folder; `use` hears of each file that is used or written."""

    def __init__(self, folder: Path, use: CacheUse | None = None) -> None:
        self.folder = folder
        self._use = use or CacheUse(folder, None, notes=False)
        self._cache = Cache(folder)

    def file(self, sha256: str, file: str, size: int | None = None) -> Path | None:
        """Return where a file is that has that name and, where it is given, that size; its content is not looked at."""
        if (path := self.place(sha256, file)) is None or not self._use.has(path):
            return None
        try:
            return path if size is None or path.stat().st_size == size else None
        except OSError:
            return None

    def built(self, key: Sequence[str]) -> BuiltWheel | None:
        """Return the wheel that was kept under a key; its content is not looked at."""
        noted = self.noted(key)
        if noted is None or self.file(noted.sha256, noted.path.name, noted.size) is None:
            return None
        self._cache.confirm(key_path(key), time.time())
        return noted

    def noted(self, key: Sequence[str]) -> BuiltWheel | None:
        """Return what is noted under a key, whether it is there or not."""
        entry = self._cache.read(key_path(key))
        if entry is None:
            return None
        try:
            sha256, file, size, origin = json.loads(entry.head)
            path = self.place(str(sha256), str(file))
            return BuiltWheel(path, str(sha256), int(size), str(origin)) if path is not None else None
        except (ValueError, TypeError, OverflowError):
            return None

    def put(self, source: Path, sha256: str = "") -> BuiltWheel:
        """Copy a wheel here, unless it is here; `sha256` is what it must have, where that is known.

        Raises OSError, and EnvironmentFailure ``wrong-hash`` where the source is damaged.
        """
        digest = hashlib.sha256()
        self._use.make_room(source.stat().st_size)
        scratch = self.folder / "files" / "partial" / f"{os.getpid()}-{os.urandom(4).hex()}"
        scratch.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open_patiently(source) as reader, scratch.open("xb") as writer:
                while piece := reader.read(_PIECE):
                    digest.update(piece)
                    writer.write(piece)
                writer.flush()
                os.fsync(writer.fileno())
                size = writer.tell()
            found = digest.hexdigest()
            if sha256 and found != sha256:
                raise EnvironmentFailure.of(
                    "wrong-hash",
                    f"{source.name} does not have the expected sha256",
                    where=str(source.parent),
                    why=f"the lock has {sha256}, and it has {found}",
                    hint="remove the file, then try again",
                )
            target = self.place(found, source.name)
            assert target is not None  # noqa: S101 - it is the name of a wheel that we fetched or built
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch.replace(target)
        finally:
            scratch.unlink(missing_ok=True)
        return BuiltWheel(target, found, size)

    def enter(self, key: Sequence[str], wheel: BuiltWheel) -> None:
        """Note what a wheel that is here was built from; not being able to is no error."""
        content = [wheel.sha256, wheel.path.name, wheel.size, wheel.origin]
        self._cache.write(key_path(key), json.dumps(content).encode("utf-8"), time.time())

    def place(self, sha256: str, file: str) -> Path | None:
        """Return where a wheel of that content and name belongs; None where these can not be."""
        try:
            name = parse_wheel_name(file).file
        except InputError:
            return None
        if not _SHA256.fullmatch(sha256) or not name.isprintable() or "\\" in name or name.startswith("."):
            return None
        return self.folder / "files" / sha256[:2] / sha256 / name


def key_path(key: Sequence[str]) -> str:
    """Return where, in the folder, it is noted what was built of a key."""
    digest = hashlib.sha256(json.dumps(list(key)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"keys/{digest[:2]}/{digest}"
