"""Reading a project: from pyproject.toml to a `Project`, whichever way its dependencies are written."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from tumpline.project.disjoint import exclude_one_another
from tumpline.project.document import Document, nearest, quoted
from tumpline.project.dynamic import dynamic_dependencies, dynamic_extra, is_dynamic
from tumpline.project.entries import Entry
from tumpline.project.groups import DEPENDENCIES, EXTRAS, GROUPS, ProjectExtras, expand_self, listed, read_group
from tumpline.project.lines import KeyPath, show_keys
from tumpline.project.model import Declared, Project, Settings
from tumpline.project.poetry_tables import PoetryTables, enrich
from tumpline.project.settings import read_settings
from tumpline.project.sources import apply_sources
from tumpline.project.spelling import canonical
from tumpline.values import Name, normalise

__all__ = ["read_project"]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_BARE_PYTHON = re.compile(r"\d+(?:\.\d+)+")
_LONGEST_SPECIFIER = 1_000
_DIGEST_FORM = 1
"""To be raised when the same project is to be locked anew, because what a resolution depends on has changed."""


def read_project(root: Path, content: bytes | None = None) -> Project:
    """Read ``root/pyproject.toml``, or `content` in its place.

    The requirements are the main ones, then those of `Settings.groups`, of the `pypi_group` if there is one, and of the
    groups of single targets; groups that nobody asked for are not looked at. Remarks are in `Project.notes`.
    Requirements files are read only where setuptools' dynamic dependencies name them. Raises InputError with every
    problem found, each with file, line and key path.
    """
    path = root / "pyproject.toml"
    document = Document.load(path) if content is None else Document(path, content.decode("utf-8-sig"))
    return _Reading(document, root).project()


class _Reading:
    def __init__(self, document: Document, root: Path) -> None:
        self._document = document
        self._root = root
        self._standard = document.table(("project",)) is not None
        self._poetry = PoetryTables(document, root)
        self._extras = ProjectExtras(document)

    def project(self) -> Project:
        document = self._document
        settings = read_settings(document)
        name, version = self._name(), self._version()
        requires_python = self._requires_python()
        entries = self._main()
        for wanted, targets in _wanted_groups(settings).items():
            entries += [replace(entry, targets=targets) for entry in self._group(wanted, settings) or ()]
        self._note_disagreement()
        self._note_repeated(entries)
        entries = expand_self(document, name, entries, self._extras)
        entries = apply_sources(document, self._root, entries)
        self._note_unread()
        document.finish()
        return Project(
            root=self._root,
            name=name,
            version=version,
            requires_python=requires_python,
            requirements=tuple(
                Declared(entry.requirement, entry.origin or show_keys(entry.keys), entry.group, entry.targets)
                for entry in entries
            ),
            settings=settings,
            buildable=self._buildable(),
            inputs=_digest(entries, requires_python, settings),
            notes=document.notes,
        )

    def _name(self) -> Name | None:
        keys: KeyPath = ("project", "name") if self._standard else ("tool", "poetry", "name")
        if not self._standard and not self._poetry.present:
            return None
        name = self._document.text(keys)
        if name is None:
            if self._standard and self._document.get(keys) is None:
                self._document.complain("missing-key", "has no name", ("project",), hint='write name = "my-project"')
            return None
        if not _NAME.fullmatch(name):
            self._document.complain(
                "bad-value",
                f"is {quoted(name)}, which is not the name of a project",
                keys,
                hint="use letters, digits, -, _ and . with a letter or digit at both ends",
            )
            return None
        return normalise(name)

    def _version(self) -> str:
        standard = self._document.text(("project", "version")) if self._standard else None
        return standard or (self._document.text(("tool", "poetry", "version")) if self._poetry.present else None) or ""

    def _requires_python(self) -> str:
        keys: KeyPath = ("project", "requires-python")
        text = self._document.text(keys) if self._standard else None
        try:
            if len(text or "") > _LONGEST_SPECIFIER:
                raise InvalidSpecifier
            standard = SpecifierSet(text or "")
        except InvalidSpecifier:
            slip = _BARE_PYTHON.fullmatch((text or "").strip())
            self._document.complain(
                "bad-requires-python",
                f"is {quoted(text or '')}, which is not a range of versions",
                keys,
                hint=f'write ">={slip[0]}" or "=={slip[0]}.*"' if slip else 'write for example ">=3.11,<3.14"',
            )
            standard = SpecifierSet()
        theirs = SpecifierSet(self._poetry.python())
        if exclude_one_another(standard, theirs):
            self._document.complain(
                "tables-disagree",
                f"is {quoted(text or '')}, and Poetry's table has python = {quoted(str(theirs))}",
                keys,
                why="both have to hold, and no Python satisfies both",
                hint="say in [project] which Pythons the project allows, and remove it from Poetry's table",
            )
        return str(standard & theirs)

    def _main(self) -> list[Entry]:
        poetry = self._poetry.main()
        standard = listed(self._document, DEPENDENCIES) if self._standard else []
        if not standard and not poetry and is_dynamic(self._document, "dependencies"):
            return dynamic_dependencies(self._document, self._root)
        if not standard:
            return [entry for entry in poetry if not entry.optional]
        self._note_poetry_only(standard, poetry)
        return enrich(self._document, standard, poetry)

    def _group(self, name: Name, settings: Settings) -> list[Entry] | None:
        """Return what a name stands for: group, extra, or both where both have it; complains ``unknown-group``."""
        document, poetry = self._document, self._poetry
        group, theirs = read_group(document, name), poetry.of_group(name)
        found = enrich(document, group, theirs or []) if group is not None else theirs
        extra = self._extras.named(name) if self._standard else None
        if extra is not None:
            extra = enrich(document, extra, poetry.main()) if extra else []
        elif not self._standard or document.get(EXTRAS) is None:
            extra = poetry.of_extra(name)
        if extra is None and found is None and is_dynamic(document, "optional-dependencies"):
            extra = dynamic_extra(document, self._root, name, asked=self._named(name, settings) is not None)
        if found is None and extra is None:
            self._unknown_group(name, settings)
            return None
        return [*(found or ()), *(extra or ())]

    def _named(self, name: Name, settings: Settings) -> KeyPath | None:
        """Return where a group is named among those that are locked, None for one that is only looked for."""
        table: KeyPath = ("tool", "tumpline")
        for keys in (table, *((*table, "targets", target.name) for target in settings.targets)):
            named = self._document.get((*keys, "groups"))
            for position, one in enumerate(named if isinstance(named, list) else ()):
                if isinstance(one, str) and normalise(one) == name:
                    return (*keys, "groups", position)
        return None

    def _unknown_group(self, name: Name, settings: Settings) -> None:
        keys = self._named(name, settings)
        if keys is None:
            return  # The group for packages of the index is optional.
        known = [key for table in (GROUPS, EXTRAS) for key in self._document.table(table) or ()]
        known += self._poetry.names()
        self._document.complain(
            "unknown-group",
            f"is {quoted(name)}, and there is no such group or extra",
            keys,
            hint=nearest(name, known) or f"add a group {name} to [dependency-groups], or remove the name",
        )

    def _note_poetry_only(self, standard: list[Entry], poetry: list[Entry]) -> None:
        """Remark on what stands in Poetry's table alone: with ``[project]``, Poetry 2 does not install it either."""
        names = {normalise(entry.requirement.name) for entry in standard}
        for extra in self._document.table(EXTRAS) or ():
            for item in self._document.items((*EXTRAS, extra)):
                if isinstance(item, str) and (place := _REQUIREMENT_NAME.match(item)) is not None:
                    names.add(normalise(place[1]))
        for entry in poetry:
            if normalise(entry.requirement.name) not in names:
                self._document.note(
                    "dependency-left-out",
                    "is left out, because project.dependencies does not have it",
                    entry.keys,
                    why="next to [project], Poetry's table only adds to what is listed there",
                    hint="add it to project.dependencies",
                )

    def _note_disagreement(self) -> None:
        """Remark on what Poetry's table says otherwise than ``[project]`` of the project itself."""
        for key in ("name", "version") if self._standard else ():
            ours, theirs = self._document.get(("project", key)), self._document.get(("tool", "poetry", key))
            same = normalise(ours) == normalise(theirs) if isinstance(ours, str) and isinstance(theirs, str) else True
            if not same:
                self._document.note(
                    "tables-disagree",
                    f"is {quoted(str(theirs))}, and project.{key} is {quoted(str(ours))}",
                    ("tool", "poetry", key),
                    why="next to [project], what that says counts",
                    hint="remove it from Poetry's table",
                )

    def _note_repeated(self, entries: list[Entry]) -> None:
        """Remark on what one list asks for twice, perhaps in other spellings: both hold, as for pip."""
        first: dict[tuple[KeyPath, Name, str], KeyPath] = {}
        for entry in entries:
            requirement = entry.requirement
            key = (entry.keys[:-1], normalise(requirement.name), str(requirement.marker or ""))
            keys = first.setdefault(key, entry.keys)
            if keys != entry.keys and isinstance(entry.keys[-1], int) and entry.keys[:1] != ("tool",):
                self._document.note(
                    "asked-twice",
                    f"asks for {requirement.name}, as {show_keys(keys)} does",
                    entry.keys,
                    why="both have to hold",
                    hint="make one line of the two",
                )

    def _note_unread(self) -> None:
        document = self._document
        if not self._standard and not self._poetry.present:
            for file in ("setup.py", "setup.cfg"):
                if (self._root / file).is_file():
                    document.note(
                        "dependencies-not-read",
                        f"is absent, and what {file} requires is not read",
                        ("project",),
                        hint="list the dependencies in a [project] table",
                    )
        for key, ours in (("constraint-dependencies", "constraints"), ("override-dependencies", "overrides")):
            if document.get(("tool", "uv", key)) and not document.get(("tool", "tumpline", ours)):
                document.note(
                    "option-not-used",
                    "is not followed",
                    ("tool", "uv", key),
                    hint=f"write {ours} under [tool.tumpline], with the same requirements",
                )

    def _buildable(self) -> bool:
        if self._poetry.present and not self._poetry.is_package:
            return False
        if self._document.get(("tool", "uv", "package")) is False:
            return False
        return self._document.table(("build-system",)) is not None or self._poetry.present


def _wanted_groups(settings: Settings) -> dict[Name, tuple[str, ...]]:
    """Return the groups that are looked for, each with the names of the targets that it is for; none for all."""
    found: dict[Name, tuple[str, ...]] = dict.fromkeys((*settings.groups, normalise(settings.pypi_group)), ())
    for target in settings.targets:
        for group in target.groups:
            if group not in found or found[group]:
                found[group] = (*found.get(group, ()), target.name)
    return {group: () if len(names) == len(settings.targets) else names for group, names in found.items()}


def _digest(entries: list[Entry], requires_python: str, settings: Settings) -> str:
    """Return the sha256 of all that a resolution depends on.

    But not of `Settings.resolution` and `Settings.exclude_newer`, which a command can replace: a lock states them.
    Order (but that of targets), spelling, comments and the place of the checkout do not change it.
    """
    rows: set[tuple[str, ...]] = {(one.group, one.canonical, *sorted(one.targets)) for one in entries}
    content: dict[str, object] = {
        "form": _DIGEST_FORM,
        "requirements": sorted(rows),
        "requires-python": requires_python,
        "policy": settings.policy,
        "groups": sorted(settings.groups),
        "pypi-group": settings.pypi_group,
        "packages": sorted((name, rule.policy, rule.build) for name, rule in settings.packages.items()),
        "targets": [
            (one.name, one.site, one.python, one.environment, one.cpu_level, one.modules, one.policy)
            for one in settings.targets
        ],
    }
    # Only where it is set, so that locks made before there was such a key are not out of date.
    if settings.parity != Settings().parity:
        content["parity"] = settings.parity
    for key, steering in (("constraints", settings.constraints), ("overrides", settings.overrides)):
        if steering:
            content[key] = sorted({canonical(declared.requirement) for declared in steering})
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
