"""The catalogue that comes with tumpline: the Alliance's public lists, grade ``listed``.

It is shipped compressed, made by ``scripts/make_listed_catalogue.py``, and expanded into the cache folder the first
time it is needed. Its file name holds its identity, so an expanded one is never that of another release.
"""

from __future__ import annotations

from pathlib import Path

from tumpline.catalogue.store import Catalogue, open_catalogue, open_in_memory
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host import write_atomically

__all__ = ["DATA", "SHIPPED", "open_shipped"]

SHIPPED = "alliance"
"""The name of the catalogue that is shipped; site profiles refer to it."""

DATA = Path(__file__).parent / "data"


def open_shipped(cache_folder: Path, data: Path = DATA) -> Catalogue:
    """Open the shipped catalogue; writes ``catalogues/shipped/`` in the cache folder the first time.

    Where the cache folder can not be written, the catalogue is kept in memory. Raises InputError
    ``installation-damaged`` where the package data is missing or broken.
    """
    packed = next(iter(sorted(data.glob(f"{SHIPPED}-*.sqlite.xz"))), None)
    if packed is None:
        raise _installation_damaged(data, "the file of the shipped catalogue is missing")
    expanded = cache_folder / "catalogues" / "shipped" / packed.stem
    try:
        return open_catalogue(expanded)
    except InputError:
        # It is not there yet, or something has happened to it: either way it is made from what was shipped.
        content = _expand(packed)
    except EnvironmentFailure:
        return open_in_memory(_expand(packed), str(packed))
    try:
        write_atomically(expanded, content)
    except EnvironmentFailure:
        return open_in_memory(content, str(packed))
    return open_catalogue(expanded)


def _expand(packed: Path) -> bytes:
    # Once on each machine: nobody else waits for the import.
    import lzma

    try:
        return lzma.decompress(packed.read_bytes(), lzma.FORMAT_XZ)
    except (OSError, lzma.LZMAError) as error:
        raise _installation_damaged(packed, str(error)) from error


def _installation_damaged(where: Path, why: str) -> InputError:
    return InputError.of(
        "installation-damaged",
        "a file that comes with tumpline can not be read",
        where=str(where),
        why=why,
        hint="install tumpline again",
    )
