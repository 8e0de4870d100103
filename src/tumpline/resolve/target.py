"""Targets in full: what a requested target means once its site's defaults are filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.tags import compatible_tags, cpython_tags

from tumpline.errors import InputError, Problem
from tumpline.project import Policy, TargetRequest
from tumpline.sites import Site
from tumpline.values import parse_specifier, parse_version
from tumpline.wheels import TagRanking
from tumpline.wheels.tags import admits_some

__all__ = ["Target", "admitted", "check_requires_python", "make_target"]

_SYSTEMS = {
    # os: (os_name, platform_system, sys_platform), as CPython reports them
    "linux": ("posix", "Linux", "linux"),
    "macos": ("posix", "Darwin", "darwin"),
    "windows": ("nt", "Windows", "win32"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A place to lock for, with everything that decides what it can get.

    `python` is the full version (``3.11.5``); on a machine whose user gave only a minor version it is ``X.Y.0``,
    the least that the user promised. `layers` are the wheelhouse layers, best first. `markers` is the PEP 508
    environment without ``extra``. `ranking` and `markers` follow from the rest, so they do not compare.
    """

    name: str
    site: Site
    python: str
    policy: Policy
    environment: str = ""
    cpu_level: str = ""
    modules: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    markers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    ranking: TagRanking = field(default_factory=lambda: TagRanking(()), compare=False, repr=False)

    @property
    def minor(self) -> str:
        """The Python minor version, ``3.11``."""
        return ".".join(self.python.split(".")[:2])

    @property
    def wheelhouse(self) -> bool:
        """Whether this target may take wheels from a wheelhouse."""
        return self.site.catalogue is not None and self.policy != "pypi"


def make_target(request: TargetRequest, site: Site, policy: Policy) -> Target:
    """Fill in a requested target from its site; `policy` is the project's.

    Raises InputError ``unknown-environment``, ``unknown-cpu-level``, ``unknown-python``; each names the target and
    what there is to choose from.
    """
    where = f"target {request.name}"
    environment_name = cpu_level = ""
    layers: tuple[str, ...] = ()
    python = request.python
    if site.environments:
        environment_name = request.environment or site.default_environment
        environment = site.environment(environment_name)
        if environment is None:
            raise _unknown("unknown-environment", environment_name, [e.name for e in site.environments], site, where)
        cpu_level = request.cpu_level or (site.cpu_levels[0] if site.cpu_levels else "")
        if cpu_level and cpu_level not in site.cpu_levels:
            raise _unknown("unknown-cpu-level", cpu_level, site.cpu_levels, site, where)
        python = _python_of(request.python or environment.default_python, environment.pythons, site, where)
        layers = environment.layers.get(cpu_level, ())
    elif request.environment:
        raise _unknown("unknown-environment", request.environment, (), site, where)
    elif not python:
        raise InputError.of(
            "no-python-given",
            "no Python version is given",
            where=where,
            why=f"{site.name} has no default Python",
            hint='write python = "3.11" (or another version) in the target\'s table',
        )
    full = python if python.count(".") >= 2 else f"{python}.0"
    minor = ".".join(full.split(".")[:2])
    return Target(
        name=request.name,
        site=site,
        python=full,
        policy=request.policy or policy,
        environment=environment_name,
        cpu_level=cpu_level,
        modules=request.modules,
        layers=layers,
        markers=_markers(site, full, minor),
        ranking=_ranking(site, minor),
    )


_MINORS = range(8, 30)
"""The minor versions of Python 3 that may be proposed for a machine."""


def check_requires_python(targets: Iterable[Target], requires_python: str) -> None:
    """See that the project's ``requires-python`` admits the Python of every target; an empty one admits all.

    A machine's Python that was given as a minor version passes if any patch release of it would. Raises InputError
    ``python-excluded`` with a problem for each target that fails.
    """
    if not requires_python:
        return
    try:
        problems = [_excluded(target, requires_python) for target in targets if not admitted(target, requires_python)]
    except ValueError as error:
        raise InputError.of(
            "bad-requires-python",
            f"{requires_python[:200]!r} is not a range of versions",
            where="project.requires-python",
            why=str(error),
            hint='write for example ">=3.11,<3.14"',
        ) from error
    if problems:
        raise InputError(*problems)


def admitted(target: Target, requires_python: str) -> bool:
    """Say whether ``requires-python`` admits the Python of a target; raises ValueError where it can not be read."""
    if not target.site.environments and target.python == f"{target.minor}.0":
        return admits_some(requires_python, target.minor)
    return _admits(requires_python, target.python)


def _admits(requires_python: str, python: str) -> bool:
    return parse_specifier(requires_python).contains(python, prereleases=True)


def _excluded(target: Target, requires_python: str) -> Problem:
    environment = target.site.environment(target.environment) if target.environment else None
    if environment is not None:
        fitting = [python for python in environment.pythons if _admits(requires_python, python)]
        among = f"of the Pythons of {target.site.name} these fit"
    else:
        fitting = [minor for m in _MINORS if admits_some(requires_python, minor := f"3.{m}")][:1]
        among = "it admits, for example"
    if fitting:
        hint = f"give the target another Python ({among}: {', '.join(fitting)}), or relax requires-python"
    else:
        hint = f"relax requires-python: {target.site.name} has no Python that it admits"
    return Problem(
        "python-excluded",
        f"the project does not admit Python {target.python if environment is not None else target.minor}",
        where=f"target {target.name}",
        why=f"project.requires-python says {requires_python}",
        hint=hint,
    )


def _python_of(wanted: str, offered: tuple[str, ...], site: Site, where: str) -> str:
    """Return the newest of the site's Pythons that is the wanted version or has the wanted minor."""
    fitting = [python for python in offered if python == wanted or python.startswith(f"{wanted}.")]
    if not fitting:
        raise _unknown("unknown-python", wanted, offered, site, where)
    return max(fitting, key=parse_version)


def _unknown(code: str, value: str, choices: tuple[str, ...] | list[str], site: Site, where: str) -> InputError:
    names = {
        "unknown-environment": "software environment",
        "unknown-cpu-level": "CPU level",
        "unknown-python": "Python",
    }
    listed = ", ".join(choices)
    return InputError.of(
        code,
        f"{site.name} has no {names[code]} {value}",
        where=where,
        hint=f"choose one of: {listed}" if listed else f"remove the key: {site.name} has no such choice",
    )


def _markers(site: Site, python: str, minor: str) -> dict[str, str]:
    os_name, system, platform = _SYSTEMS[site.platform.os]
    machine = site.platform.machine
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": os_name,
        "platform_machine": "AMD64" if platform == "win32" and machine == "x86_64" else machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": python,
        "python_version": minor,
        "sys_platform": platform,
    }


def _ranking(site: Site, minor: str) -> TagRanking:
    major_minor = tuple(int(part) for part in minor.split("."))
    interpreter = f"cp{''.join(minor.split('.'))}"
    platforms = site.platform.tags
    return TagRanking(
        [
            *cpython_tags(major_minor, abis=[interpreter], platforms=platforms),
            *compatible_tags(major_minor, interpreter=interpreter, platforms=platforms),
        ]
    )
