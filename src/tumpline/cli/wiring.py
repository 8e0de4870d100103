"""Puts the parts together for the commands: the one place that knows which collaborator goes where."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.errors import InputError
from tumpline.host import cache_folder, cache_limit, config_folder, host_name, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tumpline.addresses.reader import AddressReader, Kept
    from tumpline.catalogue import CatalogueReader
    from tumpline.host.caches import CacheUse
    from tumpline.index.client import IndexClient
    from tumpline.lock import Lock, LockedTarget
    from tumpline.project import Project, TargetRequest
    from tumpline.resolve.target import Target
    from tumpline.sites import Site
    from tumpline.sites.detect import Detection

__all__ = [
    "add_index_options",
    "add_network_options",
    "add_project_option",
    "all_sites",
    "cache",
    "cache_use",
    "choose_target",
    "find_project",
    "here",
    "load_site_named",
    "load_site_of",
    "open_index",
    "open_sources",
    "open_targets",
    "read_lock_of",
    "site_asked",
    "sound_sites",
    "source_reader",
    "user_profiles",
]

_EVERYWHERE = "alliance"
"""The profile that stands for all clusters of the Alliance."""

_HASTE = 3.0
"""Seconds that a person who asked about something else can be kept waiting."""


def add_project_option(parser: argparse.ArgumentParser) -> None:
    """Declare where the project is."""
    parser.add_argument(
        "--project",
        type=Path,
        metavar="DIR",
        help="the project's folder (default: this one, or the nearest above it with a pyproject.toml)",
    )


def add_index_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the index and the catalogues are asked."""
    add_network_options(parser)
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="use this catalogue for all wheelhouse sites")


def add_network_options(parser: argparse.ArgumentParser) -> None:
    """Declare how the index is asked."""
    parser.add_argument("--offline", action="store_true", help="make no network call: use what is in the cache")
    parser.add_argument("--refresh", action="store_true", help="ask the index again also about what is still fresh")


def find_project(options: argparse.Namespace) -> Path:
    """Return the project's folder; raises InputError ``no-project``."""
    if options.project is not None:
        if (options.project / "pyproject.toml").is_file():
            return Path(options.project).resolve()
        tried = str(options.project)
    else:
        start = Path.cwd()
        for folder in (start, *start.parents):
            if (folder / "pyproject.toml").is_file():
                return folder
        tried = str(start)
    raise InputError.of(
        "no-project",
        "there is no pyproject.toml",
        where=tried,
        hint="go to the project's folder, or name it with --project DIR",
    )


def read_lock_of(options: argparse.Namespace) -> tuple[Path, Lock]:
    """Return the project's folder and its lock."""
    from tumpline.lock.file import LOCK_NAME, read_lock

    root = find_project(options)
    return root, read_lock(root / LOCK_NAME)


def cache() -> Path:
    """Return the user's cache folder."""
    return cache_folder()


def cache_use() -> CacheUse:
    """Return what keeps the cache within its size; a context manager, once a command."""
    from tumpline.host.caches import CacheUse

    return CacheUse(cache(), cache_limit())


def open_index(
    options: argparse.Namespace, *, hasty: bool = False, files: Path | None = None, use: CacheUse | None = None
) -> IndexClient:
    """Return the client of the indexes that pip's configuration names; a context manager.

    A `hasty` one tries once and waits for three seconds: for answers that one can do without. Whole files are kept in
    the folder `files`, by default in the cache, which `use` keeps within its size.
    """
    from tumpline.index.client import IndexClient
    from tumpline.index.pipconfig import read_pip_settings

    settings = read_pip_settings(variables())
    if any(location.kind == "links" for location in settings.locations):
        # On a cluster pip's configuration names the wheelhouse itself, which is the catalogue's business.
        settings = settings.without_folders(_wheelhouses())
    if hasty:
        from dataclasses import replace

        settings = replace(settings, retries=0, timeout=min(settings.timeout, _HASTE))
    return IndexClient(
        settings,
        cache() / "index",
        offline=options.offline,
        refresh=getattr(options, "refresh", False),
        files=files,
        use=use or (cache_use() if files is None else None),
    )


def open_sources(
    project: Project, options: argparse.Namespace, index: IndexClient, kept: Kept, progress: Callable[[str], None]
) -> AbstractContextManager[AddressReader | None]:
    """Return what follows the project's addresses and builds what it allows; None where there is neither."""
    addressed = any(each.requirement.url for each in project.requirements)
    if addressed or any(rule.build for rule in project.settings.packages.values()):
        return source_reader(project, options, index, kept, progress)
    return nullcontext()


def source_reader(
    project: Project, options: argparse.Namespace, index: IndexClient, kept: Kept, progress: Callable[[str], None]
) -> AddressReader:
    """Return what follows addresses, and builds what the project allows to be built."""
    from tumpline.addresses.reader import AddressReader, AddressSettings

    settings = AddressSettings(
        root=project.root,
        cache=cache() / "sources",
        environ=variables(),
        builds=frozenset(name for name, rule in project.settings.packages.items() if rule.build),
        offline=options.offline,
    )
    return AddressReader(settings, index, kept, progress)


def _wheelhouses() -> Iterator[Path]:
    return (Path(site.wheelhouse) for site in sound_sites() if site.wheelhouse)


def sound_sites() -> Iterator[Site]:
    """Yield the profiles of all sites but broken ones, of which one is told where their site is named."""
    from tumpline.sites.files import site_names
    from tumpline.sites.load import load_site

    folders = user_profiles()
    for name in site_names(folders):
        try:
            yield load_site(name, folders)
        except InputError:
            continue


def here() -> Detection:
    """Return what this machine is, and from what evidence."""
    from tumpline.sites.detect import detect

    return detect(variables(), hostname=host_name())


def all_sites() -> tuple[Site, ...]:
    """Return the profiles of all sites that can be named."""
    from tumpline.sites.load import list_sites

    return list_sites(user_profiles())


def user_profiles() -> tuple[Path, ...]:
    """Return the folders of the user's own profiles."""
    from tumpline.sites.files import profile_folders

    return profile_folders(variables(), config_folder())


def load_site_named(name: str) -> Site:
    """Return a site's profile; ``here`` is the site of this machine."""
    from tumpline.sites.load import load_site

    folders = user_profiles()
    if name == "here":
        from tumpline.sites.detect import site_here

        return site_here(here(), folders)
    return load_site(name, folders)


def site_asked(name: str = "") -> Site:
    """Return the site whose offer is asked for: where none is named, that of this machine if it is one that has any.

    A laptop has neither wheelhouse nor modules: what is asked there is what the clusters have.
    """
    site = load_site_named(name or "here")
    return load_site_named(_EVERYWHERE) if not name and site.catalogue is None and not site.environments else site


def load_site_of(target: LockedTarget) -> Site:
    """Return the profile of a locked target's site."""
    return load_site_named(target.site)


def open_targets(
    project: Project, options: argparse.Namespace
) -> tuple[tuple[Target, ...], tuple[CatalogueReader | None, ...]]:
    """Return the project's targets in full, and the catalogue of each; one target ``here`` where none is named."""
    from tumpline.catalogue.find import find_catalogue
    from tumpline.project import TargetRequest
    from tumpline.resolve.target import check_requires_python, make_target

    requests = project.settings.targets or (TargetRequest("here", "here", ""),)
    sites = [_site_of(request) for request in requests]
    targets = [
        make_target(_with_python(request, site), site, project.settings.policy)
        for request, site in zip(requests, sites, strict=True)
    ]
    check_requires_python(targets, project.requires_python)
    catalogues: list[CatalogueReader | None] = []
    opened: dict[str, CatalogueReader] = {}
    given = options.catalogue or _catalogue_variable()
    for target in targets:
        if target.site.catalogue is None:
            catalogues.append(None)
            continue
        found = find_catalogue(target.site, cache(), given, layers=target.layers, where=f"target {target.name}")
        # Sites share catalogues; what one target has read of a file need not be read for the next.
        catalogues.append(opened.setdefault(found.where, found))
    return tuple(targets), tuple(catalogues)


def choose_target(lock: Lock, options: argparse.Namespace) -> LockedTarget:
    """Return the target meant by ``--target``, else the one whose site this is, else the only one."""
    names = ", ".join(target.name for target in lock.targets)
    if options.target:
        found = lock.target(options.target)
        if found is None:
            raise InputError.of(
                "unknown-target",
                f"the lock has no target {options.target}",
                where="--target",
                hint=f"choose one of: {names}; or add it to pyproject.toml and run: tumpline lock",
            )
        return found
    site = here().site_name
    fitting = [target for target in lock.targets if target.site == site]
    candidates = fitting or (list(lock.targets) if len(lock.targets) == 1 else [])
    if len(candidates) != 1:
        raise InputError.of(
            "which-target",
            "more than one target is for this machine" if fitting else "no target of the lock is for this machine",
            where=f"site {site}",
            hint=f"say which with --target: {names}",
        )
    return candidates[0]


def _site_of(request: TargetRequest) -> Site:
    """Return the profile of a requested target's site; a complaint without a place names the target."""
    try:
        return load_site_named(request.site)
    except InputError as error:
        where = f"target {request.name}"
        raise InputError(*(problem._replace(where=problem.where or where) for problem in error.problems)) from error


def _with_python(request: TargetRequest, site: Site) -> TargetRequest:
    """For the machine at hand, no Python given means the one that tumpline runs on."""
    if request.python or site.environments or request.site != "here":
        return request
    from dataclasses import replace

    return replace(request, python=f"{sys.version_info.major}.{sys.version_info.minor}")


def _catalogue_variable() -> Path | None:
    value = variables().get("TUMPLINE_CATALOGUE")
    return Path(value) if value else None
