"""``tumpline avail-wheels``: a command line of ``avail_wheels``, answered from the catalogue with the same rows.

What that program does was found by running version 2.1.3 of it; where this differs, the reference says why
(``docs/reference/avail-wheels.md``).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.catalogue.query import Ask, Terms, matches, meant, parse_ask, search
from tumpline.cli.scope import Place, open_catalogue_at
from tumpline.cli.tables import FORMATS, condensed, in_order, raw_name, render, table_rows
from tumpline.cli.wiring import here
from tumpline.errors import InputError
from tumpline.host import variables
from tumpline.values import normalise, version_key
from tumpline.wheels.name import split_wheel_name

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.store import Catalogue
    from tumpline.cli.terminal import Terminal

__all__ = ["configure", "execute"]

_COLUMNS = ("name", "version", "localversion", "build", "python", "abi", "platform", "arch")
_DEFAULT_COLUMNS = ("name", "version", "python", "arch")
_ARCHS = {False: ("avx", "avx2", "avx512", "generic", "sse3"), True: ("generic", "x86-64-v3", "x86-64-v4")}
"""Names of layers, before StdEnv/2023 and since."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of avail_wheels."""
    parser.add_argument("wheel", nargs="*", help="the name to look for, in any case; '*' stands for anything")
    parser.add_argument("-n", "--name", nargs="+", default=[], metavar="NAME", help="the same")
    parser.add_argument("--all", action="store_true", help="--all_versions --all_pythons --all_archs")
    parser.add_argument(
        *("-r", "--requirement"),
        dest="files",
        nargs="+",
        default=[],
        type=Path,
        metavar="file",
        help="a requirements file",
    )
    parser.add_argument("-V", action="version", version="avail_wheels 2.1.3, as tumpline answers it")
    versions = parser.add_mutually_exclusive_group()
    versions.add_argument("-v", "--version", metavar="version", default="", help="the version to look for")
    versions.add_argument("--all_versions", "--all-versions", action="store_true", help="all versions of each wheel")
    pythons = parser.add_mutually_exclusive_group()
    pythons.add_argument("-p", "--python", nargs="+", default=[], metavar="X.Y", help="the Pythons to look for")
    pythons.add_argument("--all_pythons", "--all-pythons", action="store_true", help="any Python")
    archs = parser.add_mutually_exclusive_group()
    archs.add_argument("-a", "--arch", nargs="+", default=[], metavar="ARCH", help="the architectures to look for")
    archs.add_argument("--all_archs", "--all-archs", action="store_true", help="any architecture")
    parser.add_argument("--mediawiki", action="store_true", help="--format mediawiki")
    parser.add_argument("--format", choices=FORMATS, default="simple", metavar="STYLE", help="the style of the table")
    parser.add_argument("--raw", action="store_true", help="file names only")
    parser.add_argument(
        "--column", choices=_COLUMNS, nargs="+", default=_DEFAULT_COLUMNS, help="which columns, in order"
    )
    parser.add_argument("--condense", action="store_true", help="one line for each name")
    parser.add_argument("--not-available", action="store_true", help="list also names that were not found")
    parser.add_argument("--not-available-only", action="store_true", help="list only names that were not found")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Answer as avail_wheels does; the status is 0 whatever is found, as its is."""
    environ = variables()
    if options.all:
        if options.arch or options.version or options.python:
            terminal.say("UserWarning: Ignoring --arch, --version and --python since --all is set.")
        options.all_archs = options.all_versions = options.all_pythons = True
    asks = _asks(options)
    with open_catalogue_at(Place(here().site_name)) as catalogue:
        info = catalogue.info
        if info.grade == "listed":
            terminal.say(
                f"a public list of {info.date} answers, which has no files: a version is listed for some Pythons"
            )
        pythons = _pythons(options, environ, catalogue)
        layers = _layers(options, environ, catalogue)
        latest = not options.all_versions and not options.version
        # It looks at file names alone.
        terms = Terms(pythons, layers, latest=False, prereleases=not asks, metadata=False)
        groups: dict[str, list[WheelRow]] = {}
        for row in _rows(catalogue, asks, terms):
            groups.setdefault(row.spelling.lower(), []).append(row)
    if latest:
        groups = {name: _latest(rows) for name, rows in groups.items()}
    missing = [ask.name.replace("-", "_") for ask in asks if not any(_means(ask, name) for name in groups)]
    if options.not_available_only:
        groups = {}
    if not (options.not_available or options.not_available_only):
        missing = []
    if options.raw:
        for rows in groups.values():
            for row in rows:
                terminal.data(raw_name(row))
        for name in missing:
            terminal.data(name)
        return 0
    table = condensed if options.condense else table_rows
    names = {name: list(table([in_order(rows)], options.column)) for name, rows in groups.items()}
    for name in missing:
        names[name] = [[name if column == "name" else "" for column in options.column]]
    lines = [cells for name in sorted(names, key=str.casefold) for cells in names[name]]
    for line in render(lines, options.column, "mediawiki" if options.mediawiki else options.format):
        terminal.data(line)
    return 0


def _asks(options: argparse.Namespace) -> list[Ask]:
    """Return what is asked for: the last of a name counts, those of the command line after those of files."""
    asks: dict[str, Ask] = {}
    for path in options.files:
        from tumpline.cli.search_files import read_asks

        for ask in read_asks(path):
            asks[ask.name] = ask
    wanted = parse_ask(f"x=={options.version}").specifier if options.version else ""
    for text in [*options.wheel, *options.name]:
        ask = parse_ask(text)
        asks[ask.name] = ask._replace(specifier=wanted) if wanted else ask
    return list(asks.values())


def _pythons(options: argparse.Namespace, environ: Mapping[str, str], catalogue: Catalogue) -> tuple[str, ...]:
    """Return the minor versions to look for; by default that of the active environment, else of the loaded module."""
    available = _available(environ, catalogue)
    for python in options.python:
        if python not in available:
            raise InputError.of(
                "unknown-python",
                f"there is no Python {python} here",
                where="--python",
                hint=f"choose from: {', '.join(available)}",
            )
    current = _current(environ)
    if options.all_pythons:
        return available
    return tuple(options.python) or ((current,) if current else available)


def _available(environ: Mapping[str, str], catalogue: Catalogue) -> tuple[str, ...]:
    """Return the Pythons of the folders in ``PYTHON_DIRS``, as avail_wheels does, else those of the catalogue."""
    found: set[str] = set()
    for pattern in filter(None, environ.get("PYTHON_DIRS", "").split(":")):
        for folder in Path("/").glob(pattern.lstrip("/")):
            found |= {entry.name for entry in folder.iterdir() if re.match(r"\d+\.\d+", entry.name)}
    found = found or {python for _, python in catalogue.pythons()} or set(catalogue.minors())
    minors = {".".join(python.split(".")[:2]) for python in found}
    return tuple(sorted(minors, key=lambda minor: [int(part) for part in minor.split(".")]))


def _current(environ: Mapping[str, str]) -> str:
    """Return the minor version of the active virtual environment, else of the loaded module."""
    if folder := environ.get("VIRTUAL_ENV"):
        try:
            text = (Path(folder) / "pyvenv.cfg").read_text("utf-8", "replace")
        except OSError:
            text = ""
        if found := re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", text, re.MULTILINE):
            return found[1]
    return ".".join(here().python.split(".")[:2]) or ".".join(environ.get("EBVERSIONPYTHON", "").split(".")[:2])


def _layers(options: argparse.Namespace, environ: Mapping[str, str], catalogue: Catalogue) -> tuple[str, ...] | None:
    """Return the layers that pip's configuration names, those of the given architectures in their order."""
    known = catalogue.info.layers
    archs = _ARCHS[environ.get("EBVERSIONGENTOO", "") >= "2023"]
    for arch in options.arch:
        if arch not in archs:
            raise InputError.of(
                "unknown-arch",
                f"{arch} is no architecture here",
                where="--arch",
                hint=f"choose from: {', '.join(archs)}",
            )
    if not known:
        return None
    layers = _configured(environ, known) or known
    if options.arch:
        layers = tuple(layer for arch in options.arch for layer in layers if layer.endswith(arch))
    return layers


def _configured(environ: Mapping[str, str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the catalogue's layers that the find-links of ``PIP_CONFIG_FILE`` end in."""
    path = environ.get("PIP_CONFIG_FILE", "")
    if not path:
        return ()
    import configparser

    configuration = configparser.RawConfigParser()
    try:
        configuration.read(path, "utf-8")
        links = configuration.get("wheel", "find-links", fallback="")
    except (configparser.Error, OSError, UnicodeError):
        return ()
    fitting = ([layer for layer in known if link.rstrip("/").endswith(f"/{layer}")] for link in links.split())
    # Where one layer's name ends in another's, the longer one is meant.
    return tuple(max(layers, key=len) for layers in fitting if layers)


def _rows(catalogue: Catalogue, asks: Sequence[Ask], terms: Terms) -> Iterator[WheelRow]:
    """Yield the wheels, and the dummies among them, which avail_wheels does not tell from wheels."""
    for each in search(catalogue, asks, terms):
        yield from each.wheels
    yield from _dummies(catalogue, asks, terms)


def _dummies(catalogue: Catalogue, asks: Sequence[Ask], terms: Terms) -> Iterator[WheelRow]:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.query import admits

    for note in catalogue.notes():
        parts = split_wheel_name(note.file) if note.kind == "dummy" else None
        if parts is None:
            continue
        spelling, version, build, tags = parts
        name = normalise(spelling)
        row = WheelRow(name, version, note.layer, tags, build, spelling, (), note.size, note.mtime_ns)
        wanted = [ask.specifier for ask in meant(asks, name)] if asks else [""]
        if terms.fits(row) and any(admits(specifier, version, terms.prereleases) for specifier in wanted):
            yield row


def _latest(rows: list[WheelRow]) -> list[WheelRow]:
    """Return the wheels of the newest version, local part included."""
    newest = max(version_key(row.version) for row in rows) if len({row.version for row in rows}) > 1 else None
    return rows if newest is None else [row for row in rows if version_key(row.version) == newest]


def _means(ask: Ask, spelled: str) -> bool:
    return matches(ask, normalise(spelled))
