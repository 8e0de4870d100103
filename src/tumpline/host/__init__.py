"""The machine we stand on, behind small interfaces: processes, files, folders of the user, interpreters."""

from tumpline.host.files import write_atomically
from tumpline.host.folders import (
    Place,
    cache_folder,
    cache_limit,
    cache_place,
    config_folder,
    home_folder,
    host_name,
    stage_place,
    take_over,
    variables,
)

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
    "write_atomically",
]
