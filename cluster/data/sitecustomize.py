"""Makes what modules bring importable: what the Alliance's file of this name does, written anew for the test cluster.

Modules add their prefixes to EBPYTHONPREFIXES. Where a prefix has packages for this Python they are importable: behind
an environment's own, and before those that come with Python itself. Those of EBPYTHONPREFIXES_PRIORITY come first.
"""

import os
import site
import sys
from collections.abc import Iterator

_SOFTWARE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "software")


def _folders(variable: str) -> Iterator[str]:
    for prefix in os.environ.get(variable, "").split(os.pathsep):
        folder = os.path.join(
            prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages"
        )
        if prefix and os.path.isdir(folder):
            yield folder


def _in_environment() -> bool:
    return bool(os.environ.get("VIRTUAL_ENV")) or not sys.executable.startswith(_SOFTWARE + os.sep)


def _add() -> None:
    before = len(sys.path)
    for folder in _folders("EBPYTHONPREFIXES"):
        site.addsitedir(folder)
    if not _in_environment():
        added = sys.path[before:]
        del sys.path[before:]
        sys.path[before - 1 : before - 1] = added
    sys.path[:0] = _folders("EBPYTHONPREFIXES_PRIORITY")


_add()
