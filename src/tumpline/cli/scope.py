"""Where a search looks: which catalogue, which of its layers, for which Pythons."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.catalogue.query import Terms
from tumpline.cli.wiring import cache, find_project, here, load_site_named
from tumpline.errors import InputError
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue.store import Catalogue
    from tumpline.project import TargetRequest
    from tumpline.sites import Site

__all__ = ["Scope", "add_scope_options", "open_scope"]

_EVERYWHERE = "alliance"
"""The profile that stands for all clusters of the Alliance, where the machine at hand is none of them."""


class Scope(NamedTuple):
    """An open catalogue and what is looked for in it.

    `request` is the target that is meant, complete enough to resolve for; `environments` say of layers to which
    software environment they belong, where they belong to one only. `words` say for people what was assumed.
    """

    catalogue: Catalogue
    site: Site
    terms: Terms
    request: TargetRequest
    environments: Mapping[str, str]
    words: str


def add_scope_options(parser: argparse.ArgumentParser) -> None:
    """Declare where to look."""
    group = parser.add_argument_group("where to look")
    group.add_argument(
        "--site", metavar="SITE", default="", help="the site (default: this one, else all of the Alliance)"
    )
    group.add_argument("--target", metavar="NAME", default="", help="a target of the project: its site, Python, layers")
    group.add_argument("--project", type=Path, metavar="DIR", help="the project's folder, for --target and --deps")
    group.add_argument(
        "--stdenv", metavar="NAME", default="", help="the software environment (default: the one loaded)"
    )
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

    Raises InputError ``unknown-target``, ``unknown-environment``, ``unknown-arch``, ``bad-python``, and what loading
    sites and opening catalogues raises.
    """
    request = _request(options)
    site = load_site_named(request.site)
    if site.catalogue is None:
        # A laptop has no wheelhouse: what is asked is what the clusters have.
        if options.site or options.target:
            raise InputError.of(
                "no-catalogue",
                f"there is no catalogue of {site.name}",
                why="the site has no wheelhouse",
                hint="name a cluster with --site, or leave it out to search all of the Alliance",
            )
        site = load_site_named(_EVERYWHERE)
    catalogue = _open(options, site)
    try:
        environment = _environment(request, site)
        layers, words = _layers(options, request, site, environment, catalogue)
        pythons = _pythons(options, request)
    except BaseException:
        catalogue.close()
        raise
    terms = Terms(pythons, layers)
    return Scope(catalogue, site, terms, request, _environments(site), words)


def _open(options: argparse.Namespace, site: Site) -> Catalogue:
    from tumpline.catalogue.find import find_catalogue

    given = options.catalogue or (Path(chosen) if (chosen := variables().get("TUMPLINE_CATALOGUE")) else None)
    return find_catalogue(site, cache(), given)


def _request(options: argparse.Namespace) -> TargetRequest:
    """Return the target that the options name, or that the machine at hand is."""
    from tumpline.project import TargetRequest

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
        return found
    if options.site:
        return TargetRequest(options.site, options.site, "", options.stdenv)
    detection = here()
    modules = tuple(filter(None, variables().get("LOADEDMODULES", "").split(":")))
    minor = ".".join(detection.python.split(".")[:2])
    return TargetRequest("here", "here", minor, options.stdenv or detection.environment, detection.cpu_level, modules)


def _environment(request: TargetRequest, site: Site) -> str:
    wanted = request.environment or site.default_environment
    if site.environments and site.environment(wanted) is None:
        raise InputError.of(
            "unknown-environment",
            f"{site.name} has no software environment {wanted}",
            where="--stdenv",
            hint=f"choose one of: {', '.join(each.name for each in site.environments)}",
        )
    return wanted


def _layers(
    options: argparse.Namespace, request: TargetRequest, site: Site, environment: str, catalogue: Catalogue
) -> tuple[tuple[str, ...] | None, str]:
    """Return the layers to look into, None for all, and in words which they are."""
    known = catalogue.info.layers
    if not known:
        return None, "all software environments and CPU levels together, as the list has it"
    if options.all_archs:
        chosen, words = known, "all layers"
    else:
        software = site.environment(environment)
        by_level = software.layers if software is not None else {}
        levels = [request.cpu_level] if request.cpu_level in by_level else list(site.cpu_levels or by_level)
        wanted = dict.fromkeys(layer for level in levels for layer in by_level.get(level, ()))
        chosen = tuple(layer for layer in wanted if layer in known)
        words = f"StdEnv/{environment}, {', '.join(levels)}"
        if not chosen:
            # A catalogue of folders that no profile names.
            chosen, words = known, "all layers"
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
    return chosen, words


def _pythons(options: argparse.Namespace, request: TargetRequest) -> tuple[str, ...] | None:
    for python in options.python:
        parts = python.split(".")
        if len(parts) < 2 or not all(part.isdecimal() for part in parts):
            raise InputError.of(
                "bad-python",
                f"{python!r} is not a version of Python",
                where="--python",
                hint="write major and minor version, as in: --python 3.11 3.12",
            )
    if options.python:
        return tuple(".".join(python.split(".")[:2]) for python in options.python)
    if options.all_pythons or not request.python:
        return None
    return (".".join(request.python.split(".")[:2]),)


def _environments(site: Site) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for software in site.environments:
        for layers in software.layers.values():
            for layer in layers:
                found.setdefault(layer, set()).add(software.name)
    return {layer: names.pop() for layer, names in found.items() if len(names) == 1}
