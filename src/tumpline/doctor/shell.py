"""The shell: variables that change what Python imports, and the environment that is active."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tumpline.doctor.model import Finding, Situation
from tumpline.doctor.modules import load_again, reactivate, startup_lines
from tumpline.errors import Problem

__all__ = ["shell_findings"]

_FEW = 6
"""Names that a message lists."""


def shell_findings(seen: Situation) -> Iterator[Finding]:
    """Yield what is wrong with the shell's variables and with what is active in it."""
    checks = (
        _python_home,
        _own_pythonpath,
        _site_hooks,
        _libraries,
        _environment_gone,
        _other_environment,
        _not_first,
        _user_packages,
    )
    yield from (finding for check in checks if (finding := check(seen)) is not None)


def _python_home(seen: Situation) -> Finding | None:
    """PYTHONHOME sends every Python to the standard library of one."""
    value = seen.scene.variables.get("PYTHONHOME", "")
    if not value:
        return None
    return Finding(
        "error",
        Problem("pythonhome-set", "PYTHONHOME is set, and no environment's Python starts properly", hint="unset it"),
        (f"PYTHONHOME={value}", *startup_lines(seen, "PYTHONHOME")),
        "unset PYTHONHOME",
    )


def _own_pythonpath(seen: Situation) -> Finding | None:
    """PYTHONPATH has folders that are not the site's: what is in them comes before the packages of any environment."""
    variables = seen.scene.variables
    roots = tuple(value.rstrip("/") for name, value in variables.items() if name.startswith("EBROOT") and value)
    own = [
        folder.path
        for folder in seen.scene.search
        if not folder.hooks and not folder.path.startswith(tuple(f"{root}/" for root in roots))
    ]
    if not own:
        return None
    kept = [folder.path for folder in seen.scene.search if folder.path not in own]
    return Finding(
        "warning",
        Problem(
            "pythonpath-set",
            f"PYTHONPATH puts folders before the packages of every environment: {', '.join(own)}",
            why="a package there is imported instead of the locked one",
            hint="take them out",
        ),
        (
            *(
                f"PYTHONPATH has {folder.path}{'' if folder.there else ' (which is not there)'}"
                for folder in seen.scene.search
            ),
            *startup_lines(seen, "PYTHONPATH"),
        ),
        f"export PYTHONPATH={shlex.quote(':'.join(kept))}" if kept else "unset PYTHONPATH",
    )


def _site_hooks(seen: Situation) -> Finding | None:
    """The site's own folders are not on PYTHONPATH: manylinux is not refused, or what modules bring is not seen."""
    if not seen.here.environment or seen.site is None or "PYTHONPATH" in seen.scene.silent:
        return None
    hooks = {hook for folder in seen.scene.search for hook in folder.hooks}
    lost = []
    if not seen.site.manylinux and "_manylinux.py" not in hooks:
        lost.append("pip takes wheels from the index that do not work here")
    if seen.scene.prefixes and "sitecustomize.py" not in hooks:
        lost.append("packages of loaded modules are not found")
    if not lost:
        return None
    return Finding(
        "warning",
        Problem(
            "pythonpath-incomplete",
            "the software environment's own folders are missing from PYTHONPATH",
            why="; ".join(lost),
            hint="log in anew, or load the modules again",
        ),
        (f"PYTHONPATH={seen.scene.variables.get('PYTHONPATH', '')}", *startup_lines(seen, "PYTHONPATH")),
        load_again(seen),
    )


def _libraries(seen: Situation) -> Finding | None:
    """LD_LIBRARY_PATH and LD_PRELOAD: a site's software finds its libraries without, and finds others with them."""
    found = [name for name in ("LD_LIBRARY_PATH", "LD_PRELOAD") if seen.scene.variables.get(name)]
    if not found or not seen.here.environment:
        return None
    return Finding(
        "warning",
        Problem(
            "libraries-set",
            f"{' and '.join(found)} can bring other libraries into the modules' programs than they were built with",
            hint="unset them unless you know that you need them",
        ),
        (*(f"{name}={seen.scene.variables[name]}" for name in found), *startup_lines(seen, *found)),
        f"unset {' '.join(found)}",
    )


def _environment_gone(seen: Situation) -> Finding | None:
    """The active environment has no Python any more: it was removed or purged, or its module is not reachable."""
    active = seen.scene.active
    if active is None or active.python:
        return None
    return Finding(
        "error",
        Problem(
            "active-environment-gone",
            "the active environment is not there any more, or its Python is not",
            where=active.path,
            hint="leave it, and activate one that is there",
        ),
        (f"VIRTUAL_ENV={active.path}",),
        # In a job and in a script the variable is inherited, the function is not.
        "deactivate 2>/dev/null || unset VIRTUAL_ENV",
    )


def _other_environment(seen: Situation) -> Finding | None:
    """Another environment than the project's is active."""
    active, project = seen.scene.active, seen.project
    if active is None or not active.python or project is None or not project.folder or seen.is_activated:
        return None
    place = project.place.rpartition("/")
    earlier = active.path.startswith(f"{place[0]}/.{place[2]}.tumpline-")
    return Finding(
        "warning",
        Problem(
            "other-environment-active",
            "the active environment is the project's from before the last sync"
            if earlier
            else "another environment than the project's is active",
            where=active.path,
            hint="activate the project's; tumpline run uses it anyway",
        ),
        (f"VIRTUAL_ENV={active.path}", f"the project's is {project.place}"),
        reactivate(seen),
    )


def _not_first(seen: Situation) -> Finding | None:
    """VIRTUAL_ENV speaks of an environment that PATH does not have, as in a job whose modules were loaded anew."""
    active, path = seen.scene.active, seen.scene.path
    if active is None or not active.python:
        return None
    if any(f"{active.path.rstrip('/')}/{name}" in path for name in ("bin", "Scripts")):
        return None
    return Finding(
        "error",
        Problem(
            "environment-not-on-path",
            "an environment counts as active, and its programs are not on PATH",
            where=active.path,
            hint="activate again",
        ),
        (f"VIRTUAL_ENV={active.path}", f"python is {seen.scene.programs.get('python', 'not on PATH')}"),
        reactivate(seen),
    )


def _user_packages(seen: Situation) -> Finding | None:
    """Packages in ``~/.local`` are imported by every Python of that version that is not closed against them."""
    variables, active = seen.scene.variables, seen.scene.active
    minor = ".".join((seen.here.python or seen.python).split(".")[:2])
    found = [packages for packages in seen.scene.user_packages if not minor or packages.python == minor]
    if not found or variables.get("PYTHONNOUSERSITE"):
        return None
    count = sum(len(packages.names) for packages in found)
    names = [name for packages in found for name in packages.names]
    listed = ", ".join(names[:_FEW]) + (f" and {count - _FEW} more" if count > _FEW else "")
    shadows = active is not None and active.opens
    return Finding(
        "warning" if shadows or seen.on_cluster else "note",
        Problem(
            "user-packages",
            f"packages in home are in the way of the environment's: {listed}"
            if shadows
            else f"there are packages in home that a Python outside of environments imports: {listed}",
            why="the active environment is open to them (include-system-site-packages)" if shadows else "",
            hint="keep them out of sight, or remove what is not needed; tumpline run never sees them",
        ),
        tuple(f"{packages.folder}: {len(packages.names)} packages" for packages in found),
        "export PYTHONNOUSERSITE=1",
    )
