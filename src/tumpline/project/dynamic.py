"""Dependencies that ``project.dynamic`` leaves to the build: read from files, refused where only code knows them.

setuptools takes them from requirements files (setuptools documentation, "Dynamic Metadata"), which is read here too.
"""

from __future__ import annotations

from pathlib import Path

from tumpline.project.document import Document, quoted
from tumpline.project.entries import Entry
from tumpline.project.groups import DEPENDENCIES, EXTRAS, find_key
from tumpline.project.lines import KeyPath, show_keys
from tumpline.values import Name

__all__ = ["dynamic_dependencies", "dynamic_extra", "is_dynamic"]

_DYNAMIC: KeyPath = ("project", "dynamic")
_SETUPTOOLS: KeyPath = ("tool", "setuptools", "dynamic")


def is_dynamic(document: Document, field: str) -> bool:
    """Whether ``project.dynamic`` names this field."""
    return document.get(("project",)) is not None and field in (text for _, text in document.texts(_DYNAMIC))


def dynamic_dependencies(document: Document, root: Path) -> list[Entry]:
    """Read the main dependencies from the files that setuptools takes them from.

    Complains ``dynamic-dependencies`` where there are no such files.
    """
    keys: KeyPath = (*_SETUPTOOLS, "dependencies")
    if _has_files(document, keys):
        return _from_files(document, root, keys, "")
    _refuse(document, "dependencies", DEPENDENCIES)
    return []


def dynamic_extra(document: Document, root: Path, name: Name, *, asked: bool) -> list[Entry] | None:
    """Read an extra from setuptools' files, None where they name no such extra.

    Complains ``dynamic-dependencies`` where there are no such files and the extra is `asked` for by name.
    """
    parent: KeyPath = (*_SETUPTOOLS, "optional-dependencies")
    if not isinstance(document.get(parent), dict):
        if asked:
            _refuse(document, "optional-dependencies", (*EXTRAS, name))
        return [] if asked else None
    keys = find_key(document, parent, name)
    return None if keys is None else _from_files(document, root, keys, name)


def _has_files(document: Document, keys: KeyPath) -> bool:
    value = document.get(keys)
    return isinstance(value, dict) and "file" in value


def _from_files(document: Document, root: Path, keys: KeyPath, group: str) -> list[Entry]:
    # Few projects need the reader of requirements files, and every command would wait for its import.
    from tumpline.project.options import RequirementsOptions
    from tumpline.project.requirements import read_requirements

    place: KeyPath = (*keys, "file")
    files = [(place, text)] if isinstance((text := document.get(place)), str) else document.texts(place)
    found: list[Entry] = []
    for path, name in files:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            document.complain(
                "bad-value",
                f"is {quoted(name)}, which is outside of the project",
                path,
                hint="name a file in the project's folder",
            )
            continue
        listed = read_requirements(root / name)
        document.take(listed.problems)
        document.remark(listed.notes)
        if listed.options != RequirementsOptions() or listed.constraints or listed.local:
            document.note(
                "option-not-used",
                f"is {quoted(name)}, whose options, constraints and folders are not followed",
                path,
                why="setuptools takes requirements only",
                hint="keep only requirements in this file",
            )
        found += [Entry(one.requirement, path, group, origin=one.origin) for one in listed.requirements]
    return found


def _refuse(document: Document, field: str, keys: KeyPath) -> None:
    backend = document.get(("build-system", "build-backend"))
    position = next((item for item, text in document.texts(_DYNAMIC) if text == field), _DYNAMIC)
    document.complain(
        "dynamic-dependencies",
        f"leaves the {field} to the build, so that they can not be read",
        position,
        why=f"only {backend} knows them, by running code" if isinstance(backend, str) else "only the build knows them",
        hint=f"list them under {show_keys(keys)}, and remove {field} from project.dynamic",
    )
