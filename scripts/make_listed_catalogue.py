"""Make the catalogue that tumpline ships from the Alliance's public wheel lists.

    python scripts/make_listed_catalogue.py LISTS_DIR OUT [--date YYYY-MM-DD]

LISTS_DIR holds ``Wheels<X.Y>_<date>.tsv``; those of the newest date are read, or of the one given. OUT is the folder of
the package data; what was made before is removed from it. Modules and dummies are taken from the shipped site profiles.
The same lists and profiles give the same bytes (with the same versions of SQLite and liblzma).
"""

from __future__ import annotations

import argparse
import lzma
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from tumpline import __version__
from tumpline.catalogue.content import Content, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.shipped import SHIPPED
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import InputError
from tumpline.sites import Dummy, ModulePackage
from tumpline.sites.load import list_sites, module_packages
from tumpline.values import Name, normalise

__all__ = ["Lists", "main", "make_listed", "read_lists"]

_LIST = re.compile(r"Wheels(\d+\.\d+)_(\d{4}-\d{2}-\d{2})\.tsv")


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a day: the day, the files, and the Pythons for which each (name, version) is listed.

    `spellings` are the names as wheels have them; of several the last is taken, since the newest wheels have it.
    """

    date: str
    files: tuple[str, ...]
    rows: dict[tuple[Name, str], set[str]]
    spellings: dict[Name, str]


def read_lists(folder: Path, date: str = "") -> Lists:
    """Read the lists of a date, else of the newest; raises InputError ``no-wheel-lists`` or ``bad-wheel-list``."""
    found = [(match[2], match[1], path) for path in folder.iterdir() if (match := _LIST.fullmatch(path.name))]
    if not found or (date and all(day != date for day, _, _ in found)):
        of_that = f" of {date}" if date else ""
        raise InputError.of("no-wheel-lists", f"there are no wheel lists{of_that}", where=str(folder))
    date = date or max(day for day, _, _ in found)
    newest = sorted((Version(python), path) for day, python, path in found if day == date)
    rows: dict[tuple[Name, str], set[str]] = {}
    spelled: dict[Name, str] = {}
    for python, path in newest:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            spellings, tab, versions = line.partition("\t")
            names = {normalise(spelling.strip()) for spelling in spellings.split(",")}
            if not tab or len(names) != 1 or not versions.strip():
                raise InputError.of("bad-wheel-list", "a row is not understood", where=f"{path.name}:{number}")
            (name,) = names
            spelled[name] = spellings.rpartition(",")[2].strip()
            for version in versions.split(","):
                rows.setdefault((name, str(Version(version.strip()))), set()).add(str(python))
    return Lists(date, tuple(path.name for _, path in newest), rows, spelled)


def make_listed(
    lists: Lists, modules: tuple[ModulePackage, ...], dummies: tuple[Dummy, ...], pythons: Sequence[tuple[str, str]]
) -> Content:
    """Make the content; no version of a dummy is a wheel (R5), though the lists show them as if they were.

    Raises InputError ``unknown-dummy`` where a name has the version 9999, as only dummies do, and is not known as one.
    """
    known = {dummy.name for dummy in dummies}
    unknown = sorted({name for name, version in lists.rows if version in ("9999", "4.9999")} - known)
    if unknown:
        raise InputError.of("unknown-dummy", f"these look like dummies and are not known: {', '.join(unknown)}")
    wheels = [
        WheelRow(name, version, spelling=lists.spellings[name], pythons=tuple(sorted(minors, key=Version)))
        for (name, version), minors in sorted(lists.rows.items())
        if name not in known
    ]
    return Content(
        site=SHIPPED,
        grade="listed",
        date=lists.date,
        made_by=f"tumpline {__version__}",
        sources=(f"public wheel lists of {lists.date}: {', '.join(lists.files)}", "module tables of the site profiles"),
        layers=(),
        wheels=wheels,
        dummies=dummies,
        modules=modules,
        pythons=tuple(pythons),
    )


def main(words: Sequence[str] | None = None) -> int:
    """Make the file and say how large it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lists", type=Path, metavar="LISTS_DIR")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--date", metavar="YYYY-MM-DD", default="", help="the lists of this date")
    options = parser.parse_args(words)
    try:
        modules, dummies, pythons = _facts_of_profiles()
        content = make_listed(read_lists(options.lists, options.date), modules, dummies, pythons)
        size = _write(content, options.out)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    projects = len({wheel.name for wheel in content.wheels})
    print(f"{content.date}: {len(content.wheels)} releases of {projects} projects, {len(modules)} rows of modules")
    print(f"{size} bytes, {size / len(content.wheels):.1f} for each release")
    return 0


def _facts_of_profiles() -> tuple[tuple[ModulePackage, ...], tuple[Dummy, ...], tuple[tuple[str, str], ...]]:
    """Return modules, dummies and Pythons of all shipped sites that the catalogue is for, each fact once."""
    sites = [site for site in list_sites() if site.catalogue == SHIPPED]
    pythons = {
        (environment.name, python)
        for site in sites
        for environment in site.environments
        for python in environment.pythons
    }
    return (
        tuple(dict.fromkeys(package for site in sites for package in module_packages(site))),
        tuple(dict.fromkeys(dummy for site in sites for dummy in site.dummies)),
        tuple(sorted(pythons)),
    )


def _write(content: Content, out: Path) -> int:
    tables = encode(content)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "catalogue.sqlite"
        write_catalogue(plain, content, tables)
        packed = lzma.compress(plain.read_bytes(), preset=9 | lzma.PRESET_EXTREME)
    for old in out.glob(f"{SHIPPED}-*.sqlite.xz"):
        old.unlink()
    (out / f"{SHIPPED}-{tables.identity.removeprefix('sha256:')[:16]}.sqlite.xz").write_bytes(packed)
    return len(packed)


if __name__ == "__main__":
    raise SystemExit(main())
