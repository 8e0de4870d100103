"""``[tool.uv.sources]``: where uv fetches a dependency from, as URL requirements (PEP 508) where that can be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tumpline.errors import InputError
from tumpline.project.document import Document, quoted
from tumpline.project.entries import Entry, Place, git_address, path_address, with_address
from tumpline.project.lines import KeyPath
from tumpline.project.spelling import check_address
from tumpline.values import Name, normalise

__all__ = ["apply_sources"]

_SOURCES: KeyPath = ("tool", "uv", "sources")
_KINDS = ("git", "url", "path", "workspace", "index")
_KEYS = (
    *_KINDS,
    *("rev", "tag", "branch", "subdirectory", "lfs", "editable", "package", "marker", "extra", "group"),
)


def apply_sources(document: Document, root: Path, entries: list[Entry]) -> list[Entry]:
    """Give the requirements the sources that ``[tool.uv.sources]`` names for them.

    `git`, `url` and `path` become the address of a URL requirement; `index` can not be said in a requirement and is
    noted (``index-not-followed``): the configured indexes are asked. What can not be said is
    complained of (``bad-source``).
    """
    if document.table(("tool",)) is None or document.table(("tool", "uv")) is None:
        return entries
    spelled: dict[Name, str] = {normalise(key): key for key in document.table(_SOURCES) or ()}
    if not spelled:
        return entries
    found: list[Entry] = []
    for entry in entries:
        key = spelled.get(normalise(entry.requirement.name))
        sourced = entry if key is None else _sourced(document, root, entry, (*_SOURCES, key))
        found.append(sourced)
        if sourced is not entry and entry.requirement.specifier:
            # A requirement can not hold both: what is at the address has to be a version that satisfies the other.
            found.append(entry)
    return found


def _sourced(document: Document, root: Path, entry: Entry, keys: KeyPath) -> Entry:
    value = document.get(keys)
    paths: list[KeyPath] = [(*keys, at) for at in range(len(value))] if isinstance(value, list) else [keys]
    tables = [(path, table) for path in paths if (table := document.table(path)) is not None]
    tables = [(path, table) for path, table in tables if _applies(document, entry, path, table)]
    if not tables:
        return entry
    if all("index" in table for _, table in tables):
        for path, table in tables:
            document.note(
                "index-not-followed",
                f"names the index {quoted(str(table['index']))} for {entry.requirement.name}, which is not followed",
                path,
                why="where a package comes from is the choice of each target",
                hint="add the index to pip's configuration where the project needs builds that only it has",
            )
        return entry
    if len(tables) > 1 or "marker" in tables[0][1]:
        document.complain(
            "bad-source",
            "names a source for some machines only",
            keys,
            why="a requirement can not say what holds on the other machines",
            hint=f'write one requirement for each case, as in "{entry.requirement.name} @ ADDRESS ; MARKER"',
        )
        return entry
    return _with_place(document, root, entry, *tables[0])


def _applies(document: Document, entry: Entry, keys: KeyPath, table: Mapping[str, object]) -> bool:
    document.unknown_keys(keys, _KEYS)
    limits = [text for key in ("extra", "group") if key in table and (text := document.text((*keys, key))) is not None]
    return not limits or entry.group in {str(normalise(limit)) for limit in limits}


def _with_place(document: Document, root: Path, entry: Entry, keys: KeyPath, table: Mapping[str, object]) -> Entry:
    requirement = entry.requirement
    kinds = [kind for kind in _KINDS if kind in table]
    if len(kinds) != 1:
        wanted = ", ".join(_KINDS)
        document.complain("bad-source", f"must have one of: {wanted}", keys, hint="keep one of these keys")
        return entry
    if requirement.url is not None:
        document.complain(
            "bad-source",
            f"names a source for {requirement.name}, whose requirement has an address already",
            keys,
            hint="remove one of the two",
        )
        return entry
    try:
        place = _place(document, root, keys, kinds[0])
        if place is None:
            return entry
        sourced = with_address(requirement, place.address)
    except InputError as error:
        document.blame(error, keys)
        return entry
    return replace(entry, requirement=sourced, portable=place.portable)


def _place(document: Document, root: Path, keys: KeyPath, kind: str) -> Place | None:
    """Return the place that a source names, None where it has the wrong type; raises InputError ``bad-source``."""

    def text(key: str) -> str:
        return document.text((*keys, key)) or ""

    if kind == "workspace":
        raise InputError.of(
            "bad-source",
            "a member of a uv workspace can not be looked up",
            why="where the members of a workspace are is known to uv alone",
            hint='give the member\'s folder: path = "../MEMBER"',
        )
    word = text(kind)
    if not word:
        return None
    if kind == "git":
        return git_address(word, (text("rev"), text("tag"), text("branch")), text("subdirectory"))
    if kind == "path":
        return path_address(root, word)
    check_address(word)
    address = f"{word}#subdirectory={text('subdirectory')}" if text("subdirectory") else word
    return Place(address, address)
