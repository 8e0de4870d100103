"""Importing what is installed: whether it works here and now, and if not, why.

Each module is imported in a process of its own, so that one that crashes, hangs or changes things tells only of itself.
These are forks of the environment's Python, which has imported nothing but what it needs to fork; nothing is written to
the home folder or into the environment meanwhile.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tumpline.environment.crew import usual_jobs
from tumpline.environment.inventory import Distribution
from tumpline.environment.record import EnvironmentRecord
from tumpline.environment.storage import storage_failure
from tumpline.errors import EnvironmentFailure
from tumpline.values import normalise

__all__ = ["Module", "NotImported", "check_imports", "modules_of"]

_SECONDS = 300
"""For one import: where files are on a network and were not read for long, large packages take minutes."""

# Runs under any Python 3: names of modules, one a line; for each a line of JSON with the status of the process that
# imported it (negative: the signal that ended it, None: it took too long) and the end of what it said.
_DRIVER = """
import json, os, signal, sys, tempfile, time, traceback
limit = float(sys.argv[1])
for line in sys.stdin:
    name = line.strip()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if not child:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 0), os.dup2(said.fileno(), 1), os.dup2(said.fileno(), 2)
            status = 1
            try:
                __import__(name)
                status = 0
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            os._exit(status)
        end, pause, done = time.time() + limit, 0.001, 0
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done or time.time() > end:
                break
            time.sleep(pause)
            pause = min(0.05, pause * 1.5)
        try:
            os.killpg(child, signal.SIGKILL)
        except OSError:
            pass
        if not done:
            os.waitpid(child, 0)
        said.seek(max(0, said.seek(0, 2) - 20000))
        text = said.read().decode("utf-8", "replace")
    code = None if not done else -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    print(json.dumps([code, text]), flush=True)
"""

_PARTS = re.compile(r"[^\W\d]\w*\Z")

_NUMPY = re.compile(
    r"compiled using NumPy 1\.x|numpy\.core\.multiarray failed to import|numpy\.dtype size changed|_ARRAY_API not found"
    r"|compiled against (?:API|ABI) version|numpy\._core.*failed to import"
)


class Module(NamedTuple):
    """A module to import, and the package that brings it: ``name version``."""

    name: str
    package: str


@dataclass(frozen=True, slots=True)
class NotImported:
    """A module that can not be imported. `cause` is one of those in ``docs/reference/environments.md``; `why` is the
    last line of what Python said, and `hint` what to do, where that can be told."""

    module: str
    package: str
    cause: str
    why: str
    hint: str


def modules_of(distributions: Iterable[Distribution]) -> tuple[Module, ...]:
    """Return the top-level modules of packages, in the order of their names.

    In a folder that is no package itself (a namespace, such as ``google``), those one level below are meant.
    """
    found: dict[str, Module] = {}
    for distribution in distributions:
        base = f"{distribution.folder.rpartition('/')[0]}/"
        inner = [path[len(base) :].split("/") for path in distribution.rows if path.startswith(base)]
        regular = {parts[0] for parts in inner if len(parts) == 2 and parts[1] == "__init__.py"}
        for parts in inner:
            name = _module(parts, regular)
            if name and name not in found:
                found[name] = Module(name, f"{distribution.name} {distribution.version}")
    return tuple(sorted(found.values()))


def check_imports(
    folder: Path,
    record: EnvironmentRecord,
    modules: Sequence[Module],
    *,
    environ: Mapping[str, str],
    jobs: int | None = None,
    done: Callable[[], None] = lambda: None,
) -> tuple[NotImported, ...]:
    """Import each module with the environment's Python, and return those that failed, in the order given.

    `environ` are the variables in which the environment is used. `done` is called after each, from several threads.
    Raises EnvironmentFailure ``environment-broken`` where that Python does not start; ``disk-full``, ``cannot-write``.
    """
    waiting = deque(enumerate(modules))
    compiled = any(each.is_dir() for each in folder.glob("lib/python*/site-packages/*/__pycache__"))
    found: dict[int, NotImported] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="tumpline-import-", dir=environ.get("TMPDIR")) as scratch:
            # Where there is no bytecode yet, it is made once, beside the environment, not once for each import.
            private = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"), scratch)
            bytecode = {"PYTHONDONTWRITEBYTECODE": "1"} if compiled else {"PYTHONPYCACHEPREFIX": scratch}
            variables = {**environ, **private, **bytecode, "PYTHONNOUSERSITE": "1"}
            python = str(folder / "bin" / "python")

            def work() -> None:
                with _Driver(python, variables, scratch) as driver:
                    while waiting:
                        try:
                            place, module = waiting.popleft()
                        except IndexError:
                            return
                        status, said = driver.ask(module.name)
                        if status != 0:
                            found[place] = _failure(module, status, said, record)
                        done()

            size = max(1, min(jobs or usual_jobs(), len(modules)))
            with ThreadPoolExecutor(size) as threads:
                running = [threads.submit(work) for _ in range(size)]
                try:
                    for each in running:
                        each.result()
                except BaseException:
                    waiting.clear()
                    raise
    except OSError as error:
        raise storage_failure(error, tempfile.gettempdir()) from error
    return tuple(found[place] for place in sorted(found))


class _Driver:
    """The environment's Python, which forks for each module."""

    def __init__(self, python: str, variables: Mapping[str, str], folder: str) -> None:
        # Standing in an empty folder: it is the first place that `-c` imports from.
        self._process = subprocess.Popen(
            [python, "-c", _DRIVER, str(_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(variables),
            cwd=folder,
            text=True,
        )
        self._python = python

    def __enter__(self) -> _Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def ask(self, module: str) -> tuple[int | None, str]:
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018 - asked for
        line = ""
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{module}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise EnvironmentFailure.of(
                "environment-broken",
                "the environment's Python does not start as it should",
                where=self._python,
                hint="make the environment anew: tumpline verify --fix",
            )
        status, said = json.loads(line)
        return status, said


def _module(parts: list[str], regular: set[str]) -> str:
    """Return the module that a file of a package makes importable, empty where it is none or lies too deep."""
    file = parts[-1]
    stem = file.partition(".")[0] if file.endswith((".py", ".so", ".pyd")) else ""
    if not stem or len(parts) > 3 or parts[0].startswith("__editable__"):
        return ""
    if len(parts) > 1 and stem != "__init__":
        # A module in a folder counts where the folder is no package, and thus a namespace.
        names = parts[:-1] if len(parts) == 2 else []
        names = [*names, stem] if names and names[0] not in regular else []
    elif len(parts) == 3:
        names = parts[:2] if parts[0] not in regular else []
    else:
        names = parts[:-1] or [stem]
    usable = names and all(_PARTS.match(name) for name in names) and names[-1] not in ("__init__", "__main__")
    return ".".join(names) if usable else ""


def _failure(module: Module, status: int | None, said: str, record: EnvironmentRecord) -> NotImported:
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    last = lines[-1][:500] if lines else ""
    cause, hint, why = "other", "", last
    if status is None:
        cause, why = "hangs", f"it took longer than {_SECONDS} s"
    elif status < 0:
        cause, why = "crash", f"its process was ended by {_signal(-status)}"
        if -status == signal.SIGILL:
            cause = "illegal-instruction"
            hint = f"this CPU is not {record.cpu_level or 'the one that the package was built for'}: use another target"
        elif -status == signal.SIGKILL:
            hint = "memory is usually what was lacking"
    elif found := re.search(r"No module named '?([\w.]+)'?", last):
        name = found[1].partition(".")[0]
        cause = "missing-module"
        by_module = [each for each in record.expected if normalise(each.name) == normalise(name)]
        hint = (
            f"load the module that brings it first: module load {by_module[0].module}"
            if by_module
            else f"if a package lacks a requirement, add what brings {name}, then: tumpline lock and tumpline sync"
        )
    elif _NUMPY.search(said):
        cause, hint = "numpy-abi", "the package was built for another numpy: require numpy<2, or a newer version of it"
    elif "GLIBC" in said and "not found" in said:
        cause = "glibc"
        hint = "it was built for a newer system: take the wheel of the wheelhouse, or an older version"
        why = next((line for line in reversed(lines) if "GLIBC" in line), last)[:500]
    elif found := re.search(r"([\w.+-]+): cannot open shared object file", said):
        cause = "missing-library"
        hint = f"load the module that has {found[1]}"
    elif last.startswith("SyntaxError"):
        cause, hint = "wrong-python", f"the package is not for Python {record.python}"
    return NotImported(module.name, module.package, cause, why, hint)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
