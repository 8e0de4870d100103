"""Wheel files as such: their names, tags, METADATA and RECORD, read without unpacking.

Shared by the catalogue (files on disk), the index (files behind HTTP) and the environment (files to install).
"""

from tumpline.wheels.metadata import CoreMetadata, parse_metadata
from tumpline.wheels.name import WheelName, parse_wheel_name
from tumpline.wheels.tags import TagRanking
from tumpline.wheels.tail import DistInfo, read_dist_info, read_wheel_file

__all__ = [
    "CoreMetadata",
    "DistInfo",
    "TagRanking",
    "WheelName",
    "parse_metadata",
    "parse_wheel_name",
    "read_dist_info",
    "read_wheel_file",
]
