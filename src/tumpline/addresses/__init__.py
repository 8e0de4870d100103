"""Requirements by address and sdists: Git repositories, files of servers, paths, and what must be built to be known.

The values are exported here. `reader` answers for all of them; `git` and `build` run other programs, `trees` reads what
a source says of itself without running any of it.
"""

from tumpline.addresses.model import (
    Addressed,
    PathArtefact,
    SourceMetadata,
    SourceReader,
    UrlArtefact,
    VcsArtefact,
    bare_address,
)

__all__ = ["Addressed", "PathArtefact", "SourceMetadata", "SourceReader", "UrlArtefact", "VcsArtefact", "bare_address"]
