"""``tumpline modules``: which modules bring a package, for which Pythons; what a module brings; and what to type."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.catalogue.near import sort_modules
from tumpline.cli.module_groups import ModuleGroup, group_data, group_line, group_modules, load_words
from tumpline.cli.scope import place_of
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, site_asked
from tumpline.errors import InputError, Problem
from tumpline.host import variables
from tumpline.values import normalise

if TYPE_CHECKING:
    from tumpline.catalogue.content import ModuleNote
    from tumpline.catalogue.store import Catalogue
    from tumpline.sites import ModulePackage, Site

__all__ = ["configure", "execute"]

_MARKS = {"read": "", "stated": "as the module states: inferred", "table": "from the profile"}


class _Known(NamedTuple):
    """What is known of a site's modules; `source` says from where, `wheels` are the names that have wheels."""

    packages: tuple[ModulePackage, ...]
    notes: Mapping[tuple[str, str, str], ModuleNote]
    wheels: frozenset[str]
    source: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a package (pyarrow), a module (arrow, arrow/17.0.0), or a pattern of either (default: all modules)",
    )
    parser.add_argument(
        "--site", default="", metavar="SITE", help="the site (default: this one, else all of the Alliance)"
    )
    parser.add_argument("--python", default="", metavar="X.Y", help="only what is for this Python")
    parser.add_argument("--stdenv", default="", metavar="NAME", help="only this software environment")
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="look into this catalogue")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Answer; 1 where a name is brought by no module. Raises what loading sites and opening catalogues raises."""
    site = site_asked(options.site)
    if options.stdenv and site.environment(options.stdenv) is None:
        raise InputError.of(
            "unknown-environment",
            f"{site.name} has no software environment {options.stdenv}",
            where="--stdenv",
            hint=f"choose one of: {', '.join(each.name for each in site.environments) or 'none'}",
        )
    known = _known(site, options.catalogue)
    minor = ".".join(options.python.split(".")[:2])
    place = place_of(options.site, options.stdenv)
    environment = place.environment or site.default_environment
    rows = [row for row in known.packages if options.stdenv in ("", row.environment) and minor in ("", row.python)]
    groups = group_modules(rows)
    asked: Sequence[str] = options.names or ["*/*"]
    answers = [(name, _matching(groups, name, environment)) for name in asked]
    minor = minor or ".".join(place.python.split(".")[:2])
    missing = [name for name, found in answers if not found]
    if terminal.json:
        data = [_answer_data(name, found, known, site, minor) for name, found in answers]
        terminal.data(
            json.dumps(
                {"schema": "tumpline.modules/1", "site": site.name, "source": known.source, "answers": data}, indent=2
            )
        )
        return 1 if missing else 0
    for name, found in answers:
        _tell(name if len(answers) > 1 else "", found, known, site, minor, terminal, load=bool(options.names))
    terminal.say(f"from {known.source}")
    for name in missing:
        terminal.problem(_no_module(name, known, site, environment, options))
    return 1 if missing else 0


def _known(site: Site, given: Path | None) -> _Known:
    from tumpline.catalogue.find import find_catalogue

    given = given or (Path(chosen) if (chosen := variables().get("TUMPLINE_CATALOGUE")) else None)
    try:
        catalogue = find_catalogue(site, cache(), given)
    except InputError as error:
        if given or error.code != "no-catalogue":
            raise
        from tumpline.sites.load import module_packages

        return _Known(module_packages(site), {}, frozenset(), f"the profile of {site.name}")
    with catalogue:
        return _from_catalogue(catalogue)


def _from_catalogue(catalogue: Catalogue) -> _Known:
    info = catalogue.info
    return _Known(
        catalogue.modules(),
        {note[:3]: note for note in catalogue.module_notes()},
        frozenset(catalogue.names()),
        f"the catalogue of {info.site}, {info.grade}, of {info.date}",
    )


def _matching(groups: Iterable[ModuleGroup], name: str, environment: str) -> list[ModuleGroup]:
    """Return the groups of the modules so named, and of others what they bring of that name, those to load first.

    The modules of the software environment come before others; of one package, those that bring the newest version.
    """
    found: list[ModuleGroup] = []
    for group in groups:
        packages = group.packages
        if not _is_module(group, name):
            packages = tuple(package for package in packages if fnmatchcase(package[0], _pattern(name)))
        if packages:
            found.append(group._replace(packages=packages))
    one = all([package for package, _ in group.packages] == [_pattern(name)] for group in found)
    sort_modules(found, lambda each: (*each[:3], each.packages[0][1] if one else ""), environment)
    return found


def _is_module(group: ModuleGroup, name: str) -> bool:
    module = group.module.lower()
    wanted = name.lower()
    return fnmatchcase(module, wanted) or fnmatchcase(f"{module}/{group.version.lower()}", wanted)


def _pattern(name: str) -> str:
    # What stands for characters in a pattern is kept.
    return normalise(name) if name.replace("-", "").replace("_", "").replace(".", "").isalnum() else name.lower()


def _load(group: ModuleGroup, known: _Known, site: Site, minor: str) -> list[str]:
    """Return what is to be loaded, in order, for the Python that is asked for or loaded if it is for that."""
    note = known.notes.get(group[:3])
    needs = note.needs if note else ()
    return load_words(site, group.environment, needs, f"{group.module}/{group.version}", group.pythons, [minor])


def _mark(group: ModuleGroup, known: _Known) -> str:
    """Say how it is known, where some of the catalogue is known in a better way (R24)."""
    note = known.notes.get(group[:3])
    evidence = note.evidence if note else "table"
    return _MARKS.get(evidence, evidence) if known.notes else ""


def _tell(
    name: str, found: Sequence[ModuleGroup], known: _Known, site: Site, minor: str, terminal: Terminal, *, load: bool
) -> None:
    if name and found:
        terminal.data(f"{name}:")
    indent = "  " if name else ""
    for group in found:
        terminal.data(f"{indent}{group_line(group, _mark(group, known))}")
    if load and found:
        best = next((group for group in found if minor in group.pythons), found[0])
        terminal.data(f"{indent}to load: module load {shlex.join(_load(best, known, site, minor))}")


def _answer_data(name: str, found: Sequence[ModuleGroup], known: _Known, site: Site, minor: str) -> dict[str, object]:
    rows: list[dict[str, object]] = []
    for group in found:
        note = known.notes.get(group[:3])
        load = _load(group, known, site, minor)
        rows.append({**group_data(group), "evidence": note.evidence if note else "table", "load": load})
    return {"name": name, "modules": rows, "near": [] if found else _near(name, known)}


def _near(name: str, known: _Known) -> list[str]:
    """Return the names of packages and modules that are spelled much the same."""
    from difflib import get_close_matches

    names = {str(row.name) for row in known.packages}
    names |= {row.module for row in known.packages} | {f"{row.module}/{row.module_version}" for row in known.packages}
    return get_close_matches(name.lower(), sorted(names), 5, 0.7)


def _no_module(name: str, known: _Known, site: Site, environment: str, options: argparse.Namespace) -> Problem:
    wanted = [*([f"for Python {options.python}"] if options.python else [])]
    wanted += [f"in StdEnv/{options.stdenv}"] if options.stdenv else []
    others = _matching(group_modules(known.packages), name, environment)
    near = _near(name, known)
    if others:
        hint = "leave out --python or --stdenv to see all that is there"
    elif normalise(name) in known.wheels:
        hint = "the wheelhouse has wheels of it: no module is needed"
    elif near:
        hint = f"did you mean {' or '.join(near)}?"
    else:
        hint = "tumpline modules, without a name, shows all modules that bring Python packages"
    return Problem(
        "no-module",
        " ".join([f"no module of {site.name} is or brings {name}", *wanted]),
        why="\n".join(f"there is {group_line(group)}" for group in others[:3]),
        hint=hint,
    )
