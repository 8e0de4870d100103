"""Reading on file systems whose reads may fail for a moment, as those of CVMFS and other networks do."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.host.patience import Patience

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["open_patiently", "patience"]

_BUFFER = 2**16

patience = Patience()
"""That of this process, for reads from descriptors: what it waits for in all has a limit."""


class _PatientFile(io.FileIO):
    """A file on a file system whose reads may fail for a moment: they are tried again from the same place."""

    def __init__(self, descriptor: int, patience: Patience) -> None:
        super().__init__(descriptor, "rb")
        self._patience = patience

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read as `io.RawIOBase.readinto` says."""
        return self._patience.retry(lambda: super(_PatientFile, self).readinto(buffer) or 0)

    def readall(self) -> bytes:
        """Read as `io.RawIOBase.readall` says; a part that was read before a failure is read again."""
        start = self.tell()

        def whole() -> bytes:
            self.seek(start)
            return super(_PatientFile, self).readall()

        return self._patience.retry(whole)


def open_patiently(path: Path) -> io.BufferedReader:
    """Open a file for reading; what is no regular file is opened without waiting for anybody. Raises OSError."""
    # O_NONBLOCK lets the opening of a pipe return; for regular files it has no meaning.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    patience = Patience()
    return io.BufferedReader(_PatientFile(patience.retry(lambda: os.open(path, flags)), patience), _BUFFER)
