"""The project as Poetry's tables: for people who have Poetry and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tumpline.lock.export import Export, Row, Rows, pythons_of
from tumpline.lock.model import PathArtefact, UrlArtefact, VcsArtefact
from tumpline.lock.toml import Value, comment, quote, render
from tumpline.project.tilde import tilde
from tumpline.values import Name, normalise, parse_version

if TYPE_CHECKING:
    from tumpline.project import Declared, Project

__all__ = ["export_poetry"]


def export_poetry(rows: Rows, project: Project) -> Export:
    """Return a ``pyproject.toml`` for Poetry (1.8 and newer): what the project asks for, as tilde requirements.

    Only what the project itself asks for is in it; Poetry chooses the rest. It is no package (``package-mode``): it
    needs no name, and nothing of its own is installed. The group for packages of the index is optional, as the Alliance
    advises, and so are those of single targets. What no target needs is left out.
    """
    by_name: dict[Name, list[Row]] = {}
    for row in rows.rows:
        by_name.setdefault(row.name, []).append(row)
    groups: dict[str, dict[str, list[dict[str, Value]]]] = {"": {}}
    optional = {normalise(project.settings.pypi_group)}
    left: list[str] = []
    for declared in project.requirements:
        name = normalise(declared.requirement.name)
        if name not in by_name:
            left.append(name)
            continue
        if declared.targets:
            optional.add(normalise(declared.group))
        entries = groups.setdefault(declared.group, {}).setdefault(name, [])
        entries += [entry for row in by_name[name] if (entry := _entry(row, declared)) not in entries]
    parts = ["".join(f"{comment(line)}\n" for line in rows.head), "\n[tool.poetry]\npackage-mode = false\n"]
    parts.append(f"\n[tool.poetry.dependencies]\npython = {quote(pythons_of(rows.targets) or '*')}\n")
    parts.append(_dependencies(groups.pop("")))
    for group, entries_of in groups.items():
        key = group if re.fullmatch(r"[A-Za-z0-9_-]+", group) else quote(group)
        if normalise(group) in optional:
            parts.append(f"\n[tool.poetry.group.{key}]\noptional = true\n")
        parts.append(f"\n[tool.poetry.group.{key}.dependencies]\n{_dependencies(entries_of)}")
    told = (f"left out, since no target needs them: {', '.join(left)}",) if left else ()
    return Export("".join(parts), (), (*rows.remarks, *told))


def _dependencies(entries: Mapping[str, Sequence[Mapping[str, Value]]]) -> str:
    table: dict[str, Value] = {}
    for name, found in entries.items():
        simple = len(found) == 1 and list(found[0]) == ["version"]
        table[name] = found[0]["version"] if simple else found[0] if len(found) == 1 else list(found)
    return render(table, ())


def _tilde(version: str) -> str:
    """Return Poetry's tilde, which means with three numbers what it means in PEP 440; else PEP 440's own words."""
    specifier = tilde(parse_version(version))
    short = specifier.removeprefix("~=")
    return f"~{short}" if short != specifier and short.count(".") == 2 else specifier


def _entry(row: Row, declared: Declared) -> dict[str, Value]:
    entry: dict[str, Value]
    inside = ""
    match row.artefact:
        case VcsArtefact(commit=commit, url=url, path=path, subdirectory=inside):
            entry = {"git": url or path, "rev": commit}
        case UrlArtefact(url=url, subdirectory=inside):
            entry = {"url": url}
        case PathArtefact(path=path, subdirectory=inside):
            entry = {"path": path}
        case _:
            entry = {"version": _tilde(row.version)}
    if inside:
        entry["subdirectory"] = inside
    if declared.requirement.extras:
        entry["extras"] = sorted(declared.requirement.extras)
    markers = [marker for marker in (str(declared.requirement.marker or ""), row.marker) if marker]
    if markers:
        entry["markers"] = markers[0] if len(markers) == 1 else " and ".join(f"({marker})" for marker in markers)
    return entry
