"""Files of the generation before, taken over by hard links where they are what the wheel says they are.

Nothing is believed of the generation before: each of its files is read and held against the wheel's RECORD, as one
that is unpacked. What is saved is the unpacking and the writing, and on file systems that count files, the files.
Scripts hold the path of their environment and are always written.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from contextlib import suppress
from typing import Protocol

__all__ = ["Earlier"]

_IMPOSSIBLE = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS)
"""What a file system says on which no link will ever work."""


class Content(Protocol):
    """What a file has to be."""

    def is_same(self, descriptor: int, size: int) -> bool:
        """Whether an open file of `size` bytes is that; raises OSError."""
        ...


class Earlier:
    """The generation in the folder `earlier`, for wheels that are installed into the folder `root`."""

    def __init__(self, earlier: str, root: str, umask: int) -> None:
        self._earlier = earlier
        self._root = root
        self._modes = {False: 0o666 & ~umask, True: (0o777 & ~umask) | 0o111}

    def link(self, target: str, content: Content, executable: bool) -> int | None:
        """Link a file to `target`, an absolute path below the root, and return its size.

        Returns None, and has changed nothing but made folders, where there is no such file, where it is not what the
        wheel says, where something is at `target`, and where links are not possible.
        """
        if not self._earlier:
            return None
        source = self._earlier + target.removeprefix(self._root)
        try:
            descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
            if not own or stat.S_IMODE(status.st_mode) != self._modes[executable]:
                return None
            if not content.is_same(descriptor, status.st_size):
                return None
            return status.st_size if self._linked(source, target, (status.st_dev, status.st_ino)) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _linked(self, source: str, target: str, identity: tuple[int, int]) -> bool:
        try:
            try:
                os.link(source, target, follow_symlinks=False)
            except FileNotFoundError:
                os.makedirs(posixpath.dirname(target), exist_ok=True)  # noqa: PTH103 - paths are text here
                os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno in _IMPOSSIBLE:
                self._earlier = ""
            return False
        found = os.lstat(target)
        if (found.st_dev, found.st_ino) == identity:
            return True
        # Another file took the place of the one that was looked at.
        with suppress(OSError):
            os.unlink(target)  # noqa: PTH108 - see above
        return False
