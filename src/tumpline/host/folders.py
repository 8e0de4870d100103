"""The user's folders and variables. Outside `tumpline.sites.detect`, the environment is read here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cache_folder", "config_folder", "variables"]


def variables() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    return dict(os.environ)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for what can be made again: ``$TUMPLINE_CACHE``, else the platform's cache folder.

    In a Slurm job it is on the node's own storage (``$SLURM_TMPDIR``), since home may be read-only there and
    counts files (R18).
    """
    if chosen := environ.get("TUMPLINE_CACHE"):
        return Path(chosen)
    if (node := environ.get("SLURM_TMPDIR")) and environ.get("SLURM_JOB_ID"):
        return Path(node) / "tumpline-cache"
    if xdg := environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "tumpline"
    home = _home(environ)
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tumpline"
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA", str(home))) / "tumpline" / "Cache"
    return home / ".cache" / "tumpline"


def config_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for the user's own settings and site profiles."""
    if xdg := environ.get("XDG_CONFIG_HOME"):
        return Path(xdg) / "tumpline"
    home = _home(environ)
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "tumpline"
    if sys.platform == "win32":
        return Path(environ.get("APPDATA", str(home))) / "tumpline"
    return home / ".config" / "tumpline"


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
