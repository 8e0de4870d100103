"""Which catalogue answers for a site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tumpline.catalogue.opening import open_any
from tumpline.catalogue.store import open_catalogue
from tumpline.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tumpline.catalogue.store import Catalogue
    from tumpline.sites import Site

__all__ = ["catalogue_path", "find_catalogue", "path_of_name"]


def find_catalogue(
    site: Site, cache_folder: Path, given: Path | None = None, *, layers: Sequence[str] = (), where: str = ""
) -> Catalogue:
    """Open the catalogue of a site: the one given, else the one scanned last, else the shipped one.

    Several sites can share the name of a catalogue. One that was scanned serves a target only if it knows all of its
    `layers`: a scan on a cluster with one CPU level says nothing of another level's wheels. `where` names the target
    in errors. Raises InputError ``no-catalogue``, and what `open_any` raises.
    """
    # Not at the top: who finds what was scanned does not wait for it.
    from tumpline.catalogue.shipped import SHIPPED, open_shipped

    where = where or site.name
    if given is not None:
        return open_any(given)
    if site.catalogue is None:
        raise InputError.of(
            "no-catalogue",
            f"there is no catalogue of {site.name}",
            where=where,
            why="the site has no wheelhouse",
            hint='use policy = "pypi" for this target',
        )
    scanned = catalogue_path(site, cache_folder)
    unknown: list[str] = []
    if scanned.exists():
        catalogue = open_catalogue(scanned)
        unknown = [layer for layer in layers if layer not in catalogue.info.layers]
        if not unknown:
            return catalogue
        catalogue.close()
    if site.catalogue == SHIPPED:
        return open_shipped(cache_folder)
    raise InputError.of(
        "no-catalogue",
        f"there is no catalogue of {site.name}",
        where=where,
        why=f"the scanned one does not know the layer {', '.join(unknown)}" if unknown else f"there is no {scanned}",
        hint=f"make it where the wheelhouse is: tumpline catalogue scan {site.name}; elsewhere: "
        f"tumpline catalogue pull {site.name}; or give one with --catalogue FILE",
    )


def catalogue_path(site: Site, cache_folder: Path) -> Path:
    """Return where a scan of the site is kept; raises InputError ``bad-catalogue-name``."""
    return path_of_name(site.catalogue or site.name, cache_folder, site.origin or site.name)


def path_of_name(name: str, cache_folder: Path, where: str) -> Path:
    """Return where the catalogue of this name is kept; raises as `catalogue_path`, with the profile at `where`."""
    # The name comes from a profile, which may come from anywhere: it must not lead out of the folder.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError.of(
            "bad-catalogue-name",
            f"{name!r} can not name a catalogue",
            where=where,
            hint="in the site's profile, use letters, digits, dots, dashes and underscores",
        )
    return cache_folder / "catalogues" / f"{name}.sqlite"
