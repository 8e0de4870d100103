"""The user's folders and variables. Outside `tumpline.sites.detect`, the environment is read here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "Place",
    "cache_folder",
    "cache_limit",
    "cache_place",
    "config_folder",
    "home_folder",
    "host_name",
    "stage_place",
    "take_over",
    "variables",
]

_SYSTEM: str = sys.platform


class Place(NamedTuple):
    """A folder, and the variable that says so; empty where it is the platform's own choice."""

    folder: Path
    reason: str


def variables() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    return dict(os.environ)


def take_over(values: Mapping[str, str]) -> None:
    """Let this process have these environment variables and no others, as if it had been started with them."""
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def host_name() -> str:
    """Return the name of this machine as it knows itself."""
    if hasattr(os, "uname"):
        # `platform` says the same, and takes longer to import than a search of a catalogue takes.
        return os.uname().nodename
    import platform

    return platform.node()


def cache_folder() -> Path:
    """Return the folder for what can be made again; `cache_place` says which."""
    return cache_place().folder


def cache_place() -> Place:
    """Return where the cache is: ``$TUMPLINE_CACHE``; in a Slurm job the node's own storage (``$SLURM_TMPDIR``), since
    home may be read-only there and counts files (R18); ``$XDG_CACHE_HOME``; scratch (``$SCRATCH``, which clusters set
    to a folder for each user); else the platform's cache folder.
    """
    if chosen := os.environ.get("TUMPLINE_CACHE"):
        return Place(Path(chosen), "TUMPLINE_CACHE")
    if (node := os.environ.get("SLURM_TMPDIR")) and os.environ.get("SLURM_JOB_ID"):
        return Place(Path(node) / "tumpline-cache", "SLURM_TMPDIR")
    if not os.environ.get("XDG_CACHE_HOME") and (scratch := _shared_place("SCRATCH", "cache")):
        return scratch
    reason = "XDG_CACHE_HOME" if os.environ.get("XDG_CACHE_HOME") else ""
    return Place(_platform_cache(), reason)


def stage_place(*, cluster: bool) -> Place | None:
    """Return where a stage is that nobody named: ``$TUMPLINE_STAGE``; scratch (``$SCRATCH``); project space
    (``$PROJECT``); else, on a machine that is no cluster, beside the cache. None on a cluster that has neither: home
    is never chosen there by itself (R18).
    """
    if chosen := os.environ.get("TUMPLINE_STAGE"):
        return Place(Path(chosen), "TUMPLINE_STAGE")
    if shared := _shared_place("SCRATCH", "stage") or _shared_place("PROJECT", "stage"):
        return shared
    if cluster:
        return None
    if chosen := os.environ.get("TUMPLINE_CACHE"):
        return Place(Path(chosen) / "stage", "TUMPLINE_CACHE")
    return Place(_platform_cache() / "stage", "")


def cache_limit() -> int | None:
    """Return the most bytes that the cache may have, from ``$TUMPLINE_CACHE_SIZE``; None for no limit.

    Raises InputError ``bad-size``.
    """
    from tumpline.host.caches import USUAL_LIMIT, parse_size

    text = os.environ.get("TUMPLINE_CACHE_SIZE", "")
    return parse_size(text, "TUMPLINE_CACHE_SIZE") if text else USUAL_LIMIT


def home_folder() -> Path:
    """Return the user's home."""
    return Path.home()


def _platform_cache() -> Path:
    if _SYSTEM == "linux":
        return _xdg_folder("XDG_CACHE_HOME", ".cache")
    from platformdirs import user_cache_path

    return user_cache_path("tumpline", appauthor=False)


def _xdg_folder(variable: str, usual: str) -> Path:
    """Return our folder in one of the XDG base directories, as `platformdirs` does, whose import takes 7 ms.

    That specification says that a relative path is to be ignored.
    """
    base = os.environ.get(variable, "")
    if not os.path.isabs(base):  # noqa: PTH117 - it may be empty
        base = os.path.expanduser(f"~/{usual}")  # noqa: PTH111 - where there is no home, pathlib would raise
    return Path(base, "tumpline")


def _shared_place(variable: str, name: str) -> Place | None:
    """Return a folder of ours in one that a cluster has for each user, where that is there."""
    folder = os.environ.get(variable, "")
    return Place(Path(folder, "tumpline", name), variable) if os.path.isabs(folder) and os.path.isdir(folder) else None  # noqa: PTH112, PTH117 - pathlib would raise for what may not be entered


def config_folder() -> Path:
    """Return the folder for the user's own settings and site profiles."""
    if _SYSTEM == "linux":
        return _xdg_folder("XDG_CONFIG_HOME", ".config")
    from platformdirs import user_config_path

    return user_config_path("tumpline", appauthor=False)
