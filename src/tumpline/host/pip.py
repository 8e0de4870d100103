"""The variables under which a pip of a virtual environment is run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tumpline.host.pythons import without_python_variables

__all__ = ["pip_variables"]

_MISPLACING = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_PYTHON",
    "PIP_REQUIRE_HASHES",
    "PIP_NO_DEPS",
    "PIP_EDITABLE",
)
"""Settings of pip that are meant for other installations and would send this one astray."""


def pip_variables(environ: Mapping[str, str], root: str, scripts: str, *, offline: bool) -> dict[str, str]:
    """Return the variables for the pip of the environment in `root`, whose programs are in the folder `scripts`.

    pip finds indexes where its configuration says. With `offline` it may use neither an index nor an address, but
    folders of ``find-links``.
    """
    kept = {name: value for name, value in without_python_variables(environ).items() if name not in _MISPLACING}
    path = os.pathsep.join(filter(None, [scripts, kept.get("PATH", "")]))
    kept |= {"VIRTUAL_ENV": root, "PATH": path, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    if offline:
        # --no-index does not stop pip from reading a page of links: only local folders may stay.
        links = [
            word for word in kept.get("PIP_FIND_LINKS", "").split() if "://" not in word or word.startswith("file:")
        ]
        kept |= {"PIP_FIND_LINKS": " ".join(links), "PIP_NO_INDEX": "1"}
    return kept
