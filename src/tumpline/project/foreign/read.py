"""Reading a list of packages, whatever it is: by its name, and where that says nothing, by how it begins."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tumpline.errors import InputError, Problem
from tumpline.project.document import quoted
from tumpline.project.foreign.compiled import is_asked, read_sources
from tumpline.project.foreign.conda import EXPORTED, read_conda_list, read_environment
from tumpline.project.foreign.locks import read_poetry_lock, read_pylock, read_uv_lock
from tumpline.project.foreign.model import Foreign, Row
from tumpline.project.foreign.plain import package_row, read_plain
from tumpline.project.requirements_text import logical_lines, read_text
from tumpline.project.spelling import spell
from tumpline.values import Name, normalise

__all__ = ["read_foreign"]

_LARGEST = 16 * 1024 * 1024

_YAML = re.compile(r"^dependencies:[ \t]*(?:#.*)?$", re.MULTILINE)
_TOML = re.compile(r"^\[\[(packages?)\]\]", re.MULTILINE)

_OF_PROJECTS = {
    "pyproject.toml": ("it is a project, not a list", "tumpline reads it where it is: run tumpline lock beside it"),
    "setup.py": ("it is a program, and is not run", "install it, and import what pip freeze then prints"),
    "setup.cfg": ("it is the configuration of a project", "copy its install_requires to a requirements file"),
    "pipfile": ("it is a project of pipenv", "import what pipenv requirements prints"),
    "pipfile.lock": ("it is a lock of pipenv", "import what pipenv requirements prints"),
    "tumpline.lock": ("it is tumpline's own lock", "write it as requirements with: tumpline export"),
}
"""File of a project -> why it is no list of packages, and what to do with it."""


def read_foreign(path: Path, environ: Mapping[str, str] | None = None) -> Foreign:
    """Read a requirements file, a freeze, a list of pip or conda, an environment of conda, or a lock of another tool.

    ``${NAME}`` in requirements files is filled in from `environ`. Raises InputError where the file can not be read as
    a whole: ``missing-file``, ``cannot-read``, ``too-large``, ``not-text``, ``not-toml``, ``bad-lock``, ``bad-yaml``,
    ``not-an-environment``, ``not-json``, ``not-a-list``, ``empty-list``. A line that can not be read is a row.
    """
    text, latin = read_text(path, _LARGEST)
    found = _read(path, text, environ)
    if not found.rows:
        raise InputError.of(
            "empty-list", f"{path.name} names no package", where=str(path), hint="check that this is the right file"
        )
    if latin and all(note.code != "not-utf-8" for note in found.notes):
        note = Problem(
            "not-utf-8", f"{path.name} is not UTF-8 and is read as Latin-1", str(path), hint="save it as UTF-8"
        )
        return Foreign(found.path, found.form, found.rows, (*found.notes, note), found.python)
    return found


def _read(path: Path, text: str, environ: Mapping[str, str] | None) -> Foreign:
    name = path.name.lower()
    if name in ("pyproject.toml", "setup.py", "setup.cfg", "pipfile", "pipfile.lock", "tumpline.lock"):
        raise _not_a_list(path, *_OF_PROJECTS[name])
    if path.suffix.lower() in (".yml", ".yaml"):
        return read_environment(path, text)
    if path.suffix.lower() in (".toml", ".lock"):
        return _lock(path, text)
    start = text.lstrip()[:1]
    if path.suffix.lower() == ".json" or (start in "[{" and _is_json(text)):
        return _pip_json(path, text)
    if text.lstrip().startswith("@EXPLICIT") or re.search(r"^@EXPLICIT", text, re.MULTILINE):
        raise _not_a_list(
            path, "it is a list of conda's own files", "write an environment.yml with: conda env export --from-history"
        )
    lines = list(logical_lines(text))
    if lines and sum(EXPORTED.fullmatch(line.text) is not None for line in lines) * 2 > len(lines):
        return read_conda_list(path, text)
    if _YAML.search(text) and re.search(r"^[ \t]*- ", text, re.MULTILINE):
        return read_environment(path, text)
    return _lock(path, text) if _TOML.search(text) else _compiled(text, read_plain(path, environ))


def _compiled(text: str, found: Foreign) -> Foreign:
    """Return a list with what its comments say of who asks for what, where a program has compiled it."""
    sources = read_sources(text) if "# via" in text else {}
    if not sources:
        return found
    packages = frozenset(row.name for row in found.rows if row.name is not None)
    rows: list[Row] = []
    for row in found.rows:
        # Of files that it includes nothing is known.
        file, _, line = row.origin.rpartition(":")
        of = sources.get(int(line)) if file == found.path.name else None
        rows.append(row if of is None else replace(row, asked=is_asked(of, packages)))
    return replace(found, rows=tuple(rows))


def _lock(path: Path, text: str) -> Foreign:
    kind = _TOML.search(text)
    if kind is not None and kind[1] == "packages":
        return read_pylock(path, text)
    if path.name == "poetry.lock" or re.search(r"^content-hash\s*=", text, re.MULTILINE):
        return read_poetry_lock(path, text, _asked_beside(path))
    if path.name == "uv.lock" or (kind is not None and re.search(r"^source = \{", text, re.MULTILINE)):
        return read_uv_lock(path, text)
    raise _not_a_list(
        path,
        "it is none of uv.lock, poetry.lock and pylock.toml",
        "give one of them, or let the tool that made it write a requirements file",
    )


def _asked_beside(path: Path) -> list[Name] | None:
    """Return what the project asks for that a lock belongs to, None where there is none that can be read."""
    from tumpline.project.read import read_project

    try:
        project = read_project(path.parent)
    except InputError:
        return None
    return [normalise(declared.requirement.name) for declared in project.requirements] or None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _pip_json(path: Path, text: str) -> Foreign:
    """Read what ``pip list --format json`` prints."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError.of(
            "not-json",
            f"{path.name} is not valid JSON",
            where=str(path),
            why="it is nested too deeply" if isinstance(error, RecursionError) else str(error),
            hint="make it anew with: pip list --format json",
        ) from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _not_a_list(path, "it is no array of objects", "make it with: pip list --format json")
    return Foreign(path, "pip-list", tuple(_json_row(path, place, entry) for place, entry in enumerate(entries)))


def _json_row(path: Path, place: int, entry: dict[str, object]) -> Row:
    origin = f"{path.name}[{place}]"
    name, version = entry.get("name"), entry.get("version")
    written = f"{name} {version}"
    if folder := entry.get("editable_project_location"):
        why = f"it is installed from a folder, {quoted(str(folder))}"
        return Row(origin, written, "folder", why=why, hint="write NAME @ ./FOLDER among the dependencies")
    try:
        if not isinstance(name, str) or not isinstance(version, str):
            raise InputError.of("bad-requirement", "", why="it has no name and version as texts")
        return package_row(origin, written, spell(f"{name}=={version}"))
    except InputError as error:
        one = error.problems[0]
        hint = one.hint or "make the list anew with: pip list --format json"
        problem = Problem("bad-requirement", f"{quoted(written)} can not be carried over", origin, one.why, hint)
        return Row(origin, written, "refused", why=one.why, hint=hint, problem=problem)


def _not_a_list(path: Path, why: str, hint: str) -> InputError:
    return InputError.of("not-a-list", f"{path.name} is no list of packages", where=str(path), why=why, hint=hint)
