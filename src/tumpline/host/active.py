"""The environment that a shell has activated, and what was put before it since."""

from __future__ import annotations

import os
from collections.abc import Mapping

__all__ = ["loaded_after"]


def loaded_after(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the loaded modules whose folders come before the active environment's on PATH, in the order of PATH.

    Activating puts the environment first, and so does loading a module: what is before it was loaded later. A module is
    told by its name and version in the path, as in ``…/python/3.11.5/bin``, or by the root that it sets
    (``EBROOTPYTHON``); one that adds nothing to PATH can not be told. Nothing where no environment is active.
    """
    active = environ.get("VIRTUAL_ENV", "").rstrip("/")
    folders = environ.get("PATH", "").split(os.pathsep)
    if not active or f"{active}/bin" not in folders:
        return ()
    modules = tuple(filter(None, environ.get("LOADEDMODULES", "").split(":")))
    found: dict[str, None] = {}
    for folder in folders[: folders.index(f"{active}/bin")]:
        for module in modules:
            root = environ.get(_root_variable(module), "")
            if f"/{module}/" in f"{folder}/" or (root and f"{folder}/".startswith(f"{root.rstrip('/')}/")):
                found[module] = None
    return tuple(found)


def _root_variable(module: str) -> str:
    """Return the variable in which EasyBuild keeps where a module's software is (its function ``convert_name``)."""
    name = module.split("/")[0].replace("+", "plus").replace("-", "min").replace(".", "")
    return f"EBROOT{name.upper()}"
