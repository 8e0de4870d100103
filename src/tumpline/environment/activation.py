"""The shell code that makes an environment the one in use: its modules first, then itself (R15, R23)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from tumpline.environment.check import Surroundings, is_loaded
from tumpline.environment.record import EnvironmentRecord

__all__ = ["SHELLS", "Shell", "activation", "lacking_modules", "modules_to_load"]

Shell = Literal["bash", "zsh", "fish"]

SHELLS: tuple[Shell, ...] = get_args(Shell)


def modules_to_load(record: EnvironmentRecord, here: Surroundings) -> tuple[str, ...]:
    """Return the modules that an environment needs and that are not loaded, in the order in which to load them."""
    modules = [*record.modules, *(package.module for package in record.expected)]
    return lacking_modules(record.environment, record.python, modules, here)


def lacking_modules(environment: str, python: str, modules: Iterable[str], here: Surroundings) -> tuple[str, ...]:
    """Return, of a software environment, a Python's module and further ones, those that are not loaded, in order.

    On a cluster the software environment and the Python come first, since the others depend on them; elsewhere,
    where `environment` is empty, they are no modules.
    """
    wanted: list[str] = []
    if environment:
        if not here.environment:
            wanted.append(f"StdEnv/{environment}")
        if not here.python:
            wanted.append(f"python/{python}")
    wanted += modules
    return tuple(
        module for module in dict.fromkeys(wanted) if not any(is_loaded(each, module) for each in here.modules)
    )


def activation(folder: Path, modules: tuple[str, ...], shell: Shell) -> str:
    """Return the code; what it runs last fails where the modules can not be loaded, and nothing is activated then."""
    fish = shell == "fish"
    script = _quoted(str(folder / "bin" / ("activate.fish" if fish else "activate")), shell)
    source = f"source {script}" if fish else f". {script}"
    if not modules:
        return f"{source}\n"
    words = " ".join(_quoted(module, shell) for module in modules)
    complaint = _quoted(f"tumpline: not activated, since these modules can not be loaded: {' '.join(modules)}", shell)
    start, end = ("if module load", "end") if fish else ("if module load", "fi")
    then = "" if fish else "; then"
    return f"{start} {words}{then}\n    {source}\nelse\n    echo {complaint} >&2\n    false\n{end}\n"


def _quoted(word: str, shell: Shell) -> str:
    """Quote a word; in fish, unlike elsewhere, a backslash between single quotes quotes what follows."""
    if shell == "fish":
        return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return shlex.quote(word)
