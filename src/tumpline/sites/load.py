"""Site profiles as values: what their files say, with what they inherit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from tumpline import __version__
from tumpline.errors import InputError, Problem
from tumpline.sites.files import LARGEST, SHIPPED, profile_chain, read_toml, site_names
from tumpline.sites.parse import parse_modules, parse_site
from tumpline.sites.profile import ModulePackage, Site

__all__ = ["list_sites", "load_site", "module_packages", "profiles_digest"]

_MERGED = ("dummies", "environments", "jobs", "quotas")
"""Tables to which a profile adds: the others replace what is inherited."""


def load_site(name: str, folders: Sequence[Path] = ()) -> Site:
    """Return the profile of a site; the first folder that has ``NAME.toml`` wins, then the shipped ones.

    Raises InputError ``unknown-site``, or ``bad-profile`` with everything that is wrong with the profile.
    """
    chain = list(profile_chain(name, folders))
    return parse_site(name, *_merge(chain))


def list_sites(folders: Sequence[Path] = ()) -> tuple[Site, ...]:
    """Return all sites that can be named, sorted: a user's own and the shipped ones.

    Raises InputError ``bad-profile`` with what is wrong with any of them.
    """
    sites: list[Site] = []
    problems: list[Problem] = []
    for name in site_names(folders):
        try:
            sites.append(load_site(name, folders))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*dict.fromkeys(problems))
    return tuple(sites)


def module_packages(site: Site) -> tuple[ModulePackage, ...]:
    """Return what the site's modules bring, sorted; reads the tables, which nothing else needs.

    Raises InputError ``bad-profile`` where a table can not be used.
    """
    rows: set[ModulePackage] = set()
    for table in map(Path, site.module_tables):
        rows.update(parse_modules(read_toml(table), str(table)))
    return tuple(sorted(rows, key=lambda row: (row.environment, row.module, row.module_version, row.python, row.name)))


def profiles_digest(site: Site, folders: Sequence[Path] = ()) -> str:
    """Return a digest of all profiles and of the site's module tables; reads the files, and parses none.

    Where it is the same, so is what this version of the tool says of any site.
    """
    digest = hashlib.sha256(__version__.encode())
    profiles = [path for folder in (*folders, SHIPPED) for path in sorted(folder.glob("*.toml"))]
    for path in (*profiles, *map(Path, site.module_tables)):
        try:
            with path.open("rb") as stream:
                content = stream.read(LARGEST + 1)
        except OSError as error:
            # Whoever needs the profile is told.
            content = str(error.errno).encode()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def _merge(chain: Sequence[tuple[Path, Mapping[str, object]]]) -> tuple[dict[str, object], dict[str, Path]]:
    """Return a profile's keys with those it inherits, and which file each comes from."""
    merged: dict[str, object] = {}
    origins: dict[str, Path] = {"": chain[0][0]}
    for path, table in reversed(chain):
        inferred = _still_inferred(merged.get("inferred"), table)
        for key, value in table.items():
            inherited = merged.get(key)
            if key in _MERGED and isinstance(value, dict) and isinstance(inherited, dict):
                merged[key] = inherited | value
                origins |= {f"{key}.{inner}": path for inner in value}
            else:
                merged[key] = value
                origins = {old: place for old, place in origins.items() if not old.startswith(f"{key}.")} | {key: path}
        if isinstance(merged.get("inferred", []), list):
            own = table.get("inferred", [])
            merged["inferred"] = [*inferred, *own] if isinstance(own, list) else own
    return merged, origins


def _still_inferred(inherited: object, table: Mapping[str, object]) -> list[object]:
    """Return the inherited inferences that a more particular profile does not replace by facts of its own."""
    if not isinstance(inherited, list):
        return []

    def replaced(fact: str) -> bool:
        key, _, inner = fact.partition(".")
        value = table.get(key)
        if key in _MERGED and isinstance(value, dict):
            return any(inner == name or inner.startswith(f"{name}.") for name in value)
        return key in table

    return [fact for fact in inherited if not (isinstance(fact, str) and replaced(fact))]
