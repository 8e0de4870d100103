"""What an sdist says of itself without being built: its PKG-INFO, read without unpacking anything (PEP 643)."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

from tumpline.errors import InputError

__all__ = ["read_pkg_info", "read_top_files"]

_LARGEST_FILE = 16 << 20
_MOST_UNPACKED = 1 << 30
"""How many bytes of a compressed archive are walked in search of a file."""


def read_pkg_info(path: Path) -> bytes:
    """Return the PKG-INFO of the top folder of an sdist; raises InputError ``metadata-unreadable``.

    Archives are hostile: nothing is written, links are not followed, and a bomb is left after 1 GiB.
    """
    content = read_top_files(path, ("PKG-INFO",)).get("PKG-INFO")
    if content is None:
        raise _unreadable(path.name, "it has no PKG-INFO, or one that is too large")
    return content


def read_top_files(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Return those of the files that an archive has below its top folder, by their paths from there.

    The same care is taken as in `read_pkg_info`; files of more than 16 MiB count as absent.
    """
    try:
        return _from_zip(path, wanted) if path.name.endswith(".zip") else _from_tar(path, wanted)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise _unreadable(path.name, "the archive is damaged") from error
    except RuntimeError as error:
        # What zipfile raises for an encrypted member, and for a compression it does not know.
        raise _unreadable(path.name, "the archive is encrypted or compressed in an unusual way") from error


def _from_tar(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r|gz") as archive:
        for member in archive:
            if member.offset_data + member.size > _MOST_UNPACKED:
                break
            name = _below_top(member.name)
            if name in wanted and name not in found and member.isreg() and member.size <= _LARGEST_FILE:
                stream = archive.extractfile(member)
                if stream is not None:
                    found[name] = stream.read()
                if len(found) == len(wanted):
                    break
    return found


def _from_zip(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = _below_top(member.filename)
            if name in wanted and name not in found and member.file_size <= _LARGEST_FILE:
                with archive.open(member) as stream:
                    found[name] = stream.read(_LARGEST_FILE)
    return found


def _below_top(member: str) -> str:
    """Return a member's path from the archive's top folder, empty for what is not in one."""
    top, _, rest = member.removeprefix("./").partition("/")
    return rest if top not in ("", "..") else ""


def _unreadable(file: str, why: str) -> InputError:
    return InputError.of(
        "metadata-unreadable",
        "the metadata of an sdist cannot be read",
        where=file,
        why=why,
        hint="choose another version, or ask whoever publishes the file",
    )
