"""Which folders a scan of a site reads, and under which layer names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.catalogue.content import View
from tumpline.errors import InputError
from tumpline.sites import Site

__all__ = ["Layers", "choose_layers", "views_of"]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers to scan as (name, folder), best first, and the names of those of the profile that are not there."""

    found: tuple[tuple[str, Path], ...]
    missing: tuple[str, ...]


def _are_folders(paths: Sequence[Path]) -> list[bool]:
    return [_there(path) for path in paths]


def choose_layers(
    site: Site,
    wheelhouses: Sequence[Path] = (),
    *,
    environment: str = "",
    cpu_level: str = "",
    are_folders: Callable[[Sequence[Path]], Sequence[bool]] = _are_folders,
) -> Layers:
    """Return the layers of all software environments and CPU levels of a site, or of the ones named.

    `wheelhouses` replace the profile's wheelhouse root. Each is a root that holds layers of the profile, or is itself
    a layer: its name is then the profile's layer name that its path ends in, else the folder's own name. `are_folders`
    says which paths are folders, or may be.

    Raises InputError ``unknown-environment``, ``unknown-cpu-level``, ``no-wheelhouse`` (the site has none, and no
    folder was given), ``layer-missing`` (no layer of the profile is there).
    """
    names = _names(site, environment, cpu_level)
    if not wheelhouses:
        if site.wheelhouse is None:
            raise InputError.of(
                "no-wheelhouse",
                f"{site.name} has no wheelhouse",
                hint="name the folder that holds the wheels: tumpline catalogue scan --wheelhouse DIR",
            )
        wheelhouses = (Path(site.wheelhouse),)
        found = _below(wheelhouses[0], names, are_folders)
        if not found:
            raise InputError.of(
                "layer-missing",
                f"no layer of {site.name}'s wheelhouse is there",
                where=str(wheelhouses[0]),
                why=f"looked for {', '.join(names)}" if names else "the profile names no layers",
                hint="check that the file system is mounted, or name the folder with --wheelhouse DIR",
            )
    else:
        found = [
            layer
            for folder in wheelhouses
            for layer in _below(folder, names, are_folders) or [_as_layer(folder, names)]
        ]
    present = {name for name, _ in found}
    return Layers(tuple(found), tuple(name for name in names if name not in present))


def views_of(sites: Iterable[Site]) -> tuple[View, ...]:
    """Return what each of the sites sees of a wheelhouse, its default software environment first."""
    return tuple(
        View(site.name, software.name, level, layers)
        for site in sites
        for software in sorted(site.environments, key=lambda each: each.name != site.default_environment)
        for level, layers in software.layers.items()
        if level in site.cpu_levels
    )


def _names(site: Site, environment: str, cpu_level: str) -> tuple[str, ...]:
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


def _there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        # It can not be told; the listing will say why.
        return True


def _as_layer(folder: Path, names: Iterable[str]) -> tuple[str, Path]:
    parts = folder.absolute().parts
    fitting = [name for name in names if parts[-len(Path(name).parts) :] == Path(name).parts]
    return max(fitting, key=len, default=parts[-1]), folder


def _unknown(what: str, words: str, value: str, choices: Sequence[str], site: Site) -> InputError:
    listed = ", ".join(choices)
    return InputError.of(
        f"unknown-{what}",
        f"{site.name} has no {words} {value}",
        hint=f"choose one of: {listed}" if listed else "leave the option out: the site has no such choice",
    )
