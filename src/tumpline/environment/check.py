"""Whether an environment may be used here and now (R15): each mismatch is one sentence that names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.environment.generations import current_generation
from tumpline.environment.record import EnvironmentRecord, read_record
from tumpline.environment.whereabouts import moved_from
from tumpline.errors import NotSo, Problem

if TYPE_CHECKING:
    from tumpline.lock import LockedTarget

__all__ = ["Surroundings", "check_environment", "check_target", "is_loaded", "open_environment"]

_LEVEL = re.compile(r"x86-64-v(\d)\Z")


class Surroundings(NamedTuple):
    """Where a command is to run. What is not known is empty, and nothing is held against it.

    `environment` is the software environment that is loaded (empty on anything but a cluster), `python` the version
    of the Python that its module brings, `modules` the loaded modules with their versions.
    """

    site: str
    environment: str = ""
    cpu_level: str = ""
    python: str = ""
    modules: tuple[str, ...] = ()


def open_environment(place: Path) -> tuple[Path, EnvironmentRecord]:
    """Return the folder of the current generation at a place, and its record.

    Raises NotSo ``no-environment`` where there is none, ``environment-incomplete`` where there is less than once was;
    InputError ``not-our-environment`` and ``environment-unreadable``.
    """
    folder = current_generation(place)
    record = read_record(folder) if folder is not None else None
    if folder is not None and record is None and folder.is_dir():
        raise NotSo.of(
            "environment-incomplete",
            "a part of the environment is gone, its record among others",
            where=str(place),
            why="it was there when the environment was made; a purge of old files takes what was not used for long",
            hint="make the environment anew: tumpline sync",
        )
    if folder is None or record is None:
        raise NotSo.of("no-environment", "there is no environment yet", where=str(place), hint="make it: tumpline sync")
    return folder, record


def check_target(target: LockedTarget, here: Surroundings) -> tuple[Problem, ...]:
    """Return what speaks against making a target's environment here; nothing on a machine that is no cluster.

    Its interpreter would be this cluster's. Codes: ``wrong-cpu-level``, ``wrong-software-environment``.
    """
    problems: list[Problem] = []
    where = f"target {target.name}"
    if not here.environment or not target.environment:
        return ()
    if _cpu_differs(target.cpu_level, here):
        problems.append(
            Problem(
                "wrong-cpu-level",
                f"the target is for {target.cpu_level} ({target.site}); {here.site} is {here.cpu_level}",
                where,
                hint=f"run this on {target.site}, or choose a target for {here.site} with --target",
            )
        )
    if here.environment != target.environment:
        problems.append(
            Problem(
                "wrong-software-environment",
                f"the target is for StdEnv/{target.environment}; StdEnv/{here.environment} is loaded",
                where,
                hint=f"load the right one first: module load StdEnv/{target.environment}",
            )
        )
    return tuple(problems)


def check_environment(
    record: EnvironmentRecord, here: Surroundings, key: str | None, folder: Path | None = None
) -> tuple[Problem, ...]:
    """Return what speaks against using an environment, the weightiest first; nothing where all is well.

    `key` is that of the plan that the lock gives now, None where that is not to be compared; `folder` that of the
    environment, of which a few bytes are read, None where it is not to be looked at. Codes: ``python-gone``,
    ``environment-moved``, ``wrong-cpu-level``, ``wrong-software-environment``, ``wrong-python``,
    ``module-not-loaded``, ``environment-stale``.
    """
    return tuple(_problems(record, here, key, folder))


def _problems(record: EnvironmentRecord, here: Surroundings, key: str | None, folder: Path | None) -> Iterator[Problem]:
    where = f"target {record.target}"
    if not Path(record.interpreter).exists():
        yield Problem(
            "python-gone",
            f"the Python that this environment stands on is gone: {record.interpreter}",
            where,
            hint="make the environment anew: tumpline sync",
        )
    if folder is not None and (before := moved_from(folder)):
        yield Problem(
            "environment-moved",
            f"this environment was made in {before} and moved or copied from there",
            where,
            why="its scripts and its activate lead to where it was made",
            hint="make it anew here: tumpline sync; or carry it as an image: tumpline pack",
        )
    if _cpu_differs(record.cpu_level, here):
        yield Problem(
            "wrong-cpu-level",
            f"this environment was made for {record.cpu_level} ({record.site}); {here.site} is {here.cpu_level}",
            where,
            hint=f"use a target for {here.site}, and make its environment here: tumpline sync --target NAME",
        )
    if here.environment and record.environment and here.environment != record.environment:
        yield Problem(
            "wrong-software-environment",
            f"this environment was made for StdEnv/{record.environment}; StdEnv/{here.environment} is loaded",
            where,
            hint=f"load the right one first: module load StdEnv/{record.environment}",
        )
    if here.environment and here.python and _minor(here.python) != _minor(record.python):
        yield Problem(
            "wrong-python",
            f"this environment was made for Python {record.python}; the module of Python {here.python} is loaded",
            where,
            hint=f"load the right one first: module load python/{record.python}",
        )
    for module in dict.fromkeys([*record.modules, *(package.module for package in record.expected)]):
        if not any(is_loaded(loaded, module) for loaded in here.modules):
            brings = [f"{package.name} {package.version}" for package in record.expected if package.module == module]
            instead = next((loaded for loaded in here.modules if loaded.split("/")[0] == module.split("/")[0]), "")
            yield Problem(
                "module-not-loaded",
                f"the module {module} is not loaded" + (f", and it brings {', '.join(brings)}" if brings else ""),
                where,
                why=f"{instead} is loaded, and there is place for one of a name" if instead else "",
                hint=f"load it first: module load {module}; or go on without it: tumpline run --no-check",
            )
    if key is not None and key != record.key:
        yield Problem(
            "environment-stale",
            "the environment is not what the lock says any more",
            where,
            hint="bring it up to date: tumpline sync",
        )


def _cpu_differs(made_for: str, here: Surroundings) -> bool:
    """On a cluster any other level is wrong, since the interpreter's path holds it; elsewhere only a lesser one."""
    if not made_for or not here.cpu_level or made_for == here.cpu_level:
        return False
    wanted, have = _LEVEL.match(made_for), _LEVEL.match(here.cpu_level)
    if here.environment or wanted is None or have is None:
        return True
    return int(have[1]) < int(wanted[1])


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def is_loaded(loaded: str, wanted: str) -> bool:
    """Whether a loaded module is a wanted one: ``python/3.11`` is served by ``python/3.11.5``, not the other way."""
    return loaded == wanted or loaded.startswith((f"{wanted}.", f"{wanted}/"))
