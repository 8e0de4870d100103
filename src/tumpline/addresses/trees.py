"""What a source says it needs without being built: the static fields of its pyproject.toml, and its PKG-INFO.

A backend has to honour the fields of ``[project]`` that are not listed as dynamic (PEP 621), and so do the fields of
PKG-INFO (PEP 643). Poetry's own backend takes the rest from Poetry's tables, which hold for its wheels alike.
"""

from __future__ import annotations

from pathlib import Path

from tumpline.errors import InputError
from tumpline.index.static import NotStatic, static_metadata
from tumpline.project.document import Document
from tumpline.project.dynamic import is_dynamic
from tumpline.project.entries import Entry
from tumpline.project.groups import DEPENDENCIES, EXTRAS, listed
from tumpline.project.lines import KeyPath
from tumpline.project.poetry_tables import PoetryTables
from tumpline.project.spelling import compose
from tumpline.values import normalise, parse_specifier
from tumpline.wheels import CoreMetadata

__all__ = ["FILES", "static_tree"]

FILES = ("pyproject.toml", "PKG-INFO")
"""The files that `static_tree` reads, by their names in the folder of the source."""

_POETRY_BACKENDS = ("poetry.core.masonry.api", "poetry.masonry.api")
_BACKEND: KeyPath = ("build-system", "build-backend")
_NEEDED = ("version", "requires-python", "dependencies", "optional-dependencies")


def static_tree(files: dict[str, bytes], folder: Path) -> CoreMetadata:
    """Return the metadata of the source in `folder`, of which `files` holds the contents of `FILES` that it has.

    `folder` need not exist: relative paths count from it, and complaints name it. Raises `NotStatic` where only a
    build could tell, and InputError where pyproject.toml is so wrong that no build would work either.
    """
    why = "it has no pyproject.toml"
    if (content := files.get("pyproject.toml")) is not None:
        document = Document(folder / "pyproject.toml", _text(content, folder))
        try:
            return _of_pyproject(document, folder)
        except NotStatic as error:
            document.finish()
            why = error.why
    if (content := files.get("PKG-INFO")) is not None:
        return static_metadata(content)
    raise NotStatic(why)


def _text(content: bytes, folder: Path) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError.of(
            "not-utf-8",
            "pyproject.toml is not UTF-8 text",
            where=str(folder / "pyproject.toml"),
            hint="ask whoever keeps the source; TOML demands UTF-8",
        ) from error


def _of_pyproject(document: Document, folder: Path) -> CoreMetadata:
    standard = document.table(("project",)) is not None
    poetry = PoetryTables(document, folder)
    by_poetry = poetry.present and document.get(_BACKEND) in _POETRY_BACKENDS
    if not standard and not by_poetry:
        raise NotStatic("its pyproject.toml has no [project] table")
    left_open = [field for field in _NEEDED if standard and is_dynamic(document, field)]
    if left_open and not by_poetry:
        raise NotStatic(f"its pyproject.toml leaves open {', '.join(left_open)} (project.dynamic)")

    def is_poetrys(field: str) -> bool:
        return not standard or field in left_open

    def text(field: str) -> str:
        return document.text(("tool", "poetry", field) if is_poetrys(field) else ("project", field)) or ""

    name, version = text("name"), text("version")
    if not name or not version:
        raise NotStatic(f"its pyproject.toml has no {'version' if name else 'name'}")
    python = poetry.python() if is_poetrys("requires-python") else text("requires-python")
    if is_poetrys("dependencies"):
        main = [entry for entry in poetry.main() if not entry.optional]
    else:
        main = listed(document, DEPENDENCIES)
    if is_poetrys("optional-dependencies"):
        names = document.table(("tool", "poetry", "extras")) or {}
        extras = {normalise(name): poetry.of_extra(normalise(name)) or [] for name in names}
    else:
        names = document.table(EXTRAS) or {}
        extras = {normalise(name): listed(document, (*EXTRAS, name), name) for name in names}
    document.finish()
    _check_python(python, document)
    lines = [str(entry.requirement) for entry in main]
    for extra, entries in extras.items():
        lines += [_under_extra(entry, extra) for entry in entries]
    return CoreMetadata(name, version, tuple(lines), python, tuple(extras))


def _check_python(specifier: str, document: Document) -> None:
    try:
        parse_specifier(specifier)
    except ValueError as error:
        raise InputError.of(
            "bad-requires-python",
            f"{specifier[:200]!r} is not a range of versions",
            where=str(document.path),
            hint="ask whoever keeps the source",
        ) from error


def _under_extra(entry: Entry, extra: str) -> str:
    """Return a requirement as METADATA has it under an extra."""
    requirement = entry.requirement
    return str(
        compose(
            requirement.name,
            extras=requirement.extras,
            specifier=str(requirement.specifier),
            url=requirement.url or "",
            markers=(str(requirement.marker or ""), f'extra == "{extra}"'),
        )
    )
