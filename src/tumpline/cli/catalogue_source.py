"""What a person names where a catalogue is wanted: a file, a snapshot, or a site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.wiring import cache, load_site_named, site_asked
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue.store import Catalogue

__all__ = ["is_same_catalogue", "open_named"]


def open_named(name: str, given: Path | None = None) -> Catalogue:
    """Open a catalogue's file or a snapshot where there is such a file, else the catalogue of the site of that name.

    Where no name is given: the file `given`, else the one of ``TUMPLINE_CATALOGUE``, else that of
    `site_asked`. Raises
    what opening and finding catalogues raises.
    """
    from tumpline.catalogue.find import find_catalogue
    from tumpline.catalogue.opening import open_any

    if given is None and not name and (chosen := variables().get("TUMPLINE_CATALOGUE")):
        given = Path(chosen)
    path = Path(name)
    if given is not None:
        return open_any(given)
    if name and (path.is_file() or path.name != name or path.suffix in (".sqlite", ".tumpline")):
        return open_any(path)
    return find_catalogue(site_asked(name), cache())


def is_same_catalogue(site: str, other: str) -> bool:
    """Say whether two sites have one catalogue; a site without a profile has its own."""
    from tumpline.errors import InputError

    if site == other:
        return True
    try:
        one, two = (load_site_named(each).catalogue for each in (site, other))
    except InputError:
        return False
    return one is not None and one == two
