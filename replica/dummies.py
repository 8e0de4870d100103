"""Dummy wheels: they can be found, but not installed, and say which module to load instead."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
from pathlib import Path

from replica.archive import ArchiveWriter
from replica.contents import LOCAL_TAG, DummyFamily
from replica.retag import record_line

__all__ = ["write_dummies"]

_LOCAL = f"dummy.{LOCAL_TAG}"

_REFUSAL = '''\
"""Refuse to be installed: the package comes with a module."""

import sys

sys.exit(
    """
{names}: this wheelhouse has no wheel of it, because the module {module} provides it.

Either the module is not loaded, or its version does not meet the requirement, or it has nothing for this Python.
Load it before you activate the virtual environment, and try again:

    module load {module}
"""
)
'''


def write_dummies(family: DummyFamily, folder: Path) -> list[Path]:
    """Write the wheels of a family, and the sdist that all of them need and that fails when it is built."""
    made = [_wheel(name, version, family.refuses, folder) for name in family.names for version in family.versions]
    return [*made, _refusing_sdist(family, folder)]


def _wheel(name: str, version: str, refuses: str, folder: Path) -> Path:
    full = f"{version}+{_LOCAL}"
    info = f"{name}-{full}.dist-info"
    files = {
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {full}\n"
            f"Summary: Stands for a package that a module provides\nRequires-Dist: {refuses} (==9999+{_LOCAL})\n"
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: replica\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows(record_line(path, content.encode()) for path, content in files.items())
    table.writerow([f"{info}/RECORD", "", ""])
    files[f"{info}/RECORD"] = text.getvalue()
    made = folder / f"{name}-{full}-py3-none-any.whl"
    scratch = folder / f".{made.name}.part"
    with ArchiveWriter(scratch) as writer:
        for path, content in files.items():
            writer.write(content.encode(), path)
    return scratch.replace(made)


def _refusing_sdist(family: DummyFamily, folder: Path) -> Path:
    stem = f"{family.refuses.replace('-', '_')}-9999+{_LOCAL}"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {family.refuses}\nVersion: 9999+{_LOCAL}\n",
        "setup.py": _REFUSAL.format(names=", ".join(family.names), module=family.module),
    }
    made = folder / f"{stem}.tar.gz"
    scratch = folder / f".{made.name}.part"
    # Without dates, so that the same replica has the same bytes.
    with (
        scratch.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, content in files.items():
            data = content.encode()
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return scratch.replace(made)
