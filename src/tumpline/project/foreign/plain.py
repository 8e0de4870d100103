"""Requirements files, freezes and tables of ``pip list``; a slip that can mean one thing only is read as that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tumpline.errors import InputError, Problem
from tumpline.project.foreign.model import Foreign, Row, RowKind
from tumpline.project.model import Declared
from tumpline.project.options import split_line
from tumpline.project.requirements import read_requirements
from tumpline.project.requirements_model import FromModule, ReadLine, RequirementsFile
from tumpline.project.spelling import SITE_LOCAL, Spelled, spell
from tumpline.values import normalise

__all__ = ["package_row", "read_plain"]

_DASH = re.compile(
    rf"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)-(\d[A-Za-z0-9.]*\+[A-Za-z0-9._-]*{SITE_LOCAL})", re.IGNORECASE
)
"""``pyzmq-26.2.1+computecanada``: the local version shows that the dash stands before a version."""

_OF_A_COMMAND = frozenset(
    {
        *("--no-index", "--no-deps", "--no-cache-dir", "--no-compile", "--no-build-isolation", "--user"),
        *("--upgrade", "-U", "--force-reinstall", "--ignore-installed", "-I"),
    }
)
"""Options of ``pip install`` that say nothing of what is asked for: people copy them into their files."""

_KINDS: Mapping[str, RowKind] = {
    "constraint": "constraint",
    "option": "option",
    "include": "include",
    "heading": "heading",
    "not-looked-at": "not-looked-at",
}
_WHY = {
    "option": ("an option of pip", "pip's own configuration says where packages come from"),
    "include": ("the lines of that file follow", ""),
    "heading": ("the head of the table", ""),
    "not-looked-at": ("there are too many mistakes above", "correct the lines above, and import the file again"),
}


def read_plain(path: Path, environ: Mapping[str, str] | None = None) -> Foreign:
    """Read a file as `read_requirements` does, and repair what can be; ``${NAME}`` is filled in from `environ`.

    Raises InputError where the file itself can not be read.
    """
    found = read_requirements(path, environ=environ)
    if not found.lines and found.problems:
        raise InputError(*found.problems)
    table = any(note.code == "pip-list-table" for note in found.notes)
    lines = {line.where for line in found.lines}
    notes = [note for note in found.notes if note.where not in lines]
    if found.hashes:
        where, count = str(path), len(found.hashes)
        notes.append(
            Problem(
                "hashes-not-kept",
                f"{count} of its lines have hashes, which are not taken over",
                where,
                "they are of the files that were meant then",
                "tumpline lock writes those of the files that are meant now",
            )
        )
    return Foreign(path, "pip-list" if table else "requirements", tuple(_Rows(found).rows()), tuple(notes))


def package_row(origin: str, written: str, spelled: Spelled, why: str = "") -> Row:
    """Return the row of a package."""
    requirement = spelled.requirement
    return Row(
        origin,
        written,
        "package",
        requirement,
        normalise(requirement.name),
        why,
        site_local=bool(spelled.dropped),
    )


class _Rows:
    def __init__(self, found: RequirementsFile) -> None:
        self._found = found
        self._declared: dict[str, list[Declared]] = {}
        for declared in (*found.requirements, *found.constraints):
            self._declared.setdefault(declared.origin, []).append(declared)
        self._modules: dict[str, FromModule] = {module.origin: module for module in found.modules}
        self._folders = {folder.origin: folder for folder in found.local}
        self._notes: dict[str, list[Problem]] = {}
        for note in found.notes:
            self._notes.setdefault(note.where, []).append(note)
        self._problems = {problem.where: problem for problem in reversed(found.problems)}

    def rows(self) -> list[Row]:
        return [row for line in self._found.lines for row in self._of(line)]

    def _of(self, line: ReadLine) -> list[Row]:
        notes = self._notes.get(line.where, [])
        match line.kind:
            case "requirement" | "constraint":
                return [
                    self._package(line, declared, notes, "constraint" if line.kind == "constraint" else "package")
                    for declared in self._declared[line.origin]
                ]
            case "module":
                module = self._modules[line.origin]
                return [Row(line.origin, line.text, "module", name=normalise(module.name), path=module.path)]
            case "folder":
                return [self._folder(line)]
            case "refused":
                return [self._repaired(line)]
            case kind:
                why, hint = _WHY[kind]
                return [Row(line.origin, line.text, _KINDS[kind], why=why, hint=hint)]

    def _package(self, line: ReadLine, declared: Declared, notes: list[Problem], kind: RowKind) -> Row:
        if declared.requirement.url is not None and "${" in line.text:
            # What stands in a variable is often a password, and must not end up in a project's file.
            problem = Problem(
                "address-with-variable",
                f"{declared.requirement.name} is taken from an address that holds a variable",
                line.where,
                "with the variable filled in, what may be a password would be written into pyproject.toml",
                "write NAME @ ADDRESS without it among the dependencies; credentials belong to git or to a .netrc file",
            )
            return Row(line.origin, line.text, "refused", why=problem.why, hint=problem.hint, problem=problem)
        told = [note for note in notes if note.code != "site-local-dropped"]
        return Row(
            line.origin,
            line.text,
            kind,
            declared.requirement,
            normalise(declared.requirement.name),
            "; ".join(note.message for note in told),
            "; ".join(note.hint for note in told),
            site_local=len(told) < len(notes),
        )

    def _folder(self, line: ReadLine) -> Row:
        folder = self._folders.get(line.origin)
        own = folder is not None and folder.path.resolve() == self._found_in()
        return Row(
            line.origin,
            line.text,
            "folder",
            why="the project itself" if own else "a folder that is installed from",
            hint="" if own else "write NAME @ ./FOLDER among the dependencies, NAME as in its pyproject.toml",
        )

    def _found_in(self) -> Path:
        return Path(self._found.lines[0].where).parent.resolve()

    def _repaired(self, line: ReadLine) -> Row:
        try:
            if (spelled := _repair(line.text)) is not None:
                return package_row(line.origin, line.text, spelled, f"read as {spelled.requirement}")
        except InputError:
            pass  # what was said of the line as it is written says more
        problem = self._problems[line.where]
        return Row(line.origin, line.text, "refused", why=problem.why, hint=problem.hint, problem=problem)


def _repair(text: str) -> Spelled | None:
    """Return what a line means that is no requirement, where it can mean one thing only; else None."""
    if (place := _DASH.fullmatch(text)) is not None:
        return spell(f"{place[1]}=={place[2]}")
    body, words = split_line(text)
    if body and words and _OF_A_COMMAND.issuperset(words):
        return spell(body)
    return None
