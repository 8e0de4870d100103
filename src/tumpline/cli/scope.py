"""Where a search looks: which catalogue, which of its layers, for which Pythons.

A catalogue says itself which layers each site sees (`Catalogue.views`), so that the usual search parses no profile:
that takes longer than all the rest.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.catalogue.query import Terms
from tumpline.cli.wiring import cache, find_project, here, load_site_named, site_asked, user_profiles
from tumpline.errors import InputError
from tumpline.host import variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumpline.catalogue.content import View
    from tumpline.catalogue.store import Catalogue
    from tumpline.sites import Site

__all__ = [
    "Place",
    "Scope",
    "add_scope_options",
    "check_needs_known",
    "open_catalogue_at",
    "open_scope",
    "place_of",
    "site_of",
]


class Place(NamedTuple):
    """What is known of where the wheels are to run, as far as it was said or is loaded; empty where it is not.

    `python` is a version or a minor version.
    """

    site: str
    environment: str = ""
    level: str = ""
    python: str = ""
    modules: tuple[str, ...] = ()


class Scope(NamedTuple):
    """An open catalogue and what is looked for in it; `words` say for people what was assumed.

    `environments` say of layers to which software environment they belong, where they belong to one only. `unread` are
    layers that the place sees and the catalogue does not know: nothing is said of their wheels.
    """

    catalogue: Catalogue
    place: Place
    terms: Terms
    environments: dict[str, str]
    words: str
    unread: tuple[str, ...] = ()


def add_scope_options(parser: argparse.ArgumentParser) -> None:
    """Declare where to look."""
    group = parser.add_argument_group("where to look")
    group.add_argument("--site", metavar="SITE", default="", help="the site (default: this one, else the Alliance)")
    group.add_argument("--target", metavar="NAME", default="", help="a target of the project: its site, Python, layers")
    group.add_argument("--project", type=Path, metavar="DIR", help="the project's folder, for --target")
    group.add_argument("--stdenv", metavar="NAME", default="", help="the software environment (default: as loaded)")
    group.add_argument("--catalogue", type=Path, metavar="FILE", help="look into this catalogue")
    group.add_argument(
        "-p", "--python", nargs="+", action="extend", default=[], metavar="X.Y", help="for these Pythons"
    )
    group.add_argument(
        "--all-pythons", "--all_pythons", action="store_true", help="for any Python, also where one is loaded"
    )
    group.add_argument(
        "-a", "--arch", nargs="+", action="extend", default=[], metavar="NAME", help="only layers of this name"
    )
    group.add_argument(
        "--all-archs", "--all_archs", action="store_true", help="all layers, of any CPU level and software environment"
    )


def open_scope(options: argparse.Namespace) -> Scope:
    """Open the catalogue that the options mean; the caller closes it.

    Raises InputError ``unknown-target``, ``unknown-environment``, ``unknown-arch``, ``layers-unknown``, ``bad-python``,
    and what loading sites and opening catalogues raises.
    """
    place = _place(options)
    catalogue = open_catalogue_at(place, options.catalogue, named=bool(options.site or options.target))
    try:
        views = catalogue.views()
        seen = [view for view in views if view.site == place.site] or list(views)
        known = catalogue.info.layers
        if options.arch and not known:
            raise InputError.of(
                "layers-unknown",
                "a public list does not say in which layer a wheel is",
                where=catalogue.where,
                hint="leave out --arch, or make a catalogue from the wheels: tumpline catalogue scan",
            )
        layers, unread, words = _layers(options, place, seen, known)
        # As for wheels, the first view is that of the default.
        environment = place.environment or (seen[0].environment if seen and known else "")
        terms = Terms(_pythons(options, place), layers, environment="" if known and options.all_archs else environment)
    except BaseException:
        catalogue.close()
        raise
    return Scope(catalogue, place, terms, _environments(views), words, unread)


def site_of(scope: Scope) -> Site:
    """Return the profile of the place; where that has no wheelhouse, of the site whose catalogue it is."""
    site = load_site_named(scope.place.site)
    return site if site.catalogue is not None else load_site_named(scope.catalogue.info.site)


def check_needs_known(catalogue: Catalogue) -> None:
    """Raise InputError ``needs-unknown`` where the catalogue does not know what all of its wheels require."""
    if catalogue.depth != "metadata":
        raise InputError.of(
            "needs-unknown",
            "the catalogue does not know what wheels require",
            where=catalogue.where,
            why="it is a public list" if catalogue.info.grade == "listed" else "only file names were read",
            hint="make one from the wheels (tumpline catalogue scan on the cluster, or tumpline catalogue pull), or "
            "lock a project: tumpline lock asks the index",
        )


def _place(options: argparse.Namespace) -> Place:
    """Return the place that the options name, or the machine at hand with what is loaded."""
    if options.target:
        from tumpline.project.read import read_project

        requests = read_project(find_project(options)).settings.targets
        found = next((request for request in requests if request.name == options.target), None)
        if found is None:
            names = ", ".join(request.name for request in requests)
            raise InputError.of(
                "unknown-target",
                f"the project has no target {options.target}",
                where="--target",
                hint=f"choose one of: {names}" if names else "add one under [tool.tumpline.targets]",
            )
        site = here().site_name if found.site == "here" else found.site
        environment = options.stdenv or found.environment
        return Place(site, environment, found.cpu_level, found.python, found.modules)
    return place_of(options.site, options.stdenv)


def place_of(site: str, environment: str = "") -> Place:
    """Return the place of that name; where none or ``here`` is named, the machine at hand with what is loaded."""
    if site and site != "here":
        return Place(site, environment)
    detection = here()
    modules = tuple(filter(None, variables().get("LOADEDMODULES", "").split(":")))
    environment = environment or detection.environment
    return Place(detection.site_name, environment, detection.cpu_level, detection.python, modules)


def open_catalogue_at(place: Place, given: Path | None = None, *, named: bool = False) -> Catalogue:
    """Open the catalogue that is given, or by ``TUMPLINE_CATALOGUE``, else what the site's profile leads to.

    Where the place was not `named` and offers nothing, that is all of the Alliance. Raises InputError ``no-catalogue``,
    ``unknown-environment``, and what loading sites and opening catalogues raises.
    """
    from tumpline.catalogue.opening import open_any

    if given is None and (chosen := variables().get("TUMPLINE_CATALOGUE")):
        given = Path(chosen)
    if given is not None:
        return open_any(given)
    from tumpline.catalogue.find import find_catalogue, path_of_name
    from tumpline.sites.files import catalogue_name

    name = catalogue_name(place.site, user_profiles())
    if name is not None and (scanned := path_of_name(name, cache(), place.site)).exists():
        return open_any(scanned)
    site = load_site_named(place.site) if named else site_asked()
    if site.catalogue is None:
        raise InputError.of(
            "no-catalogue",
            f"there is no catalogue of {site.name}",
            why="the site has no wheelhouse",
            hint="name a cluster with --site, or leave it out to search all of the Alliance",
        )
    if site.name == place.site and place.environment and site.environment(place.environment) is None:
        raise _unknown_environment(place, [each.name for each in site.environments])
    return find_catalogue(site, cache())


def _layers(
    options: argparse.Namespace, place: Place, seen: Sequence[View], known: tuple[str, ...]
) -> tuple[tuple[str, ...] | None, tuple[str, ...], str]:
    """Return the layers to look into, None for all; those that the catalogue does not know; and in words which."""
    if not known:
        return None, (), "all software environments and CPU levels together, as the list has it"
    chosen, words = known, "all layers"
    unread: tuple[str, ...] = ()
    if seen and not options.all_archs:
        # The first is the default environment's.
        environment = place.environment or seen[0].environment
        views = [view for view in seen if view.environment == environment]
        if not views:
            raise _unknown_environment(place, list(dict.fromkeys(view.environment for view in seen)))
        views = [view for view in views if view.level == place.level] or views
        wanted = dict.fromkeys(layer for view in views for layer in view.layers)
        chosen = tuple(layer for layer in wanted if layer in known)
        unread = tuple(layer for layer in wanted if layer not in known)
        words = f"StdEnv/{environment}, {', '.join(dict.fromkeys(view.level for view in views))}"
    if options.arch:
        names = {layer.rpartition("/")[2] for layer in known}
        if unknown := [arch for arch in options.arch if arch not in names]:
            raise InputError.of(
                "unknown-arch",
                f"no layer is called {unknown[0]}",
                where="--arch",
                hint=f"choose from: {', '.join(sorted(names))}",
            )
        chosen = tuple(layer for layer in chosen if layer.rpartition("/")[2] in options.arch)
        words += f", only {', '.join(options.arch)}"
    return chosen, unread, words


def _pythons(options: argparse.Namespace, place: Place) -> tuple[str, ...] | None:
    for python in options.python:
        parts = python.split(".")
        if len(parts) < 2 or not all(part.isdecimal() for part in parts):
            raise InputError.of(
                "bad-python",
                f"{python!r} is not a version of Python",
                where="--python",
                hint="write names first, then major and minor versions, as in: numpy --python 3.11 3.12",
            )
    if options.python:
        return tuple(".".join(python.split(".")[:2]) for python in options.python)
    if options.all_pythons or not place.python:
        return None
    return (".".join(place.python.split(".")[:2]),)


def _environments(views: Sequence[View]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for view in views:
        for layer in view.layers:
            found.setdefault(layer, set()).add(view.environment)
    return {layer: names.pop() for layer, names in found.items() if len(names) == 1}


def _unknown_environment(place: Place, names: Sequence[str]) -> InputError:
    return InputError.of(
        "unknown-environment",
        f"{place.site} has no software environment {place.environment}",
        where="--stdenv",
        hint=f"choose one of: {', '.join(names)}",
    )
