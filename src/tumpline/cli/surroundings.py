"""Where this process runs, in the terms in which environments are checked."""

from __future__ import annotations

from collections.abc import Mapping

from tumpline.cli.wiring import here
from tumpline.environment.check import Surroundings

__all__ = ["surroundings_here"]


def surroundings_here(environ: Mapping[str, str]) -> Surroundings:
    """Return what the machine and the loaded modules (``LOADEDMODULES``, which Lmod keeps) say."""
    detection = here()
    return Surroundings(
        site=detection.site_name,
        environment=detection.environment,
        cpu_level=detection.cpu_level,
        python=detection.python,
        modules=tuple(filter(None, environ.get("LOADEDMODULES", "").split(":"))),
    )
