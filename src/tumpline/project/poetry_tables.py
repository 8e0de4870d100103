"""Poetry's tables, 1.x and 2.x: ``[tool.poetry.dependencies]``, groups, extras, and how they add to ``[project]``.

Rules: Poetry's documentation, "The pyproject.toml file" and "Dependency specification"; what holds when
``[project]`` is there as well is Poetry 2's ("tool.poetry.dependencies enriches project.dependencies").
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from packaging.markers import InvalidMarker, Marker

from tumpline.errors import InputError
from tumpline.project.disjoint import exclude_one_another
from tumpline.project.document import Document, nearest, quoted
from tumpline.project.entries import Entry, Place, git_address, path_address
from tumpline.project.groups import find_key
from tumpline.project.lines import KeyPath, show_keys
from tumpline.project.poetry import platform_marker, poetry_specifier, python_marker, python_specifier
from tumpline.project.spelling import check_address, compose, drop_site_local, local_part_remark
from tumpline.values import Name, normalise

__all__ = ["PoetryTables", "enrich"]

_ROOT: KeyPath = ("tool", "poetry")
_MAIN: KeyPath = (*_ROOT, "dependencies")
_GROUPS: KeyPath = (*_ROOT, "group")
_OLD_DEV: KeyPath = (*_ROOT, "dev-dependencies")
_EXTRAS: KeyPath = (*_ROOT, "extras")

_PLACES = ("git", "path", "file", "url")
_KEYS = (
    *_PLACES,
    *("version", "python", "platform", "markers", "optional", "extras", "source", "develop"),
    *("branch", "tag", "rev", "subdirectory", "allow-prereleases", "allows-prereleases"),
)


class PoetryTables:
    """The ``[tool.poetry]`` table of a project in `root`; every array and table is read when asked for."""

    def __init__(self, document: Document, root: Path) -> None:
        self._document = document
        self._root = root
        tool = document.table(("tool",))
        self._main: list[Entry] | None = None
        self.present = tool is not None and document.table(_ROOT) is not None

    @property
    def is_package(self) -> bool:
        """Whether there is a package to build: Poetry's ``package-mode`` is not false."""
        return self.present and self._document.get((*_ROOT, "package-mode")) is not False

    def python(self) -> str:
        """Return the ``python`` constraint of the main dependencies as a specifier set, empty where there is none."""
        keys: KeyPath = (*_MAIN, self._python_key())
        if not self.present or self._document.table(_MAIN) is None or self._document.get(keys) is None:
            return ""
        text = self._document.text(keys, hint='write for example python = ">=3.11,<3.13"')
        try:
            return python_specifier(text) if text is not None else ""
        except InputError as error:
            self._document.blame(error, keys)
            return ""

    def main(self) -> list[Entry]:
        """Return the main dependencies; those that only extras bring in are marked `optional`."""
        if self._main is None:
            self._main = self._dependencies(_MAIN, "") if self.present else []
        return list(self._main)

    def of_extra(self, name: Name) -> list[Entry] | None:
        """Return the dependencies that ``[tool.poetry.extras]`` puts under a name, None where there is no such name."""
        if not self.present or (keys := find_key(self._document, _EXTRAS, name)) is None:
            return None
        optional: dict[Name, list[Entry]] = {}
        for entry in self.main():
            optional.setdefault(normalise(entry.requirement.name), []).append(entry)
        found: list[Entry] = []
        for item, text in self._document.texts(keys):
            entries = optional.get(normalise(text))
            if entries is None:
                self._document.complain(
                    "unknown-package",
                    f"names {quoted(text)}, which is not among the dependencies",
                    item,
                    hint=nearest(text, optional) or "add it to tool.poetry.dependencies with optional = true",
                )
            found += [replace(entry, group=name, optional=False) for entry in entries or ()]
        return found

    def of_group(self, name: Name) -> list[Entry] | None:
        """Return the dependencies of a group and of those it includes, None where there is no group of that name."""
        return self._group(name, ()) if self.present else None

    def names(self) -> list[str]:
        """Return the names of groups and extras, for hints."""
        if not self.present:
            return []
        tables = [self._document.get(keys) for keys in (_GROUPS, _EXTRAS)]
        return [name for table in tables if isinstance(table, dict) for name in table]

    def _group(self, name: Name, above: tuple[Name, ...]) -> list[Entry] | None:
        document = self._document
        keys = find_key(document, _GROUPS, name)
        old = self._dependencies(_OLD_DEV, "dev") if name == "dev" and document.get(_OLD_DEV) is not None else None
        if keys is None:
            return old
        found = self._dependencies((*keys, "dependencies"), name)
        for item, text in document.texts((*keys, "include-groups")):
            included = normalise(text)
            if included in (*above, name):
                document.complain(
                    "group-cycle",
                    f"includes {text}, which includes this group in turn",
                    item,
                    why=" includes ".join([*above, name, included]),
                    hint="remove one of these includes",
                )
            elif (entries := self._group(included, (*above, name))) is None:
                document.complain(
                    "unknown-group",
                    f"includes {quoted(text)}, which is no group",
                    item,
                    hint=nearest(text, document.table(_GROUPS) or ()),
                )
            else:
                found += entries
        return list(dict.fromkeys([*found, *(old or ())]))

    def _python_key(self) -> str:
        names = self._document.get(_MAIN)
        return next((name for name in names if name.lower() == "python"), "python") if isinstance(names, dict) else ""

    def _dependencies(self, keys: KeyPath, group: str) -> list[Entry]:
        found: list[Entry] = []
        for name in self._document.table(keys) or ():
            if name.lower() == "python":
                continue
            path: KeyPath = (*keys, name)
            value = self._document.get(path)
            places: list[KeyPath] = [(*path, at) for at in range(len(value))] if isinstance(value, list) else [path]
            for place in places:
                try:
                    entry = self._dependency(name, place, group)
                except InputError as error:
                    self._document.blame(error, place)
                    continue
                if entry is not None:
                    found.append(entry)
        return found

    def _dependency(self, name: str, keys: KeyPath, group: str) -> Entry | None:
        """Read one dependency; raises InputError (``bad-constraint``, ``bad-requirement`` …) for its values."""
        document = self._document
        if isinstance(text := document.get(keys), str):
            return Entry(compose(name, specifier=self._specifier(name, keys, text)), keys, group)
        if document.table(keys) is None:
            return None
        document.unknown_keys(keys, _KEYS)
        place = self._place(keys)
        version = document.text((*keys, "version"))
        if version is None and place is None:
            document.complain(
                "missing-key", "has neither version nor place", keys, hint='write version = "*" for any version'
            )
            return None
        if document.text((*keys, "source")) is not None:
            document.note(
                "index-not-followed",
                f"names the source {quoted(str(document.get((*keys, 'source'))))}, which is not followed",
                keys,
                why="where a package comes from is the choice of each target",
                hint="add the index to pip's configuration where the project needs builds that only it has",
            )
        requirement = compose(
            name,
            extras=[extra for _, extra in document.texts((*keys, "extras"))],
            specifier=self._specifier(name, keys, version or "*") if place is None else "",
            url=place.address if place is not None else "",
            markers=self._markers(keys),
            prereleases=any(document.flag((*keys, key)) for key in ("allow-prereleases", "allows-prereleases")),
        )
        portable = place.portable if place is not None else ""
        return Entry(requirement, keys, group, portable, optional=document.flag((*keys, "optional")))

    def _specifier(self, name: str, keys: KeyPath, text: str) -> str:
        cleaned, dropped = drop_site_local(text)
        for version in dropped:
            message, hint = local_part_remark(version)
            self._document.note("site-local-dropped", message, keys, hint=hint)
        return poetry_specifier(cleaned)

    def _markers(self, keys: KeyPath) -> list[str]:
        found: list[str] = []
        if (python := self._document.text((*keys, "python"))) is not None:
            found.append(python_marker(python))
        if (platform := self._document.text((*keys, "platform"))) is not None:
            found.append(platform_marker(platform))
        if (marker := self._document.text((*keys, "markers"))) is not None:
            try:
                found.append(str(Marker(marker)))
            except (InvalidMarker, RecursionError) as error:
                raise InputError.of(
                    "bad-requirement",
                    f"{quoted(marker)} is not a marker",
                    why=(str(error).splitlines() or [""])[0],
                    hint="write for example \"sys_platform == 'linux'\"",
                ) from error
        return found

    def _place(self, keys: KeyPath) -> Place | None:
        def text(key: str) -> str:
            return self._document.text((*keys, key)) or ""

        given = [(key, word) for key in _PLACES if (word := text(key))]
        if not given:
            return None
        if len(given) > 1:
            raise InputError.of(
                "bad-source", f"{' and '.join(key for key, _ in given)} exclude one another", hint="keep one of them"
            )
        key, word = given[0]
        if key == "git":
            return git_address(word, (text("rev"), text("tag"), text("branch")), text("subdirectory"))
        if key in ("path", "file"):
            return path_address(self._root, word)
        check_address(word)
        address = f"{word}#subdirectory={text('subdirectory')}" if text("subdirectory") else word
        return Place(address, address)


def enrich(document: Document, entries: list[Entry], tables: list[Entry]) -> list[Entry]:
    """Add what Poetry's tables say to the requirements of the standard ones, package by package.

    Both must hold: the specifiers and the markers of both count, an address is taken from either (and what the other
    asks for stays a requirement of its own). Where the standard table is empty, Poetry's stands alone.
    """
    if not entries or not tables:
        return entries or tables
    by_name: dict[Name, list[Entry]] = {}
    for entry in tables:
        by_name.setdefault(normalise(entry.requirement.name), []).append(entry)
    found: list[Entry] = []
    for entry in entries:
        additions = by_name.get(normalise(entry.requirement.name), [])
        for addition in additions:
            found.append(joined := _joined(document, entry, addition))
            if joined.requirement.url is not None:
                found += [one for one in (entry, addition) if one.requirement.specifier]
        if not additions:
            found.append(entry)
    return found


def _joined(document: Document, entry: Entry, addition: Entry) -> Entry:
    ours, theirs = entry.requirement, addition.requirement
    if ours.url is not None and theirs.url is not None and ours.url != theirs.url:
        document.complain(
            "bad-source",
            f"names another address for {ours.name} than the project's requirement does",
            addition.keys,
            hint="keep one of the two",
        )
        return entry
    url = ours.url or theirs.url or ""
    if not (url or ours.marker or theirs.marker) and exclude_one_another(ours.specifier, theirs.specifier):
        document.complain(
            "tables-disagree",
            f"asks for {ours.name}{theirs.specifier}, and {show_keys(entry.keys)} for {ours.name}{ours.specifier}",
            addition.keys,
            why="next to [project], Poetry's table adds to what is listed there: no version satisfies both",
            hint="say the version in one of the two only",
        )
        return entry
    requirement = compose(
        ours.name,
        extras=ours.extras,
        specifier="" if url else str(ours.specifier & theirs.specifier),
        url=url,
        markers=(str(ours.marker or ""), str(theirs.marker or "")),
        prereleases=bool(theirs.specifier.prereleases),
    )
    return replace(entry, requirement=requirement, portable=addition.portable or entry.portable)
