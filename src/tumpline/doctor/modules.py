"""Modules: what is not loaded, or loaded at the wrong time, or loaded for nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tumpline.doctor.model import Finding, Situation
from tumpline.errors import Problem
from tumpline.host.active import loaded_after

__all__ = ["load_again", "module_findings", "reactivate", "startup_lines"]


def module_findings(seen: Situation) -> Iterator[Finding]:
    """Yield what is wrong with the modules; nothing on a machine whose software does not come from them."""
    if not seen.on_cluster:
        return
    checks = (_no_module_system, _nothing_loaded, _no_python, _other_python_first, _after_activation, _no_binding)
    yield from (finding for check in checks if (finding := check(seen)) is not None)


def _no_module_system(seen: Situation) -> Finding | None:
    """The module system can not be used: its variables are not there, or lead nowhere."""
    variables = seen.scene.variables
    command = variables.get("LMOD_CMD", "")
    if command and not seen.scene.lmod and "LMOD_CMD" not in seen.scene.silent:
        evidence = f"LMOD_CMD={command}: there is no such file"
    elif not command and not seen.scene.modules:
        evidence = "LMOD_CMD is not set"
    elif not variables.get("MODULEPATH"):
        evidence = "MODULEPATH is not set"
    else:
        return None
    return Finding(
        "error",
        Problem(
            "module-system-broken",
            "this shell has no module system that works",
            hint="log in anew; in a script, start with #!/bin/bash -l; if it stays so, look at your shell's start-up "
            "files and tell the cluster's support",
        ),
        (evidence,),
    )


def _nothing_loaded(seen: Situation) -> Finding | None:
    """No software environment is loaded, as in a login shell of Trillium, or after ``module --force purge``."""
    if seen.here.environment:
        return None
    modules = _wanted(seen)
    return Finding(
        "warning",
        Problem(
            "no-software-environment",
            "no software environment (StdEnv) is loaded",
            hint="load one, and the Python you want with it",
        ),
        ("EBVERSIONGENTOO is not set", _loaded(seen)),
        f"module load {shlex.join(modules)}" if modules else "",
    )


def _no_python(seen: Situation) -> Finding | None:
    """No Python module is loaded: ``python`` is the operating system's, and ``virtualenv`` a stub."""
    if not seen.here.environment or seen.here.python:
        return None
    python = seen.scene.programs.get("python3") or seen.scene.programs.get("python")
    return Finding(
        "warning",
        Problem(
            "no-python-module",
            "no Python module is loaded",
            why="environments are made of a module's Python; another does not find what the modules bring",
            hint="load one",
        ),
        ("EBVERSIONPYTHON is not set", f"python3 is {python}" if python else "there is no python3 on PATH"),
        f"module load {shlex.quote(f'python/{seen.python}')}" if seen.python else "",
    )


def _other_python_first(seen: Situation) -> Finding | None:
    """A Python module is loaded, and ``python`` is another one; an active environment's is meant to be."""
    root, python = seen.scene.variables.get("EBROOTPYTHON", ""), seen.scene.programs.get("python", "")
    active = seen.scene.active
    if not root or not python or _is_below(python, root) or (active is not None and _is_below(python, active.path)):
        return None
    return Finding(
        "error",
        Problem(
            "python-of-another",
            f"python is not the one of the loaded module python/{seen.here.python}",
            why="something was put before the modules on PATH",
            hint="take it out of PATH, or out of your shell's start-up files, and log in anew",
        ),
        (f"python is {python}", f"EBROOTPYTHON={root}", *startup_lines(seen, "conda", "mamba", "activate")),
    )


def _after_activation(seen: Situation) -> Finding | None:
    """Modules stand before the active environment on PATH: they were loaded after it was activated."""
    scene = seen.scene
    if not (modules := loaded_after(scene.variables)):
        return None
    python = scene.programs.get("python", "")
    wrong = scene.active is not None and bool(python) and not _is_below(python, scene.active.path)
    return Finding(
        "error" if wrong else "warning",
        Problem(
            "module-after-activation",
            f"loaded after the environment was activated: {', '.join(modules)}",
            why="python is the module's now, and not the environment's"
            if wrong
            else "their programs come before those of the environment",
            hint="activate again, after the modules",
        ),
        (f"VIRTUAL_ENV={scene.active.path if scene.active else ''}", f"python is {python or 'not on PATH'}"),
        reactivate(seen),
    )


def _no_binding(seen: Situation) -> Finding | None:
    """A loaded module has no packages for the Python in use: importing them fails, and nothing says why."""
    minor = ".".join(seen.here.python.split(".")[:2])
    # A prefix without any Python is that of a module that brings none.
    without = [prefix for prefix in seen.scene.prefixes if minor and prefix.pythons and minor not in prefix.pythons]
    if not without:
        return None
    names = [f"{_module_of(prefix.path)} (has Python {', '.join(prefix.pythons)})" for prefix in without]
    return Finding(
        "warning",
        Problem(
            "module-without-binding",
            f"loaded, but without packages for Python {minor}: {', '.join(names)}",
            hint="load another version of the module, or another Python: tumpline modules NAME says which go together",
        ),
        tuple(f"EBPYTHONPREFIXES has {prefix.path}" for prefix in without),
    )


def reactivate(seen: Situation) -> str:
    """Return the command that makes the environment the active one again."""
    if seen.is_activated or (seen.project is not None and seen.project.record is not None):
        return 'eval "$(tumpline activate)"'
    active = seen.scene.active
    return f"deactivate; source {shlex.quote(f'{active.path}/bin/activate')}" if active is not None else ""


def load_again(seen: Situation) -> str:
    """Return the command that loads the software environment and its Python from the beginning."""
    python = [f"python/{seen.here.python}"] if seen.here.python else []
    return f"module --force purge; module load {shlex.join([f'StdEnv/{seen.here.environment}', *python])}"


def startup_lines(seen: Situation, *names: str) -> tuple[str, ...]:
    """Return where the shell's start-up files do one of these things."""
    return tuple(f"{line.file} line {line.line}: {line.what}" for line in seen.scene.startup if line.what in names)


def _wanted(seen: Situation) -> tuple[str, ...]:
    target = seen.project.target if seen.project is not None else None
    modules = target.modules if target is not None else ()
    return tuple(
        filter(
            None,
            [
                f"StdEnv/{seen.environment}" if seen.environment else "",
                f"python/{seen.python}" if seen.python else "",
                *modules,
            ],
        )
    )


def _loaded(seen: Situation) -> str:
    return f"loaded: {', '.join(seen.scene.modules)}" if seen.scene.modules else "no module is loaded"


def _module_of(prefix: str) -> str:
    """Return ``arrow/17.0.0`` for the folder of its software."""
    return "/".join(prefix.rstrip("/").split("/")[-2:])


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
