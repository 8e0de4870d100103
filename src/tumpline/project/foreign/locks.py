"""Locks of other tools: ``uv.lock``, ``poetry.lock`` and ``pylock.toml`` (PEP 751).

They say which package needs which, and so what was asked for. Their pins are taken, never their addresses of files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tumpline.errors import InputError, Problem
from tumpline.project.document import quoted
from tumpline.project.foreign.model import Foreign, Form, Row
from tumpline.project.spelling import compose, spell
from tumpline.values import Name, normalise

__all__ = ["read_poetry_lock", "read_pylock", "read_uv_lock"]

_HEADER = re.compile(r"^[ \t]*\[\[(package|packages)\]\]", re.MULTILINE)

Table = Mapping[str, Any]


def read_uv_lock(path: Path, text: str) -> Foreign:
    """Read a ``uv.lock``: what its own packages depend on was asked for.

    Raises InputError ``not-toml``, ``bad-lock``.
    """
    reading = _Reading(path, text, "uv-lock", "package")
    asked: dict[tuple[Name, str], list[tuple[Table, str]]] = {}
    own = [table for _, table in reading.tables if _is_own(table)]
    for table in own:
        for group, dependencies in _groups_of(table):
            for dependency in _tables(dependencies):
                name = normalise(_text(dependency, "name"))
                asked.setdefault((name, _text(dependency, "version")), []).append((dependency, group))
    rows: list[Row] = []
    for line, table in reading.tables:
        origin = f"{path.name}:{line}"
        if any(table is each for each in own):
            rows.append(Row(origin, _text(table, "name"), "folder", why="the project itself"))
            continue
        name, version = normalise(_text(table, "name")), _text(table, "version")
        # A dependency states a version only where the lock has several.
        uses = asked.get((name, version), []) + (asked.get((name, ""), []) if version else [])
        for dependency, group in uses or [({}, "")]:
            extras, marker = _texts(dependency.get("extra")), _text(dependency, "marker")
            row = reading.row(origin, table, _uv_address(table), extras=extras, marker=marker)
            rows.append(_asked(row, asked=bool(uses), group=group, needs=_names(table, "dependencies")))
    return reading.foreign(rows, _text(reading.document, "requires-python"))


def read_poetry_lock(path: Path, text: str, asked: Iterable[Name] | None = None) -> Foreign:
    """Read a ``poetry.lock``, which does not say what was asked for: `asked` are those names, where that is known.

    Raises InputError ``not-toml``, ``bad-lock``.
    """
    reading = _Reading(path, text, "poetry-lock", "package")
    wanted = None if asked is None else set(asked)
    rows: list[Row] = []
    for line, table in reading.tables:
        row = reading.row(f"{path.name}:{line}", table, _poetry_address(table), marker=_text(table, "markers"))
        needs = table.get("dependencies")
        names = tuple(sorted(map(normalise, needs))) if isinstance(needs, dict) else ()
        rows.append(_asked(row, asked=None if wanted is None else row.name in wanted, needs=names))
    metadata = reading.document.get("metadata")
    return reading.foreign(rows, _text(metadata, "python-versions") if isinstance(metadata, dict) else "")


def read_pylock(path: Path, text: str) -> Foreign:
    """Read a ``pylock.toml``. Raises InputError ``not-toml``, ``bad-lock``."""
    reading = _Reading(path, text, "pylock", "packages")
    says = any("dependencies" in table for _, table in reading.tables)
    rows = [
        _asked(
            reading.row(f"{path.name}:{line}", table, _pylock_address(table), marker=_text(table, "marker")),
            needs=_names(table, "dependencies") if says else None,
        )
        for line, table in reading.tables
    ]
    return reading.foreign(rows, _text(reading.document, "requires-python"))


class _Reading:
    def __init__(self, path: Path, text: str, form: Form, key: str) -> None:
        self._path, self._form = path, form
        try:
            self.document: dict[str, Any] = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError.of(
                "not-toml",
                f"{path.name} is not valid TOML",
                where=str(path),
                why="it is nested too deeply" if isinstance(error, RecursionError) else str(error),
                hint="let the tool that made the lock make it anew",
            ) from error
        tables = self.document.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._bad(f"{key} is not an array of tables")
        lines = [text.count("\n", 0, place.start()) + 1 for place in _HEADER.finditer(text) if place[1] == key]
        # Where the packages are written in another way than tools write them, the lock alone is named.
        numbers: Sequence[int] = lines if len(lines) == len(tables) else [1] * len(tables)
        self.tables: list[tuple[int, Table]] = list(zip(numbers, tables, strict=True))
        for number, table in self.tables:
            if not isinstance(table.get("name"), str):
                raise self._bad("a package has no name", number)

    def foreign(self, rows: list[Row], python: str) -> Foreign:
        place = re.search(r"(\d+\.\d+)", python)
        return Foreign(self._path, self._form, tuple(rows), (), place[1] if place is not None else "")

    def row(
        self, origin: str, table: Table, address: str | None, *, extras: Iterable[str] = (), marker: str = ""
    ) -> Row:
        name, version = _text(table, "name"), _text(table, "version")
        written = f"{name} {version}".rstrip()
        if address == "":
            why = "it is a folder of the machine where the lock was made"
            hint = "write NAME @ ./FOLDER among the dependencies, if the project has it"
            return Row(origin, written, "folder", name=normalise(name), why=why, hint=hint)
        try:
            specifier = "" if address or not version else f"=={version}"
            spelled = spell(f"{name}{specifier}")
            requirement = compose(
                name,
                extras=extras,
                specifier=str(spelled.requirement.specifier),
                url=address or "",
                markers=(marker,),
            )
        except InputError as error:
            one = error.problems[0]
            problem = Problem(
                "bad-requirement",
                f"{quoted(written)} can not be carried over",
                origin,
                one.why or one.message,
                "let the tool that made the lock make it anew",
            )
            return Row(origin, written, "refused", why=problem.why, hint=problem.hint, problem=problem)
        return Row(origin, written, "package", requirement, normalise(name), site_local=bool(spelled.dropped))

    def _bad(self, why: str, line: int = 0) -> InputError:
        return InputError.of(
            "bad-lock",
            f"{self._path.name} is not the lock that its name says",
            where=f"{self._path}:{line}" if line else str(self._path),
            why=why,
            hint="let the tool that made it make it anew",
        )


def _asked(row: Row, *, needs: tuple[Name, ...] | None, asked: bool | None = None, group: str = "") -> Row:
    return replace(row, asked=asked, needs=needs, group=group)


def _is_own(table: Table) -> bool:
    source = table.get("source")
    return isinstance(source, dict) and ("virtual" in source or source.get("editable") == ".")


def _groups_of(table: Table) -> Iterator[tuple[str, object]]:
    yield "", table.get("dependencies")
    for key in ("optional-dependencies", "dev-dependencies"):
        groups = table.get(key)
        if isinstance(groups, dict):
            yield from groups.items()


def _uv_address(table: Table) -> str | None:
    """Return the address of a package; None for one of an index, empty for a folder."""
    source = table.get("source")
    if not isinstance(source, dict):
        return None
    if git := _text(source, "git"):
        url, _, commit = git.partition("#")
        subdirectory = re.search(r"[?&]subdirectory=([^&]+)", url)
        inside = f"#subdirectory={subdirectory[1]}" if subdirectory else ""
        return f"git+{url.partition('?')[0]}@{commit}{inside}" if commit else f"git+{url.partition('?')[0]}{inside}"
    if url := _text(source, "url"):
        return url
    return "" if {"path", "directory", "editable"}.intersection(source) else None


def _poetry_address(table: Table) -> str | None:
    source = table.get("source")
    if not isinstance(source, dict):
        return None
    url = _text(source, "url")
    match source.get("type"):
        case "git":
            inside = _text(source, "subdirectory")
            commit = _text(source, "resolved_reference")
            return f"git+{url}{f'@{commit}' if commit else ''}{f'#subdirectory={inside}' if inside else ''}"
        case "url":
            return url
        case "directory" | "file":
            return ""
    return None


def _pylock_address(table: Table) -> str | None:
    vcs, archive = table.get("vcs"), table.get("archive")
    if isinstance(vcs, dict):
        url, commit, inside = (_text(vcs, key) for key in ("url", "commit-id", "subdirectory"))
        kind = _text(vcs, "type")
        return f"{kind}+{url}@{commit}{f'#subdirectory={inside}' if inside else ''}" if url else ""
    if isinstance(archive, dict):
        return _text(archive, "url")
    return "" if "directory" in table else None


def _names(table: Table, key: str) -> tuple[Name, ...]:
    found = {normalise(name) for each in _tables(table.get(key)) if (name := _text(each, "name"))}
    return tuple(sorted(found))


def _tables(value: object) -> list[Table]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(table: Table, key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
