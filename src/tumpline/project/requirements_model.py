"""What a requirements file says, as values: its requirements, its options, and what became of each of its lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumpline.errors import Problem
from tumpline.project.model import Declared
from tumpline.project.options import FileHashes, RequirementsOptions

__all__ = ["FromModule", "LineKind", "LocalProject", "ReadLine", "RequirementsFile"]

LineKind = Literal[
    "requirement", "constraint", "module", "folder", "option", "include", "heading", "refused", "not-looked-at"
]
"""What a line is: what was brought by a module, what names a folder, and so on; ``heading`` is that of a table."""

_NO_OPTIONS = RequirementsOptions()


@dataclass(frozen=True, slots=True)
class LocalProject:
    """A folder to install from (``-e .``), whose name only its own pyproject.toml knows."""

    path: Path
    editable: bool
    extras: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class FromModule:
    """A package that a module had brought when the list was made; `path` is where the module was built."""

    name: str
    path: Path
    origin: str


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One logical line as written, and what it is; comments and blank lines are none. `where` is as in problems."""

    origin: str
    where: str
    text: str
    kind: LineKind


@dataclass(frozen=True, slots=True)
class RequirementsFile:
    """What a requirements file and those it includes ask for, each in the order of the lines.

    `constraints` come from ``-c``. `problems` are the lines that were refused; `notes` are remarks on lines that were
    read otherwise than they are written, or that belong to a module (``from-module``) and are no requirement.
    `lines` are all lines. Origins are ``requirements.txt:12``, relative to the folder of the first file.
    """

    requirements: tuple[Declared, ...] = ()
    constraints: tuple[Declared, ...] = ()
    local: tuple[LocalProject, ...] = ()
    modules: tuple[FromModule, ...] = ()
    hashes: tuple[FileHashes, ...] = ()
    options: RequirementsOptions = _NO_OPTIONS
    notes: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: tuple[ReadLine, ...] = ()
