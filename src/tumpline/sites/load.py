"""Read site profiles: those that come with the tool, and a user's own, which win over shipped ones of the same name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tumpline import __version__
from tumpline.errors import InputError, Problem
from tumpline.sites.parse import parse_modules, parse_site
from tumpline.sites.profile import ModulePackage, Site

__all__ = ["list_sites", "load_site", "module_packages", "profile_folders", "profiles_digest", "site_names"]

# importlib.resources would say the same, and take 20 ms to import.
_SHIPPED = Path(__file__).with_name("data")

_LARGEST = 4 * 2**20
"""In bytes; the largest shipped table is a hundredth of that."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_HERE = "here"
"""The name that stands for the machine at hand: no profile can have it."""

_NO_SITES = frozenset(
    {"alliance", "alliance-modules", "alliance-modules-by-hand", "alliance-rewrites", "companions", "numpy-api"}
)
"""Shipped files that are no sites: a profile that others extend, and tables."""

_MERGED = ("dummies", "environments", "quotas")
"""Tables to which a profile adds: the others replace what is inherited."""


def profile_folders(environ: Mapping[str, str], config: Path) -> tuple[Path, ...]:
    """Return the folders of a user's profiles: those of ``$TUMPLINE_SITES``, then ``sites`` in the config folder."""
    named = [Path(part) for part in environ.get("TUMPLINE_SITES", "").split(os.pathsep) if part]
    return (*named, config / "sites")


def load_site(name: str, folders: Sequence[Path] = ()) -> Site:
    """Return the profile of a site; the first folder that has ``NAME.toml`` wins, then the shipped ones.

    Raises InputError ``unknown-site``, or ``bad-profile`` with everything that is wrong with the profile.
    """
    chain = list(_chain(name, folders))
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
        rows.update(parse_modules(_read(table), str(table)))
    return tuple(sorted(rows, key=lambda row: (row.environment, row.module, row.module_version, row.python, row.name)))


def profiles_digest(site: Site, folders: Sequence[Path] = ()) -> str:
    """Return a digest of all profiles and of the site's module tables; reads the files, and parses none.

    Where it is the same, so is what this version of the tool says of any site.
    """
    digest = hashlib.sha256(__version__.encode())
    profiles = [path for folder in (*folders, _SHIPPED) for path in sorted(folder.glob("*.toml"))]
    for path in (*profiles, *map(Path, site.module_tables)):
        try:
            with path.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        except OSError as error:
            # Whoever needs the profile is told.
            content = str(error.errno).encode()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def site_names(folders: Sequence[Path] = ()) -> list[str]:
    """Return the names of all sites, sorted; reads no profile."""
    found = {path.stem for path in _SHIPPED.glob("*.toml")} - _NO_SITES
    for folder in folders:
        found |= {path.stem for path in folder.glob("*.toml") if path.is_file() and _NAME.fullmatch(path.stem)}
    return sorted(found - {_HERE})


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    if name == _HERE or not _NAME.fullmatch(name):
        return None
    for folder in folders:
        if (path := folder / f"{name}.toml").is_file():
            return path
    shipped = _SHIPPED / f"{name}.toml"
    # The tables are told from the profiles by name; `alliance` may be extended, and so it may be loaded.
    return shipped if (name not in _NO_SITES or name == "alliance") and shipped.is_file() else None


def _unknown(name: str, folders: Sequence[Path], where: str = "") -> InputError:
    import difflib

    names = [*site_names(folders), *([] if where else [_HERE])]
    near = difflib.get_close_matches(name, names, 3)
    return InputError.of(
        "unknown-site",
        f"there is no site {name[:100]!r}",
        where=where,
        hint=f"did you mean {' or '.join(near)}?" if near else f"choose one of: {', '.join(names)}",
    )


def _chain(name: str, folders: Sequence[Path]) -> Iterator[tuple[Path, dict[str, object]]]:
    """Yield a profile and those it extends, the most particular first."""
    seen: list[Path] = []
    wanted: object = name
    while isinstance(wanted, str):
        # A user's profile may extend one of its own name: that of a later folder, or the shipped one.
        path = _find(wanted, [folder for folder in folders if folder / f"{wanted}.toml" not in seen])
        if path in seen or (path is None and wanted in {each.stem for each in seen}):
            raise _bad(seen[-1], f"extends: the profile extends itself through {wanted}", "extend another site")
        if path is None:
            raise _unknown(wanted, folders, where=f"{seen[-1]}: extends" if seen else "")
        seen.append(path)
        table = _read(path)
        yield path, table
        wanted = table.get("extends")
    if wanted is not None:
        raise _bad(seen[-1], "extends: expected the name of a site", 'write for example extends = "alliance"')


def _merge(chain: Sequence[tuple[Path, dict[str, object]]]) -> tuple[dict[str, object], dict[str, Path]]:
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


def _read(path: Path) -> dict[str, object]:
    import tomllib

    try:
        if not path.is_file():
            raise _bad(path, "there is no such file")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise _bad(path, f"the file is larger than {_LARGEST // 2**20} MiB", "check that this is the right file")
        # Editors on Windows put a byte order mark in front, which TOML does not know.
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise _bad(path, f"the file can not be read: {error.strerror}", "check its permissions") from error
    except UnicodeDecodeError as error:
        raise _bad(path, "the file is not UTF-8 text", "save it as UTF-8, which TOML demands") from error
    except RecursionError as error:
        raise _bad(path, "the file is nested too deeply", "check that this is the right file") from error
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).rpartition(" (at ")
        line = re.match(r"line (\d+)", place)
        where = f"{path}:{line[1]}" if line else str(path)
        raise InputError.of(
            "bad-profile",
            "the file is not valid TOML",
            where=where,
            why=message or str(error),
            hint="correct the file at that place",
        ) from error


def _bad(path: Path, message: str, hint: str = "") -> InputError:
    return InputError.of("bad-profile", message, where=str(path), hint=hint)
