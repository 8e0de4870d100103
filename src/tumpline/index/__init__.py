"""The client of PyPI-like indexes (PEP 503, 658, 691, 700, 714): files, metadata, downloads, cache.

The answers are exported here. `pipconfig` says which indexes there are, `client` asks them.
"""

from tumpline.index.model import IndexFile, IndexReader, ProjectPage, Release

__all__ = ["IndexFile", "IndexReader", "ProjectPage", "Release"]
