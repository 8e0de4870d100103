"""The quota that a site's profile states for the place of an environment or a stage."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tumpline.host.room import Room
from tumpline.sites import Site

__all__ = ["stated_quota"]

_VARIABLES = (("scratch", "SCRATCH"), ("project", "PROJECT"), ("home", "HOME"))
_FOLDERS = (("scratch", "/scratch"), ("project", "/project"), ("home", "/home"))
"""Where the clusters of the Alliance have them; the variables come first, as a machine may have them elsewhere."""


def stated_quota(site: Site, folder: Path, environ: Mapping[str, str]) -> Room | None:
    """Return what may be in a folder in all, by the profile of the site on which this runs; None where it says nothing.

    How much of it is used already, the profile can not know: the room has `whole` set. Links are followed, since the
    home folder of a cluster holds links to scratch and project space. Nothing is raised.
    """
    quotas = site.quotas or {}
    place = os.path.realpath(folder)
    for area, root in _areas(environ):
        if area in quotas and (place == root or place.startswith(root.rstrip("/") + "/")):
            quota = quotas[area]
            return Room(f"the quota of {area} on {site.name}", quota.space, quota.files, whole=True)
    return None


def _areas(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for area, variable in _VARIABLES:
        if os.path.isabs(root := environ.get(variable, "")):  # noqa: PTH117 - text is wanted, not a path
            yield area, os.path.realpath(root)
    yield from _FOLDERS
