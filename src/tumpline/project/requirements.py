"""Requirements files, as people really write them: every line is read, or refused with its place, reason and remedy.

The format is pip's ("Requirements File Format" in pip's documentation); tables of ``pip list`` are read as well.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from tumpline.errors import InputError, Problem
from tumpline.project.addresses import (
    is_address,
    is_path,
    local_file,
    module_build,
    named_address,
    named_file,
    split_extras,
    wheelhouse_wheel,
)
from tumpline.project.document import quoted
from tumpline.project.model import Declared
from tumpline.project.options import FileHashes, LineOptions, RequirementsOptions, parse_options, split_line
from tumpline.project.requirements_model import FromModule, LineKind, LocalProject, ReadLine, RequirementsFile
from tumpline.project.requirements_text import Line, logical_lines, read_text
from tumpline.project.spelling import compose, local_part_remark, spell, version_in_name

__all__ = ["LocalProject", "RequirementsFile", "read_requirements"]

_LARGEST = 16 * 1024 * 1024
_MOST_FILES = 100
_ENOUGH = 100

_TABLE_HEADER = re.compile(r"Package\s+Version(\s+Editable project location)?(?:\s+.*)?", re.IGNORECASE)
_TABLE_RULE = re.compile(r"-{3,}(?:\s+-{3,})*")
_SPECIFIC = re.compile(r"[@=<>!~]")
_CONDA = ("conda", "croot", "feedstock_root", "ci_py")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


def read_requirements(
    path: Path, *, strict: bool = False, folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> RequirementsFile:
    """Read a requirements file with all that it includes.

    Paths of ``-r`` and ``-c`` start from the file they stand in; those of requirements start from `folder` (pip: the
    working directory), which is the file's own folder unless given. ``${NAME}`` is filled in from `environ`. At
    most 16 MiB in 100 files are read. With `strict`, raises InputError with all problems where there is any.
    """
    reader = _Reader(path, folder or path.parent, environ or {})
    reader.read(path, constraint=False)
    found = reader.result()
    if strict and found.problems:
        raise InputError(*found.problems)
    return found


class _Reader:
    def __init__(self, first: Path, folder: Path, environ: Mapping[str, str]) -> None:
        self._top = first.parent
        self._origins: dict[Path, str] = {}
        self._folder = folder
        self._environ = environ
        self._left = _LARGEST
        self._seen: set[tuple[str, bool]] = set()
        self._above: list[str] = []
        self._requirements: list[Declared] = []
        self._constraints: list[Declared] = []
        self._local: list[LocalProject] = []
        self._modules: list[FromModule] = []
        self._hashes: list[FileHashes] = []
        self._options = RequirementsOptions()
        self._notes: list[Problem] = []
        self._problems: list[Problem] = []
        self._read: list[ReadLine] = []

    def result(self) -> RequirementsFile:
        return RequirementsFile(
            tuple(self._requirements),
            tuple(self._constraints),
            tuple(self._local),
            tuple(self._modules),
            tuple(self._hashes),
            self._options,
            tuple(self._notes),
            tuple(self._problems),
            tuple(self._read),
        )

    def read(self, path: Path, *, constraint: bool, where: str = "") -> None:
        try:
            real = os.path.realpath(path)
        except (OSError, ValueError):
            real = str(path)  # Reading it will tell what is wrong with the name.
        if real in self._above:
            self._refuse("include-cycle", f"{path.name} includes itself", where, hint="remove this include")
            return
        if (real, constraint) in self._seen:
            return
        self._seen.add((real, constraint))
        if len(self._seen) > _MOST_FILES:
            self._refuse("too-large", f"more than {_MOST_FILES} files are included", where, hint="merge some of them")
            return
        try:
            text, latin = read_text(path, self._left)
        except InputError as error:
            self._problems += [
                problem._replace(where=where, why=problem.why or str(path)) if where else problem
                for problem in error.problems
            ]
            return
        self._left -= len(text)
        if latin:
            self._note(
                "not-utf-8", f"{path.name} is not UTF-8 and is read as Latin-1", str(path), hint="save it as UTF-8"
            )
        self._above.append(real)
        self._lines(path, list(logical_lines(text)), constraint=constraint)
        self._above.pop()

    def _lines(self, path: Path, lines: list[Line], *, constraint: bool) -> None:
        start, table = 0, None
        if len(lines) > 1 and _TABLE_RULE.fullmatch(lines[1].text):
            table = _TABLE_HEADER.fullmatch(lines[0].text)
        if table is not None:
            self._note(
                "pip-list-table",
                f"{path.name} is a table of pip list; its rows are read as NAME==VERSION",
                f"{path}:{lines[0].number}",
                hint="make the file with pip freeze --local, or list only what the project imports",
            )
            start = 2
            self._account(path, lines[:2], "heading")
        before = len(self._problems)
        for position, line in enumerate(lines[start:], start=start):
            where = f"{path}:{line.number}"
            if len(self._problems) - before >= _ENOUGH:
                left = len(lines) - position
                self._refuse(
                    "too-many-problems", f"{left} more lines are not looked at", where, hint="correct the above first"
                )
                self._account(path, lines[position:], "not-looked-at")
                return
            kind: LineKind = "refused"
            place = len(self._read)
            try:
                if table is not None:
                    kind = self._row(line.text, path, line.number, constraint, located=table[1] is not None)
                else:
                    kind = self._line(line.text, path, line.number, constraint)
            except InputError as error:
                self._problems += [problem._replace(where=where) for problem in error.problems]
            if kind == "include" and any(problem.where == where for problem in self._problems[before:]):
                kind = "refused"
            # Before the lines of a file that it includes.
            self._read.insert(place, self._read_line(path, line, kind))

    def _account(self, path: Path, lines: list[Line], kind: LineKind) -> None:
        self._read += [self._read_line(path, line, kind) for line in lines]

    def _read_line(self, path: Path, line: Line, kind: LineKind) -> ReadLine:
        return ReadLine(self._origin(path, line.number), f"{path}:{line.number}", line.text, kind)

    def _row(self, text: str, path: Path, number: int, constraint: bool, *, located: bool) -> LineKind:
        words = text.split()
        if len(words) < 2 or _TABLE_RULE.fullmatch(text):
            raise InputError.of(
                "bad-requirement",
                f"{quoted(text)} is not a row of pip list",
                why="it has no version",
                hint="remove the line",
            )
        if located and len(words) > 2:
            raise InputError.of(
                "local-project",
                f"{quoted(words[0])} is installed from a folder",
                why=f"the folder is {quoted(' '.join(words[2:]))}",
                hint="remove the line, or make it -e FOLDER",
            )
        return self._requirement(f"{words[0]}=={words[1]}", path, number, constraint, LineOptions())

    def _line(self, written: str, path: Path, number: int, constraint: bool) -> LineKind:
        text = self._filled_in(written)
        try:
            return self._filled_line(text, path, number, constraint)
        except InputError as error:
            if text == written:
                raise
            # What variables hold is often a password: no message may show the line as filled in.
            message = f"{quoted(written)} can not be read with its variables filled in"
            hint = "see what the variables hold"
            raise InputError(*(one._replace(message=message, why="", hint=hint) for one in error.problems)) from None

    def _filled_line(self, text: str, path: Path, number: int, constraint: bool) -> LineKind:
        body, words = split_line(text)
        where = f"{path}:{number}"
        if body:
            return self._requirement(body, path, number, constraint, parse_options(words, after=body))
        options = parse_options(words)
        self._options = self._options.joined(options.file)
        for kind, name in options.includes:
            if is_address(name):
                raise InputError.of(
                    "remote-file", f"{quoted(name)} is on another machine", hint="download the file and name the copy"
                )
            self.read(path.parent / name, constraint=constraint or kind == "constraint", where=where)
        found: LineKind = "include" if options.includes else "option"
        for name in options.editables:
            named = self._installable(name, path, number, constraint, editable=True)
            found = "folder"
            if named is not None:
                found = self._requirement(named, path, number, constraint, LineOptions())
        return found

    def _requirement(self, text: str, path: Path, number: int, constraint: bool, options: LineOptions) -> LineKind:
        if _points_at_something(text):
            named = self._installable(text, path, number, constraint, editable=False)
            if named is None:
                self._note_unused(("--hash",) * bool(options.hashes) + options.unused, text, path, number)
                return "folder"
            text = named
        where, origin = f"{path}:{number}", self._origin(path, number)
        spelled = spell(text)
        requirement = spelled.requirement
        dropped = list(spelled.dropped)
        if requirement.url is not None and (file := local_file(requirement.url)) is not None:
            if module_build(file):
                self._note(
                    "from-module",
                    f"{requirement.name} was brought by a module when this list was made, and is left out",
                    where,
                    why=f"the Alliance builds its modules in {quoted(str(file))}",
                    hint="add the module to the target, or write NAME==VERSION if the project itself needs the package",
                )
                self._modules.append(FromModule(requirement.name, file, origin))
                return "module"
            if (wheel := wheelhouse_wheel(file)) is not None:
                # A wheel of a wheelhouse is known by name and version, not by where it was mounted.
                spelled = spell(wheel)
                dropped.append(f"{file.name.split('-')[1]}")
                requirement = compose(
                    spelled.requirement.name,
                    extras=requirement.extras,
                    specifier=str(spelled.requirement.specifier),
                    markers=(str(requirement.marker or ""),),
                )
            elif not os.path.lexists(file):
                raise _missing(requirement.name, file)
        for version in dropped:
            message, hint = local_part_remark(version)
            self._note("site-local-dropped", f"{requirement.name} {message}", where, hint=hint)
        if (parts := version_in_name(requirement.name)) is not None and not requirement.specifier:
            self._note(
                "version-in-name",
                f"{requirement.name} is read as a name, and looks like a name with a version",
                where,
                hint=f"write {parts[0]}=={parts[1]} if that is meant",
            )
        (self._constraints if constraint else self._requirements).append(Declared(requirement, origin))
        if options.hashes:
            self._hashes.append(FileHashes(origin, requirement.name, options.hashes))
        self._note_unused(options.unused, requirement.name, path, number)
        return "constraint" if constraint else "requirement"

    def _installable(self, text: str, path: Path, number: int, constraint: bool, *, editable: bool) -> str | None:
        """Return ``NAME @ ADDRESS`` for an address or archive; keep a folder in `local` and return None."""
        body, semicolon, marker = text.partition(" ;")
        body = body.strip()
        if not is_address(body) and not _points_at_something(body):
            if editable and "@" not in body:
                raise InputError.of(
                    "bad-requirement",
                    f"{quoted(body)} can not be installed as editable",
                    why="only a folder or a repository can",
                    hint="write -e FOLDER, or remove -e",
                )
            return text
        if is_address(body):
            named = named_address(body)
        else:
            word, extras = split_extras(body)
            place = self._folder / word
            if _is(stat.S_ISDIR, place):
                if constraint:
                    raise InputError.of(
                        "bad-requirement", f"{quoted(body)} is a folder, not a constraint", hint="write NAME==VERSION"
                    )
                self._local.append(LocalProject(place, editable, extras, self._origin(path, number)))
                return None
            name = named_file(place.name)
            if name is None or (not _is(stat.S_ISREG, place) and wheelhouse_wheel(place) is None):
                raise InputError.of(
                    "missing-file",
                    f"{quoted(body)} is no file or folder here",
                    why=f"it is looked for in {self._folder}",
                    hint="correct the path, or write NAME==VERSION",
                )
            wanted = f"[{','.join(extras)}]" if extras else ""
            named = f"{name}{wanted} @ {place.absolute().as_uri()}"
        if named is None:
            raise InputError.of(
                "unnamed-requirement",
                f"{quoted(body)} does not say the name of its package",
                hint="write NAME @ ADDRESS",
            )
        return f"{named} ; {marker}" if semicolon else named

    def _note_unused(self, options: tuple[str, ...], of: str, path: Path, number: int) -> None:
        for option in options:
            self._note("option-not-used", f"{option} of {of} is not followed", f"{path}:{number}", hint="remove it")

    def _filled_in(self, text: str) -> str:
        for name in _VARIABLE.findall(text):
            if name not in self._environ:
                raise InputError.of(
                    "unknown-variable", f"the variable {name} is not set", hint=f"set {name}, or write its value"
                )
        return _VARIABLE.sub(lambda place: self._environ[place[1]], text)

    def _origin(self, path: Path, number: int) -> str:
        if path not in self._origins:
            self._origins[path] = Path(os.path.relpath(path, self._top)).as_posix()
        return f"{self._origins[path]}:{number}"

    def _refuse(self, code: str, message: str, where: str, *, why: str = "", hint: str = "") -> None:
        self._problems.append(Problem(code, message, where, why, hint))

    def _note(self, code: str, message: str, where: str, *, why: str = "", hint: str = "") -> None:
        self._notes.append(Problem(code, message, where, why, hint))


def _points_at_something(text: str) -> bool:
    """Whether this is an address or a path rather than ``NAME…``."""
    if is_address(text) or text.startswith((".", "/", "~")):
        return True
    word = text.partition(";")[0].strip()
    return _SPECIFIC.search(word) is None and is_path(word)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    """Whether there is something of a kind (of `stat`); a name that no file system takes is nothing, not an error."""
    try:
        return kind(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _missing(name: str, file: Path) -> InputError:
    conda = any(word in part for part in file.parts for word in _CONDA)
    return InputError.of(
        "missing-file",
        f"{name} is taken from a file that is not here",
        why=f"{quoted(str(file))} is {'where conda builds packages' if conda else 'not on this machine'}",
        hint=f"write {name}==VERSION with the version that was installed",
    )
