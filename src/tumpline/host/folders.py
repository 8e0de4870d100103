"""The user's folders and variables. Outside `tumpline.sites.detect`, the environment is read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cache_folder", "config_folder", "host_name", "variables"]


def variables() -> Mapping[str, str]:
    """Return the environment variables of this process."""
    return dict(os.environ)


def host_name() -> str:
    """Return the name of this machine as it knows itself."""
    if hasattr(os, "uname"):
        # `platform` says the same, and takes longer to import than a search of a catalogue takes.
        return os.uname().nodename
    import platform

    return platform.node()


def cache_folder() -> Path:
    """Return the folder for what can be made again: ``$TUMPLINE_CACHE``, else the platform's cache folder.

    In a Slurm job it is on the node's own storage (``$SLURM_TMPDIR``), since home may be read-only there and
    counts files (R18).
    """
    if chosen := os.environ.get("TUMPLINE_CACHE"):
        return Path(chosen)
    if (node := os.environ.get("SLURM_TMPDIR")) and os.environ.get("SLURM_JOB_ID"):
        return Path(node) / "tumpline-cache"
    from platformdirs import user_cache_path

    return user_cache_path("tumpline", appauthor=False)


def config_folder() -> Path:
    """Return the folder for the user's own settings and site profiles."""
    from platformdirs import user_config_path

    return user_config_path("tumpline", appauthor=False)
