"""Wheel files as such: their names, tags, METADATA and RECORD, read without unpacking.

Shared by the catalogue (files on disk), the index (files behind HTTP) and the environment (files to install). The
readers of files are in `tail`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tumpline.wheels.metadata import CoreMetadata, parse_metadata
    from tumpline.wheels.name import WheelName, parse_wheel_name
    from tumpline.wheels.tags import TagRanking

__all__ = ["CoreMetadata", "TagRanking", "WheelName", "parse_metadata", "parse_wheel_name"]

_PLACES = {
    "CoreMetadata": "metadata",
    "TagRanking": "tags",
    "WheelName": "name",
    "parse_metadata": "metadata",
    "parse_wheel_name": "name",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for: a search needs the tags alone."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
