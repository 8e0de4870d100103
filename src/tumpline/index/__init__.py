"""The client of PyPI-like indexes (PEP 503, 658, 691, 700, 714): files, metadata, downloads, cache.

`read_pip_settings` says which indexes there are, `IndexClient` asks them.
"""

from tumpline.index.client import IndexClient
from tumpline.index.model import IndexFile, IndexReader, ProjectPage, Release
from tumpline.index.pipconfig import read_pip_settings
from tumpline.index.settings import IndexLocation, IndexSettings

__all__ = [
    "IndexClient",
    "IndexFile",
    "IndexLocation",
    "IndexReader",
    "IndexSettings",
    "ProjectPage",
    "Release",
    "read_pip_settings",
]
