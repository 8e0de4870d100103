"""Which folders a scan of a site reads, and under which layer names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tumpline.catalogue.content import View
from tumpline.errors import InputError
from tumpline.host.files import may_be
from tumpline.sites import Site

__all__ = ["Layers", "choose_layers", "views_of"]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers to scan as (name, folder), best first, and the names of those of the profile that are not there.

    `evidence` says of each name from where it is known: ``profile``, ``pip-config``, ``given``. `gone` are folders
    that pip's configuration names and that are not there.
    """

    found: tuple[tuple[str, Path], ...]
    missing: tuple[str, ...]
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gone: tuple[Path, ...] = ()


def _are_folders(paths: Sequence[Path]) -> list[bool]:
    return [may_be(path, stat.S_ISDIR) for path in paths]


def choose_layers(
    site: Site,
    wheelhouses: Sequence[Path] = (),
    *,
    configured: Sequence[Path] = (),
    environment: str = "",
    cpu_level: str = "",
    are_folders: Callable[[Sequence[Path]], Sequence[bool]] = _are_folders,
) -> Layers:
    """Return the layers of all software environments and CPU levels of a site, or of the ones named.

    `wheelhouses` replace the profile's wheelhouse root. Each is a root that holds layers of the profile, or is itself
    a layer: its name is then the profile's layer name that its path ends in, else the folder's own name. `are_folders`
    says which paths are folders, or may be.

    `configured` are the folders that pip's configuration on this machine names, in its order. They are read besides
    the profile's. A layer of the profile that is not below its root is taken from there if a path ends in its name;
    other folders come after the profile's layers, each under the shortest end of its path that names no other. Those of
    a software environment or CPU level that was not asked for are left out.

    Raises InputError ``unknown-environment``, ``unknown-cpu-level``, ``no-wheelhouse`` (the site has none, and no
    folder was given), ``layer-missing`` (no layer of the profile is there).
    """
    names = _names(site, environment, cpu_level)
    if wheelhouses:
        given = [
            layer
            for folder in wheelhouses
            for layer in _below(folder, names, are_folders) or [_as_layer(folder, names)]
        ]
        return Layers(tuple(given), _missing(names, given), {name: ("given",) for name, _ in given})
    root = Path(site.wheelhouse) if site.wheelhouse is not None else None
    every = dict(_below(root, _names(site), are_folders)) if root is not None else {}
    there = [folder for folder, is_there in zip(configured, are_folders(configured), strict=True) if is_there]
    by_name = _named(there, every, _names(site))
    unwanted = set(_names(site)) - set(names)
    by_name = {name: folder for name, folder in by_name.items() if name not in unwanted}
    # In the profile's order, then in that of the configuration.
    found = {name: every.get(name) or by_name[name] for name in names if name in every or name in by_name}
    found |= {name: folder for name, folder in by_name.items() if name not in found}
    if not found:
        raise _nothing(site, names, configured)
    evidence = {
        name: (*(["profile"] if name in names else []), *(["pip-config"] if name in by_name else [])) for name in found
    }
    gone = tuple(folder for folder in configured if folder not in there)
    return Layers(tuple(found.items()), _missing(names, found.items()), evidence, gone)


def _missing(names: Iterable[str], found: Iterable[tuple[str, Path]]) -> tuple[str, ...]:
    present = {name for name, _ in found}
    return tuple(name for name in names if name not in present)


def views_of(sites: Iterable[Site]) -> tuple[View, ...]:
    """Return what each of the sites sees of a wheelhouse, its default software environment first."""
    return tuple(
        View(site.name, software.name, level, layers)
        for site in sites
        for software in sorted(site.environments, key=lambda each: each.name != site.default_environment)
        for level, layers in software.layers.items()
        if level in site.cpu_levels
    )


def _names(site: Site, environment: str = "", cpu_level: str = "") -> tuple[str, ...]:
    if environment and site.environment(environment) is None:
        raise _unknown("environment", "software environment", environment, [e.name for e in site.environments], site)
    if cpu_level and cpu_level not in site.cpu_levels:
        raise _unknown("cpu-level", "CPU level", cpu_level, site.cpu_levels, site)
    names = (
        layer
        for software in site.environments
        if environment in ("", software.name)
        for level, layers in software.layers.items()
        if cpu_level in ("", level)
        for layer in layers
    )
    return tuple(dict.fromkeys(names))


def _below(
    root: Path, names: Sequence[str], are_folders: Callable[[Sequence[Path]], Sequence[bool]]
) -> list[tuple[str, Path]]:
    paths = [root / name for name in names]
    return [(name, path) for name, path, there in zip(names, paths, are_folders(paths), strict=True) if there]


def _named(folders: Iterable[Path], profiled: Mapping[str, Path], names: Sequence[str]) -> dict[str, Path]:
    """Name folders of the configuration; `profiled` are the profile's layers that are there, `names` all it names."""
    known = {os.path.realpath(folder): name for name, folder in profiled.items()}
    absent = [name for name in names if name not in profiled]
    found: dict[str, Path] = {}
    others: list[Path] = []
    # Links can lead to one folder by several paths.
    for real, folder in {os.path.realpath(folder): folder for folder in folders}.items():
        name = known.get(real) or _layer_name(folder, absent)
        if name and name not in found:
            found[name] = folder
        else:
            others.append(folder)
    for folder in others:
        parts = folder.absolute().parts[1:]
        ends = ("/".join(parts[-length:]) for length in range(1, len(parts) + 1))
        if end := next((end for end in ends if end not in found and end not in names), ""):
            found[end] = folder
    return found


def _as_layer(folder: Path, names: Iterable[str]) -> tuple[str, Path]:
    return _layer_name(folder, names) or folder.absolute().parts[-1], folder


def _layer_name(folder: Path, names: Iterable[str]) -> str:
    """Return the longest name of a layer that the path ends in, or nothing."""
    parts = folder.absolute().parts
    return max((name for name in names if parts[-len(Path(name).parts) :] == Path(name).parts), key=len, default="")


def _nothing(site: Site, names: Sequence[str], configured: Sequence[Path]) -> InputError:
    if site.wheelhouse is None and not configured:
        return InputError.of(
            "no-wheelhouse",
            f"{site.name} has no wheelhouse",
            hint="name the folder that holds the wheels: tumpline catalogue scan --wheelhouse DIR",
        )
    looked = [*names, *map(str, configured)]
    return InputError.of(
        "layer-missing",
        f"no layer of {site.name}'s wheelhouse is there",
        where=site.wheelhouse or "",
        why=f"looked for {', '.join(looked)}" if looked else "the profile names no layers",
        hint="check that the file system is mounted, or name the folder with --wheelhouse DIR",
    )


def _unknown(what: str, words: str, value: str, choices: Sequence[str], site: Site) -> InputError:
    listed = ", ".join(choices)
    return InputError.of(
        f"unknown-{what}",
        f"{site.name} has no {words} {value}",
        hint=f"choose one of: {listed}" if listed else "leave the option out: the site has no such choice",
    )
