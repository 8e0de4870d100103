"""Wheel files as such: their names, tags, METADATA and RECORD, read without unpacking.

Shared by the catalogue (files on disk), the index (files behind HTTP) and the environment (files to install). The
readers of files are in `tail`.
"""

from tumpline.wheels.metadata import CoreMetadata, parse_metadata
from tumpline.wheels.name import WheelName, parse_wheel_name
from tumpline.wheels.tags import TagRanking

__all__ = ["CoreMetadata", "TagRanking", "WheelName", "parse_metadata", "parse_wheel_name"]
