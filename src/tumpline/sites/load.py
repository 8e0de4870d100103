"""Read site profiles: those that come with the tool, and a user's own, which win over shipped ones of the same name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from tumpline.errors import InputError, Problem
from tumpline.sites.parse import parse_modules, parse_site
from tumpline.sites.profile import ModulePackage, Site

__all__ = ["list_sites", "load_site", "module_packages", "profile_folders"]

_LARGEST = 4 * 2**20
"""In bytes; the largest shipped table is a hundredth of that."""

_HIDDEN = frozenset({"alliance"})
"""Shipped profiles that only others extend."""


def profile_folders(environ: Mapping[str, str], config: Path) -> tuple[Path, ...]:
    """Return the folders of a user's profiles: those of ``$TUMPLINE_SITES``, then ``sites`` in the config folder."""
    separator = ";" if environ.get("OS") == "Windows_NT" else ":"
    named = [Path(part) for part in environ.get("TUMPLINE_SITES", "").split(separator) if part]
    return (*named, config / "sites")


def load_site(name: str, folders: Sequence[Path] = ()) -> Site:
    """Return the profile of a site; the first folder that has ``NAME.toml`` wins, then the shipped ones.

    Raises InputError ``unknown-site``, or ``bad-profile`` with everything that is wrong with the file.
    """
    return parse_site(name, *_with_bases(name, folders))


def list_sites(folders: Sequence[Path] = ()) -> tuple[Site, ...]:
    """Return all sites that can be named, sorted: a user's own and the shipped ones."""
    return tuple(load_site(name, folders) for name in _names(folders))


def module_packages(site: Site) -> tuple[ModulePackage, ...]:
    """Return what the site's modules bring; reads the tables, which nothing else needs."""
    rows: list[ModulePackage] = []
    for table in site.module_tables:
        rows += parse_modules(_read(Path(table)), table)
    return tuple(dict.fromkeys(rows))


def _shipped() -> Path:
    return Path(str(files("tumpline.sites").joinpath("data")))


def _names(folders: Sequence[Path]) -> list[str]:
    found = {
        path.stem
        for folder in (*folders, _shipped())
        if folder.is_dir()
        for path in folder.glob("*.toml")
        if path.stem not in _HIDDEN and "-" not in path.stem
    }
    return sorted(found)


def _find(name: str, folders: Sequence[Path]) -> Path:
    if name and not set(name) & set("/\\:") and not name.startswith((".", "-")):
        for folder in (*folders, _shipped()):
            path = folder / f"{name}.toml"
            if path.is_file():
                return path
    names = _names(folders)
    near = difflib.get_close_matches(name, names, 3)
    raise InputError.of(
        "unknown-site",
        f"there is no site {name!r}",
        hint=f"did you mean {', '.join(near)}?" if near else f"choose one of: {', '.join(names)}, here",
    )


def _with_bases(name: str, folders: Sequence[Path]) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return a profile's keys with those it inherits, and which file each came from."""
    merged: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    for path, table in reversed(list(_chain(name, folders))):
        # What a more particular profile states is no longer the inference of the general one.
        inherited = [fact for fact in merged.get("inferred", []) if fact not in table]
        merged |= table
        own = table.get("inferred", [])
        merged["inferred"] = [*inherited, *own] if isinstance(own, list) else own
        origins |= dict.fromkeys(table, path)
    merged.pop("extends", None)
    origins[""] = _find(name, folders)
    return merged, origins


def _chain(name: str, folders: Sequence[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a profile and those it extends, the most particular first."""
    seen: list[Path] = []
    wanted: str | None = name
    while wanted is not None:
        # A user's profile may extend the shipped one of its own name.
        places = [folder for folder in folders if folder / f"{wanted}.toml" not in seen]
        path = _find(wanted, places)
        if path in seen:
            raise InputError(Problem("bad-profile", f"the profile extends itself through {wanted}", where=str(seen[0])))
        seen.append(path)
        table = _read(path)
        yield path, table
        wanted = table.get("extends")
        if wanted is not None and not isinstance(wanted, str):
            raise InputError(Problem("bad-profile", "extends: expected the name of a site", where=str(path)))


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise InputError.of("bad-profile", "the file is too large to be a profile", where=str(path))
        return tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise InputError.of("bad-profile", f"can not be read: {error.strerror}", where=str(path)) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError.of(
            "bad-profile", "the file is not TOML", where=str(path), why=str(error), hint="correct the line named above"
        ) from error
