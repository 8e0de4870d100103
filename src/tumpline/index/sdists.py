"""What an sdist says of itself without being built: its PKG-INFO, read without unpacking anything (PEP 643)."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from pathlib import Path

from tumpline.errors import InputError

__all__ = ["read_pkg_info"]

_LARGEST_PKG_INFO = 16 << 20
_MOST_UNPACKED = 1 << 30
"""How many bytes of a compressed archive are walked in search of PKG-INFO."""


def read_pkg_info(path: Path) -> bytes:
    """Return the PKG-INFO of the top folder of an sdist; raises InputError ``metadata-unreadable``.

    Archives are hostile: nothing is written, links are not followed, and a bomb is left after 1 GiB.
    """
    try:
        content = _from_zip(path) if path.name.endswith(".zip") else _from_tar(path)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise _unreadable(path.name, "the archive is damaged") from error
    except RuntimeError as error:
        # What zipfile raises for an encrypted member, and for a compression it does not know.
        raise _unreadable(path.name, "the archive is encrypted or compressed in an unusual way") from error
    if content is None:
        raise _unreadable(path.name, "it has no PKG-INFO, or one that is too large")
    return content


def _from_tar(path: Path) -> bytes | None:
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.offset_data + member.size > _MOST_UNPACKED:
                return None
            if _is_top_pkg_info(member.name) and member.isreg() and member.size <= _LARGEST_PKG_INFO:
                stream = archive.extractfile(member)
                return stream.read() if stream is not None else None
    return None


def _from_zip(path: Path) -> bytes | None:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if _is_top_pkg_info(member.filename) and member.file_size <= _LARGEST_PKG_INFO:
                with archive.open(member) as stream:
                    return stream.read(_LARGEST_PKG_INFO)
    return None


def _is_top_pkg_info(member: str) -> bool:
    parts = member.removeprefix("./").split("/")
    return len(parts) == 2 and parts[1] == "PKG-INFO" and parts[0] not in ("", "..")


def _unreadable(file: str, why: str) -> InputError:
    return InputError.of(
        "metadata-unreadable",
        "the metadata of an sdist cannot be read",
        where=file,
        why=why,
        hint="choose another version, or ask whoever publishes the file",
    )
