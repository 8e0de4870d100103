"""The pip and setuptools that virtualenv keeps unpacked for the next environment (its ``app-data``).

A run that was killed, or that met a full quota, leaves parts of them behind, and every environment made after that has
a broken pip. Tumpline's own environments do not use it; those made by hand do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["SeedCache", "look_at_seeds"]

_MOST = 200
"""Kept packages that are looked at: there are two for each Python and each release of virtualenv."""

_TAIL = 2**16
_END_OF_ZIP = b"PK\5\6"


class SeedCache(NamedTuple):
    """Where the cache is, and what in it is not whole: paths below it."""

    folder: str
    broken: tuple[str, ...] = ()


def look_at_seeds(environ: Mapping[str, str], home: Path) -> SeedCache | None:
    """Return what is wrong in the cache, None where there is none. Raises OSError where it can not be read."""
    folder = Path(environ.get("VIRTUALENV_OVERRIDE_APP_DATA") or _data_folder(environ, home) / "virtualenv")
    wheels = folder / "wheel"
    if not wheels.is_dir():
        return None
    broken = [*_broken_images(wheels), *_broken_wheels(wheels / "house")]
    return SeedCache(str(folder), tuple(str(path.relative_to(folder)) for path in broken[:_MOST]))


def _data_folder(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")


def _broken_images(wheels: Path) -> Iterator[Path]:
    for image in sorted(wheels.glob("*/image/*/*PipInstall/*"))[:_MOST]:
        if image.is_dir() and not _is_whole(image):
            yield image


def _is_whole(image: Path) -> bool:
    """Whether an unpacked package (``pip-24.0-py3-none-any``) has itself and its metadata."""
    package = image / image.name.split("-")[0] / "__init__.py"
    return package.is_file() and any(image.glob("*.dist-info/METADATA"))


def _broken_wheels(house: Path) -> Iterator[Path]:
    for wheel in sorted(house.glob("*.whl"))[:_MOST]:
        if not wheel.is_file():
            continue
        with wheel.open("rb") as stream:
            stream.seek(max(0, wheel.stat().st_size - _TAIL))
            if _END_OF_ZIP not in stream.read(_TAIL):
                yield wheel
