"""The module system of a cluster, where it is Lmod: which modules there are, and what loading them sets.

Lmod is asked through its own programs, ``lmod`` and ``spider``, and never through the shell function ``module``, which
sites wrap (mii asks questions) and which a child process can not inherit safely. Names and paths are arguments of
processes; none becomes part of a script (R23). Works with Lmod 8.6 to 9, whose answers used here are the same.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import Completed, run
from tumpline.host.refusals import not_staying, refusal_words

__all__ = ["Lmod", "LoadedModules", "ModuleFile"]

_LOAD_SECONDS = 120.0
"""Loading an environment of a dozen modules takes 0.1 s, and many seconds where a network file system is cold."""

_SPIDER_SECONDS = 900.0
"""5,000 module files take 1 s in a warm cache; a network file system that is cold makes minutes of it."""

_BATCH = 100
"""Module files for one process: to start Lmod takes ten times as long as to read one."""

# Its words are arguments. What modules print goes to stderr, so that only variables are on stdout.
_LOAD = """\
exec 3>&1 1>&2
lmod=$1 before=$2; shift 2
if [ "$before" = purge ]; then code=$("$lmod" bash --force purge) && eval "$code" || exit 8; fi
if [ $# -gt 0 ]; then code=$("$lmod" bash load "$@") && eval "$code" || exit 9; fi
exec env -0 >&3
"""

# Lmod's answer to `show` is a module file as it was evaluated: one command on a line, below a line with the file.
_HEADING = re.compile(r"   (/.*):")
_PREPEND = re.compile(r'(?:prepend|append)_path[({]"([A-Za-z_][A-Za-z0-9_]*)","([^"]*)"')

_OWN_STATE = re.compile(r"_ModuleTable\w*|__LMOD_\w+|LOADEDMODULES|_LMFILES_|LMOD_FAMILY_\w+")
_SETTINGS = {"LMOD_PAGER": "none", "LMOD_COLORIZE": "no", "LMOD_REDIRECT": "no", "LMOD_SHORT_TIME": "86400"}
"""No pager and no colours; and no cache in the user's home, which Lmod writes when it took long."""

_SHELL = ("SHLVL", "_", "OLDPWD")
"""What a bash sets for itself."""

_LEFT_OUT = re.compile(r"BASH_FUNC_.*|BASH_ENV|ENV|LD_PRELOAD|SHELLOPTS|BASHOPTS|PS4")
"""What runs code, or changes how it runs, in a shell that is no login shell."""


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """One module file: `name` is ``arrow``, `version` ``17.0.0``, `folder` the part of MODULEPATH that it is in.

    `provides` are the extensions that it states (``pyarrow/17.0.0``), of whatever language. `chains` are the modules to
    be loaded before, in one way or another; empty where none is needed.
    """

    name: str
    version: str
    path: Path
    folder: Path
    provides: tuple[str, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()
    hidden: bool = False

    @property
    def full_name(self) -> str:
        """Name and version: ``arrow/17.0.0``."""
        return f"{self.name}/{self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class LoadedModules:
    """All variables after some modules were loaded, and nothing else was."""

    variables: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """What is loaded, with what those modules loaded: ``gcc/12.3``."""
        return tuple(filter(None, self.variables.get("LOADEDMODULES", "").split(":")))

    @property
    def folders(self) -> tuple[str, ...]:
        """Where modules are looked for now."""
        return tuple(filter(None, self.variables.get("MODULEPATH", "").split(":")))

    @property
    def files(self) -> tuple[str, ...]:
        """The module files that are loaded."""
        return tuple(filter(None, self.variables.get("_LMFILES_", "").split(":")))


@dataclass(frozen=True, slots=True)
class Lmod:
    """An Lmod that is set up in this environment: `command` is its program, `version` what it says of itself."""

    command: Path
    version: str
    variables: Mapping[str, str]

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Lmod | None:
        """Return the Lmod that the variables (``LMOD_CMD``, ``MODULEPATH``) speak of, or None where none is set up."""
        command = Path(environ.get("LMOD_CMD", ""))
        if not (command.is_absolute() and environ.get("MODULEPATH")):
            return None
        try:
            found = command.is_file()
        except OSError:
            found = False
        if not found:
            return None
        clean = {name: value for name, value in environ.items() if not _LEFT_OUT.fullmatch(name)}
        return cls(command, environ.get("LMOD_VERSION", ""), {**clean, **_SETTINGS})

    @property
    def title(self) -> str:
        """Name and version: ``Lmod 8.7.60``."""
        return f"Lmod {self.version}".rstrip()

    def load(self, *modules: str) -> LoadedModules:
        """Load modules (``StdEnv/2023``) where none is loaded; without any, say what there is then.

        Runs a bash that reads no start-up file. Raises EnvironmentFailure ``module-load-failed`` with what Lmod says,
        ``modules-exclude`` where one of them took the place of another, ``program-missing``, ``program-hangs``.
        """
        return self._load("purge", modules)

    def add(self, modules: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
        """Load modules besides what is loaded, and return all variables then; `environ` is what `find` was given.

        What `module load` in the person's own shell would set. Raises what `load` raises; EnvironmentFailure
        ``modules-exclude`` also where one of them takes the place of what is loaded, as one of a family does.
        """
        before = tuple(filter(None, environ.get("LOADEDMODULES", "").split(":")))
        loaded = self._load("keep", modules)
        if gone := [module for module in before if module not in loaded.names]:
            raise EnvironmentFailure.of(
                "modules-exclude",
                f"{shlex.join(modules)} can not be loaded besides what is loaded",
                where=str(self.command),
                why="\n".join(f"the module system would put away {module}" for module in gone),
                hint=f"put it away yourself, if you do not need it: module unload {shlex.join(gone)}",
            )
        # Functions of the shell and settings for it are the person's, and go on to what the person runs.
        own = {name: value for name, value in environ.items() if name in _SHELL or _LEFT_OUT.fullmatch(name)}
        settings = {name: environ[name] for name in _SETTINGS if name in environ}
        lent = {*_SETTINGS, *_SHELL}
        return {name: value for name, value in loaded.variables.items() if name not in lent} | own | settings

    def _load(self, before: str, modules: Sequence[str]) -> LoadedModules:
        command = ["bash", "--noprofile", "--norc", "-c", _LOAD, "bash", str(self.command), before, *modules]
        done = run(command, environment=self.variables, timeout=_LOAD_SECONDS)
        if done.status != 0:
            words = shlex.join(modules)
            raise EnvironmentFailure.of(
                "module-load-failed",
                f"the module system does not load {words}" if words else "the module system unloads nothing",
                where=str(self.command),
                why=refusal_words(done.stderr) or _said(done),
                hint=f"see what this says in a shell of your own: module load {words}".rstrip(),
            )
        pairs = (entry.partition("=") for entry in done.stdout.split("\0"))
        loaded = LoadedModules({name: value for name, _, value in pairs if name and not _LEFT_OUT.fullmatch(name)})
        if replaced := not_staying(modules, loaded.names):
            raise EnvironmentFailure.of(
                "modules-exclude",
                f"not all of these modules can be loaded together: {shlex.join(modules)}",
                where=str(self.command),
                why="\n".join(f"{later} takes the place of {module}" for module, later in replaced),
                hint="keep one module of each name",
            )
        return loaded

    def available(self, name: str, loaded: LoadedModules, *, default: bool = False) -> tuple[str, ...]:
        """Return what can be loaded of a name now, as ``name/version``; only the default version if so asked.

        Hidden ones and other names for the same are left out. Raises EnvironmentFailure ``program-hangs``.
        """
        words = ["--terse", *(["--default"] if default else []), "avail", f"{name}/"]
        done = run([self.command, "bash", *words], environment=loaded.variables, timeout=_LOAD_SECONDS)
        versions = re.compile(rf"{re.escape(name)}/[A-Za-z0-9][A-Za-z0-9._+-]*")
        return tuple(dict.fromkeys(line for line in done.stderr.splitlines() if versions.fullmatch(line)))

    def module_files(self, folders: Iterable[str], loaded: LoadedModules) -> tuple[ModuleFile, ...]:
        """Return every module file in folders of MODULEPATH, and in those that modules there add, sorted by path.

        All are read afresh, with the variables of `loaded`. Raises EnvironmentFailure ``module-system-failed``.
        """
        import json

        program = self.command.with_name("spider")
        variables = _without_state(loaded.variables)
        done = run([program, "-o", "spider-json", *folders], environment=variables, timeout=_SPIDER_SECONDS)
        try:
            tables = json.loads(done.stdout).values()
            found = [_module_file(path, entry) for table in tables for path, entry in table.items()]
            if done.status or not found:
                raise ValueError("it names no modules")
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            # Where there are none the answer is an empty list: Lua can not tell one from an empty table.
            raise EnvironmentFailure.of(
                "module-system-failed",
                "the module system does not say which modules there are",
                where=str(program),
                why=_said(done) or f"its answer is not understood: {error}",
                hint="see whether `module spider` answers in a shell; scan with --no-modules to do without",
            ) from error
        return tuple(sorted(found, key=lambda file: str(file.path)))

    def prefixes(
        self,
        files: Sequence[ModuleFile],
        variable: str,
        loaded: LoadedModules,
        progress: Callable[[int], None] = lambda done: None,
    ) -> dict[Path, tuple[str, ...]]:
        """Return, by module file, what it adds to a variable that is a list of paths; its own commands only.

        A file that Lmod can not evaluate is not in the answer. No name may start with a dash. `progress` is told how
        many files are done.
        """
        found: dict[Path, tuple[str, ...]] = {}
        groups: dict[Path, list[ModuleFile]] = {}
        for file in files:
            groups.setdefault(file.folder, []).append(file)
        count = 0
        for folder, members in groups.items():
            variables = _without_state(loaded.variables) | {"MODULEPATH": str(folder)}
            for start in range(0, len(members), _BATCH):
                batch = members[start : start + _BATCH]
                found |= self._show(batch, variable, variables)
                count += len(batch)
                progress(count)
        return found

    def _show(
        self, files: Sequence[ModuleFile], variable: str, variables: Mapping[str, str]
    ) -> dict[Path, tuple[str, ...]]:
        names = [file.full_name for file in files]
        done = run([self.command, "bash", "show", *names], environment=variables, timeout=_LOAD_SECONDS)
        if done.status == 0:
            shown = _added(done.stderr, variable)
            return {file.path: shown.get(file.path, ()) for file in files}
        if len(files) == 1:
            return {}
        # One that fails leaves the others without an answer: it is found by halves.
        half = len(files) // 2
        return self._show(files[:half], variable, variables) | self._show(files[half:], variable, variables)


def _module_file(path: str, entry: Mapping[str, Any]) -> ModuleFile:
    full, version = str(entry["fullName"]), str(entry.get("Version") or "")
    return ModuleFile(
        name=full.removesuffix(f"/{version}") if version else full,
        version=version,
        path=Path(path),
        folder=Path(str(entry["mpath"])),
        provides=tuple(map(str, entry.get("provides", ()))),
        chains=tuple(tuple(map(str, chain)) for chain in entry.get("parentAA", ())),
        hidden=bool(entry.get("hidden")),
    )


def _added(text: str, variable: str) -> dict[Path, tuple[str, ...]]:
    """Return what each module file in an answer of `show` adds to the variable, in order."""
    found: dict[Path, list[str]] = {}
    values: list[str] = []
    for line in text.splitlines():
        if heading := _HEADING.fullmatch(line):
            values = found.setdefault(Path(heading[1]), [])
        elif (added := _PREPEND.match(line)) and added[1] == variable:
            values += filter(None, added[2].split(":"))
    return {path: tuple(values) for path, values in found.items()}


def _without_state(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables as if nothing had been loaded through Lmod, but with all that loading has set."""
    return {name: value for name, value in variables.items() if not _OWN_STATE.fullmatch(name)}


def _said(done: Completed) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return "\n".join(lines[:6])
