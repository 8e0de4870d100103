"""``tumpline modules``: which modules bring a package, for which Pythons; what a module brings; and what to type."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.module_groups import ModuleGroup, group_data, group_line, group_modules, load_words
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, here, site_asked
from tumpline.errors import InputError, Problem
from tumpline.host import variables
from tumpline.values import normalise, version_key

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
    rows = [row for row in known.packages if options.stdenv in ("", row.environment) and minor in ("", row.python)]
    groups = _in_order(group_modules(rows), site)
    asked: Sequence[str] = options.names or ["*/*"]
    answers = [(name, _matching(groups, name)) for name in asked]
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
        terminal.problem(_no_module(name, known, site, options))
    return 1 if missing else 0


def _known(site: Site, given: Path | None) -> _Known:
    from tumpline.catalogue.find import find_catalogue
    from tumpline.catalogue.store import open_catalogue

    given = given or (Path(chosen) if (chosen := variables().get("TUMPLINE_CATALOGUE")) else None)
    try:
        catalogue = open_catalogue(given) if given else find_catalogue(site, cache())
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


def _in_order(groups: list[ModuleGroup], site: Site) -> list[ModuleGroup]:
    """Sort: the default software environment first, then the newest; in it by module, its newest version first."""
    groups.sort(key=lambda group: version_key(group.version), reverse=True)
    groups.sort(key=lambda group: group.module)
    groups.sort(key=lambda group: group.environment, reverse=True)
    groups.sort(key=lambda group: group.environment != site.default_environment)
    return groups


def _matching(groups: Iterable[ModuleGroup], name: str) -> list[ModuleGroup]:
    """Return the groups of the modules so named, and of others what they bring of that name."""
    found: list[ModuleGroup] = []
    for group in groups:
        packages = group.packages
        if not _is_module(group, name):
            packages = tuple(package for package in packages if fnmatchcase(package[0], _pattern(name)))
        if packages:
            found.append(group._replace(packages=packages))
    return found


def _is_module(group: ModuleGroup, name: str) -> bool:
    module = group.module.lower()
    wanted = name.lower()
    return fnmatchcase(module, wanted) or fnmatchcase(f"{module}/{group.version.lower()}", wanted)


def _pattern(name: str) -> str:
    # What stands for characters in a pattern is kept.
    return normalise(name) if name.replace("-", "").replace("_", "").replace(".", "").isalnum() else name.lower()


def _load(group: ModuleGroup, known: _Known, site: Site, minor: str) -> list[str]:
    """Return what is to be loaded, in order, for the Python wanted or the one most likely to be."""
    note = known.notes.get(group[:3])
    environment = site.environment(group.environment)
    default = ".".join(environment.default_python.split(".")[:2]) if environment else ""
    loaded = ".".join(here().python.split(".")[:2])
    python = next((each for each in (minor, loaded, default) if each in group.pythons), group.pythons[-1])
    needs = note.needs if note else ()
    return load_words(group.environment, needs, f"python/{python}", f"{group.module}/{group.version}")


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
        terminal.data(f"{indent}to load: module load {shlex.join(_load(found[0], known, site, minor))}")


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


def _no_module(name: str, known: _Known, site: Site, options: argparse.Namespace) -> Problem:
    wanted = [*([f"for Python {options.python}"] if options.python else [])]
    wanted += [f"in StdEnv/{options.stdenv}"] if options.stdenv else []
    others = _matching(_in_order(group_modules(known.packages), site), name)
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
