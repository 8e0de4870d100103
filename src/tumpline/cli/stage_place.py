"""Where the stage is, and whether a node has to do with it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.wiring import here, load_site_named
from tumpline.errors import InputError
from tumpline.host import stage_place

if TYPE_CHECKING:
    from tumpline.environment.wheelstore import WheelStore
    from tumpline.sites import Site

__all__ = ["add_stage_option", "find_stage", "open_stage", "without_internet"]


def add_stage_option(parser: argparse.ArgumentParser) -> None:
    """Declare where the stage is."""
    parser.add_argument(
        "--stage",
        type=Path,
        metavar="DIR",
        help="the stage's folder (default: $TUMPLINE_STAGE, else in scratch or project space, else in the cache)",
    )


def find_stage(options: argparse.Namespace) -> Path | None:
    """Return the stage's folder, which may not be there; None on a cluster that has no place for one by itself."""
    if options.stage is not None:
        return Path(os.path.abspath(options.stage))  # noqa: PTH100 - links as they were given
    # Most have one of the folders that clusters have, or are no cluster: then no profile need be read.
    place = stage_place(cluster=True) or stage_place(cluster=_on_cluster())
    return Path(os.path.abspath(place.folder)) if place is not None else None  # noqa: PTH100 - see above


def open_stage(options: argparse.Namespace) -> WheelStore:
    """Return the stage, which may be empty; raises InputError ``no-stage-place``."""
    from tumpline.environment.wheelstore import WheelStore

    if (folder := find_stage(options)) is None:
        raise InputError.of(
            "no-stage-place",
            "there is no place for a stage that would be chosen by itself",
            where=f"site {here().site_name}",
            why="neither SCRATCH nor PROJECT names a folder, and files in home are counted",
            hint="name a folder that the nodes see, with --stage DIR or TUMPLINE_STAGE",
        )
    return WheelStore(folder)


def without_internet(site: Site) -> bool:
    """Whether this runs in a job on a node of that site which has no internet (R19)."""
    detection = here()
    return detection.in_job and detection.site_name == site.name and site.compute_internet == "none"


def _on_cluster() -> bool:
    try:
        return load_site_named("here").kind == "cluster"
    except InputError:
        return False
