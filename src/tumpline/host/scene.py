"""What a person's shell and home look like: looked at once, within a bound, and nothing is changed.

A file system that does not answer must not take the whole look with it: each part is looked at in a thread of its own,
and what has not answered when the time is up is named and done without.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from tumpline.host.room import Room, room_in
from tumpline.host.seeds import SeedCache, look_at_seeds

__all__ = ["Active", "Prefix", "Scene", "SearchFolder", "StartupLine", "UserPackages", "look_around"]

_SECONDS = 2.0
"""For all of it. On a file system that answers it takes milliseconds."""

_PROGRAMS = ("python", "python3", "virtualenv", "conda", "mamba", "uv")

_HOOKS = ("_manylinux.py", "sitecustomize.py", "usercustomize.py")
"""Files on PYTHONPATH that every Python imports, or that pip does: how a site changes them all."""

_STARTUP = (".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc", ".zprofile", ".config/fish/config.fish")
_MOST_BYTES = 2**20
_NOTABLE = re.compile(
    r"\s*(?:export\s+|set\s+-\w*x\w*\s+|setenv\s+)?"
    r"(?P<name>(?:PYTHON|PIP_)[A-Z_]+|LD_LIBRARY_PATH|LD_PRELOAD)[=\s]"
    r"|.*>>> (?P<conda>conda|mamba) initialize >>>"
    r"|\s*(?:source|\.)\s+\S*bin/(?P<activate>activate)\b"
)


_Answer = TypeVar("_Answer")


class SearchFolder(NamedTuple):
    """An entry of PYTHONPATH, and which of the files are in it by which a site changes every Python."""

    path: str
    there: bool
    hooks: tuple[str, ...] = ()


class UserPackages(NamedTuple):
    """The packages that ``pip install --user`` has put into home for one Python (``3.11``)."""

    folder: str
    python: str
    names: tuple[str, ...]


class Active(NamedTuple):
    """The environment that the shell says is active (``VIRTUAL_ENV``).

    `python` says whether its interpreter is there; `opens` whether it also sees the packages of its base and of home.
    """

    path: str
    python: bool
    opens: bool = False


class Prefix(NamedTuple):
    """What a module adds to ``EBPYTHONPREFIXES``, and for which Pythons it has packages."""

    path: str
    pythons: tuple[str, ...]


class StartupLine(NamedTuple):
    """A line of a shell's start-up file that sets a variable (`what` is its name), or starts ``conda`` or an
    environment (``activate``).
    """

    file: str
    line: int
    what: str


class Scene(NamedTuple):
    """What was seen. `programs` maps a name to where PATH finds it; `lmod` says that the module system's program is
    there; `pip_configuration` that the file is which ``PIP_CONFIG_FILE`` names, None where it names none. `silent` is
    what did not answer in time.
    """

    variables: Mapping[str, str]
    home: str
    programs: Mapping[str, str] = {}
    search: tuple[SearchFolder, ...] = ()
    user_packages: tuple[UserPackages, ...] = ()
    active: Active | None = None
    prefixes: tuple[Prefix, ...] = ()
    startup: tuple[StartupLine, ...] = ()
    rooms: tuple[Room, ...] = ()
    seeds: SeedCache | None = None
    lmod: bool = False
    pip_configuration: bool | None = None
    silent: tuple[str, ...] = ()

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that are loaded, in the order of loading."""
        return tuple(filter(None, self.variables.get("LOADEDMODULES", "").split(":")))

    @property
    def path(self) -> tuple[str, ...]:
        """The folders of PATH."""
        return tuple(filter(None, self.variables.get("PATH", "").split(os.pathsep)))


def look_around(environ: Mapping[str, str], home: Path, *, seconds: float = _SECONDS) -> Scene:
    """Look; never raises, and takes little more than `seconds`."""
    programs = _Look[Mapping[str, str]]("PATH", lambda: dict(_programs(environ)), {})
    search = _Look[tuple[SearchFolder, ...]]("PYTHONPATH", lambda: tuple(_search_folders(environ)), ())
    user_packages = _Look[tuple[UserPackages, ...]]("~/.local", lambda: tuple(_user_packages(environ, home)), ())
    active = _Look("VIRTUAL_ENV", lambda: _active(environ), None)
    prefixes = _Look[tuple[Prefix, ...]]("EBPYTHONPREFIXES", lambda: tuple(_prefixes(environ)), ())
    startup = _Look[tuple[StartupLine, ...]]("the start-up files in home", lambda: tuple(_startup(home)), ())
    rooms = _Look[tuple[Room, ...]]("the room in home", lambda: room_in(home, environ, seconds=seconds), ())
    seeds = _Look("virtualenv's cache", lambda: look_at_seeds(environ, home), None)
    lmod = _Look("LMOD_CMD", lambda: _is_file(environ.get("LMOD_CMD", "")), False)
    pip = _Look("PIP_CONFIG_FILE", lambda: _pip_configuration(environ), None)
    deadline = time.monotonic() + seconds
    looks = (programs, search, user_packages, active, prefixes, startup, rooms, seeds, lmod, pip)
    for look in looks:
        look.wait(deadline)
    return Scene(
        variables=dict(environ),
        home=str(home),
        programs=programs.answer,
        search=search.answer,
        user_packages=user_packages.answer,
        active=active.answer,
        prefixes=prefixes.answer,
        startup=startup.answer,
        rooms=rooms.answer,
        seeds=seeds.answer,
        lmod=lmod.answer,
        pip_configuration=pip.answer,
        silent=tuple(look.name for look in looks if look.is_silent),
    )


class _Look(Generic[_Answer]):
    """One part, looked at in a thread; until it has answered, and where it can not be read, its answer is `default`.

    A thread that hangs in the system is left behind: it keeps nobody from ending.
    """

    def __init__(self, name: str, action: Callable[[], _Answer], default: _Answer) -> None:
        self.name = name
        self.answer = default
        self.is_silent = False
        self._action = action
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, deadline: float) -> None:
        """Wait for the answer, until a moment of the monotonic clock."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self.is_silent = self._thread.is_alive()

    def _run(self) -> None:
        with suppress(OSError, ValueError):
            self.answer = self._action()


def _programs(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _PROGRAMS:
        if found := shutil.which(name, path=environ.get("PATH", "")):
            yield name, found


def _search_folders(environ: Mapping[str, str]) -> Iterator[SearchFolder]:
    for path in filter(None, environ.get("PYTHONPATH", "").split(os.pathsep)):
        names = set(_names(path))
        yield SearchFolder(path, os.path.isdir(path), tuple(hook for hook in _HOOKS if hook in names))  # noqa: PTH112 - pathlib raises for what may not be entered


def _user_packages(environ: Mapping[str, str], home: Path) -> Iterator[UserPackages]:
    base = environ.get("PYTHONUSERBASE") or str(home / ".local")
    for python in sorted(_names(f"{base}/lib")):
        if minor := re.fullmatch(r"python(3\.\d+)", python):
            folder = f"{base}/lib/{python}/site-packages"
            names = {name.split("-")[0] for name in _names(folder) if name.endswith((".dist-info", ".egg-info"))}
            if names:
                yield UserPackages(folder, minor[1], tuple(sorted(names, key=str.lower)))


def _active(environ: Mapping[str, str]) -> Active | None:
    if not (path := environ.get("VIRTUAL_ENV", "")):
        return None
    try:
        text = Path(path, "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    opens = re.search(r"^include-system-site-packages\s*=\s*true\s*$", text, re.MULTILINE | re.IGNORECASE) is not None
    return Active(path, any(_is_file(f"{path}/{name}") for name in ("bin/python", "Scripts/python.exe")), opens)


def _prefixes(environ: Mapping[str, str]) -> Iterator[Prefix]:
    for path in filter(None, environ.get("EBPYTHONPREFIXES", "").split(os.pathsep)):
        pythons = [name.removeprefix("python") for name in sorted(_names(f"{path}/lib")) if name.startswith("python")]
        yield Prefix(path, tuple(p for p in pythons if os.path.isdir(f"{path}/lib/python{p}/site-packages")))  # noqa: PTH112 - as above


def _startup(home: Path) -> Iterator[StartupLine]:
    for name in _STARTUP:
        path = home / name
        # A pipe would keep us waiting for somebody to write into it.
        if not _is_file(str(path)):
            continue
        with path.open(encoding="utf-8", errors="replace") as stream:
            lines = stream.read(_MOST_BYTES).splitlines()
        for number, line in enumerate(lines, 1):
            if found := _NOTABLE.match(line):
                yield StartupLine(f"~/{name}", number, found["name"] or found["conda"] or found["activate"])


def _pip_configuration(environ: Mapping[str, str]) -> bool | None:
    path = environ.get("PIP_CONFIG_FILE", "")
    return None if not path else path != os.devnull and _is_file(path)


def _names(folder: str) -> Sequence[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are wanted, and pathlib makes paths of all
    except OSError:
        return ()


def _is_file(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - pathlib raises for what may not be entered
