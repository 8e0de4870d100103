"""Finding interpreters: what is on PATH is asked what it is, never guessed from its name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import run

__all__ = ["Interpreter", "find_python", "probe_python", "without_python_variables"]

_PROBE_SECONDS = 20.0
"""A Python on a network file system whose cache is cold takes seconds to start."""

# Runs under any Python 3: prints one line of JSON. "venv" is the scheme of virtual environments since 3.11; before,
# they used "posix_prefix", which Debian keeps unchanged although it is not its default.
_PROBE = """\
import json, platform, sys, sysconfig
names = sysconfig.get_scheme_names()
scheme = "venv" if "venv" in names else "nt" if sys.platform == "win32" else "posix_prefix"
paths = sysconfig.get_paths(scheme=scheme, vars={"base": "/ROOT", "platbase": "/ROOT"})
cut = lambda path: path.replace("\\\\", "/")[len("/ROOT/"):]
print(json.dumps({
    "version": platform.python_version(), "implementation": sys.implementation.name,
    "platform": sys.platform, "machine": platform.machine(),
    "executable": getattr(sys, "_base_executable", None) or sys.executable, "prefix": sys.base_prefix,
    "purelib": cut(paths["purelib"]), "platlib": cut(paths["platlib"]), "scripts": cut(paths["scripts"]),
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A CPython that was run and answered.

    `path` and `prefix` are those of the installation itself, also where it was found through a virtual environment or a
    shim. `version` is full (``3.11.5``); `platform` is ``sys.platform`` and `machine` the architecture. `purelib`,
    `platlib` and `scripts` are where a virtual environment of it has them, relative to the environment's folder.
    """

    path: Path
    version: str
    platform: str
    machine: str
    prefix: Path
    purelib: str
    platlib: str
    scripts: str

    @property
    def minor(self) -> str:
        """The minor version, ``3.11``."""
        return ".".join(self.version.split(".")[:2])


def find_python(version: str, environ: Mapping[str, str]) -> Interpreter:
    """Return the first CPython on PATH of a minor version (``3.11``) or of exactly one (``3.11.5``).

    Folders are searched in the order of PATH, in each of them ``pythonX.Y``, ``python3``, ``python``. Each candidate
    is run isolated (``-I``), so that neither its name nor PYTHONPATH can mislead. Raises EnvironmentFailure
    ``no-python``, which says what was tried.
    """
    tried: list[str] = []
    for candidate in _candidates(version, environ):
        found = probe_python(candidate, environ)
        if isinstance(found, str):
            tried.append(f"{candidate}: {found}")
        elif found.version == version or found.version.startswith(f"{version}."):
            return found
        else:
            tried.append(f"{candidate}: is {found.version}")
    minor = ".".join(version.split(".")[:2])
    raise EnvironmentFailure.of(
        "no-python",
        f"there is no Python {version} on PATH",
        why="\n".join(tried) if tried else f"no folder of PATH has a python{minor}, python3 or python",
        hint=f"on a cluster, load it first: module load python/{version}; elsewhere install Python {version}",
    )


def probe_python(path: Path, environ: Mapping[str, str]) -> Interpreter | str:
    """Run an interpreter and return what it says of itself, or in a few words why it can not be used."""
    command = [str(path), "-I", "-c", _PROBE]
    try:
        done = run(command, environment=without_python_variables(environ), timeout=_PROBE_SECONDS)
    except EnvironmentFailure as failure:
        return failure.problems[0].why or failure.problems[0].message
    if done.status != 0:
        said = done.stderr.strip().splitlines()
        return f"does not start: {said[-1].strip()[:200]}" if said else f"does not start (status {done.status})"
    try:
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        implementation = str(answer["implementation"])
        found = Interpreter(
            path=Path(answer["executable"]),
            version=str(answer["version"]).rstrip("+"),
            platform=str(answer["platform"]),
            machine=str(answer["machine"]),
            prefix=Path(answer["prefix"]),
            purelib=str(answer["purelib"]),
            platlib=str(answer["platlib"]),
            scripts=str(answer["scripts"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        return "does not answer as Python does"
    return found if implementation == "cpython" else f"is {implementation}, not CPython"


def without_python_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that change what a Python imports or how it starts."""
    return {name: value for name, value in environ.items() if not name.startswith(("PYTHON", "__PYVENV"))}


def _candidates(version: str, environ: Mapping[str, str]) -> Iterator[Path]:
    minor = ".".join(version.split(".")[:2])
    separator, suffix = (";", ".exe") if environ.get("OS") == "Windows_NT" else (":", "")
    seen: set[Path] = set()
    for folder in environ.get("PATH", "").split(separator):
        # An empty or relative entry means "wherever I stand": a project's folder must not bring its own Python.
        if not Path(folder).is_absolute():
            continue
        for name in (f"python{minor}", "python3", "python"):
            path = Path(folder) / f"{name}{suffix}"
            if path not in seen and _is_file(path):
                seen.add(path)
                yield path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # Before Python 3.12 a folder that may not be entered raises.
        return False
