"""``tumpline pythons``: the Pythons of a site, by software environment, and from what evidence they are known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.site_command import inferred_mark
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, here, site_asked
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.host.lmod import Lmod
    from tumpline.sites import Site
    from tumpline.sites.detect import Detection

__all__ = ["configure", "execute"]

_STDENV = "StdEnv"


@dataclass(slots=True)
class _Environment:
    """What is known of one software environment: of each Python the evidence, and the default, or nothing.

    `mark` says that the default was inferred (R24).
    """

    pythons: dict[str, list[str]] = field(default_factory=dict)
    default: str = ""
    mark: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "site", nargs="?", metavar="SITE", default="", help="the site (default: this one, else the Alliance)"
    )
    parser.add_argument("--stdenv", default="", metavar="NAME", help="only this software environment")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Answer; raises NotSo ``no-pythons``, InputError ``unknown-environment``, and what loading sites raises."""
    site = site_asked(options.site)
    detection = here()
    is_here = options.site == "here" or site.name == detection.site_name
    environments = {each.name: _Environment() for each in site.environments}
    for each in site.environments:
        _add(environments, each.name, each.pythons, "profile", each.default_python)
        environments[each.name].mark = inferred_mark(site, f"environments.{each.name}.default-python")
    _add_scanned(environments, site)
    lmod = _module_system() if is_here and environments else None
    if lmod is not None:
        _add_loadable(environments, lmod, terminal)
    if not environments:
        raise NotSo.of(
            "no-pythons",
            f"no Pythons are known of {site.name}",
            why="it is no cluster with software environments",
            hint="there, any Python on PATH can be used: set python in the project's targets",
        )
    if options.stdenv and options.stdenv not in environments:
        raise InputError.of(
            "unknown-environment",
            f"{site.name} has no software environment {options.stdenv}",
            where="--stdenv",
            hint=f"choose one of: {', '.join(environments)}",
        )
    shown = {name: found for name, found in environments.items() if options.stdenv in ("", name)}
    loaded = detection if is_here else None
    if terminal.json:
        terminal.data(json.dumps(_data(site, shown, loaded, lmod), indent=2))
    else:
        if not options.site:
            terminal.say(f"{site.name}: {site.title}")
        for line in _lines(site, shown, loaded):
            terminal.data(line)
    return 0


def _add(
    environments: dict[str, _Environment], name: str, pythons: tuple[str, ...], evidence: str, default: str = ""
) -> None:
    found = environments.setdefault(name, _Environment())
    for python in pythons:
        found.pythons.setdefault(python, []).append(evidence)
    found.default = default or found.default


def _add_scanned(environments: dict[str, _Environment], site: Site) -> None:
    """Add what a scan of the site has found; what tumpline ships was itself made from profiles."""
    from tumpline.catalogue.find import catalogue_path
    from tumpline.catalogue.store import open_catalogue

    path = catalogue_path(site, cache())
    if not path.exists():
        return
    with open_catalogue(path) as catalogue:
        if catalogue.info.grade == "scanned":
            for environment, python in catalogue.pythons():
                _add(environments, environment, (python,), f"catalogue of {catalogue.info.date}")


def _module_system() -> Lmod | None:
    from tumpline.host.lmod import Lmod

    return Lmod.find(variables())


def _add_loadable(environments: dict[str, _Environment], lmod: Lmod, terminal: Terminal) -> None:
    """Add what can be loaded here; what the module system does not answer is told, and stops nothing."""
    from tumpline.catalogue.modules import offered_pythons

    with LiveLine(terminal) as live:
        try:
            names = [name.partition("/")[2] for name in lmod.available(_STDENV, lmod.load())]
        except EnvironmentFailure as failure:
            terminal.note(failure.problems[0])
            return
        for name in names:
            live(f"asking for the Pythons of {_STDENV}/{name}")
            try:
                offered = offered_pythons(lmod, lmod.load(f"{_STDENV}/{name}"))
            except EnvironmentFailure as failure:
                terminal.note(failure.problems[0])
                continue
            _add(environments, name, offered.versions, "module system", offered.default)
            if offered.default:
                environments[name].mark = ""


def _lines(site: Site, environments: dict[str, _Environment], loaded: Detection | None) -> Iterator[str]:
    for name, found in environments.items():
        marks = [f"default{inferred_mark(site, 'default-environment')}"] if name == site.default_environment else []
        marks += ["loaded"] if loaded and loaded.environment == name else []
        yield f"{_STDENV}/{name}: {', '.join(marks)}" if marks else f"{_STDENV}/{name}"
        if not found.pythons:
            yield "  no Python is known"
        rows: list[tuple[str, str, str]] = []
        for python, evidence in _sorted(found):
            marks = [f"default{found.mark}"] if python == found.default else []
            marks += ["loaded"] if _is_loaded(loaded, name, python) else []
            rows.append((python, ", ".join(marks), ", ".join(evidence)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _data(
    site: Site, environments: dict[str, _Environment], loaded: Detection | None, lmod: Lmod | None
) -> dict[str, object]:
    return {
        "schema": "tumpline.pythons/1",
        "site": site.name,
        "module-system": lmod.title if lmod else None,
        "environments": [
            {
                "name": name,
                "default": name == site.default_environment,
                "loaded": bool(loaded and loaded.environment == name),
                "pythons": [
                    {
                        "version": python,
                        "default": python == found.default,
                        "inferred": python == found.default and bool(found.mark),
                        "loaded": _is_loaded(loaded, name, python),
                        "evidence": evidence,
                    }
                    for python, evidence in _sorted(found)
                ],
            }
            for name, found in environments.items()
        ],
    }


def _sorted(found: _Environment) -> list[tuple[str, list[str]]]:
    from tumpline.values import version_key

    return sorted(found.pythons.items(), key=lambda row: version_key(row[0]))


def _is_loaded(loaded: Detection | None, environment: str, python: str) -> bool:
    return loaded is not None and loaded.environment in ("", environment) and loaded.python == python
