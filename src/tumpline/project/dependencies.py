"""Adding requirements to pyproject.toml and removing them: in whichever tables the project is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from packaging.requirements import Requirement

from tumpline.errors import InputError
from tumpline.project.lines import KeyLines, KeyPath, show_keys
from tumpline.project.settings_edit import POETRY, SettingsEdit, rest_of, value_at
from tumpline.project.splices import Splices, literal
from tumpline.project.tilde import poetry_value, requirement_text
from tumpline.values import Name, normalise, parse_requirement

__all__ = ["DependencyEdit"]

_NAME = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_DEPENDENCIES: KeyPath = ("project", "dependencies")
_EXTRAS: KeyPath = ("project", "optional-dependencies")
_GROUPS: KeyPath = ("dependency-groups",)
_POETRY_MAIN: KeyPath = (*POETRY, "dependencies")


class DependencyEdit(SettingsEdit):
    """A pyproject.toml whose requirements are changed in memory, too."""

    def groups(self, name: Name) -> list[str]:
        """Return where a name is asked for: the names of groups and extras as written, the empty one for the main."""
        found = (group for group, keys in self._sections() if any(True for _ in self._found(keys, name)))
        return list(dict.fromkeys(found))

    def names(self) -> list[Name]:
        """Return all that is asked for, sorted."""
        found = {_key_of(item) for _, keys in self._sections() for item in _listed(self._data, keys)}
        return sorted(name for name in found if name is not None and name != "python")

    def written(self, name: Name, group: str) -> str:
        """Return what a group asks of a package as it is written there, or empty: of Poetry's tables the line."""
        keys = self._existing(group) if group else self._main()
        for place in self._found(keys, name) if keys is not None else ():
            start, stop = KeyLines(self._text).values[place]
            value = self._text[start:stop]
            return str(self._get(place)) if isinstance(place[-1], int) else f"{place[-1]} = {value}"
        return ""

    def add(self, requirement: Requirement, group: str = "") -> None:
        """Ask for a package in the main section or a group, which is made where there is none.

        What a group asks of the package already is replaced; its extras and marker stay unless others are given.
        Raises InputError ``cannot-edit``, ``asked-twice``.
        """
        name = normalise(requirement.name)
        keys = self._place(group)
        found = list(self._found(keys, name))
        if len(found) > 1:
            raise InputError.of(
                "asked-twice",
                f"{show_keys(keys)} asks for {name} more than once",
                where=f"{self._where}:{KeyLines(self._text).line(found[1])}",
                hint="edit the file by hand: it can not be known which of them is meant",
            )
        if found:
            requirement = self._completed(requirement, found[0])
        hint = f'write "{requirement_text(requirement)}" there by hand'
        with_poetry = _is_poetry(keys)
        value = poetry_value(requirement) if with_poetry else literal(requirement_text(requirement))
        splices = Splices(self._text)
        try:
            if found and with_poetry and isinstance(self._get(found[0]), dict):
                self._replace_version(splices, found[0], requirement)
            elif found:
                splices.replace(found[0], value)
            elif with_poetry:
                splices.add_pair((*keys, requirement.name), value)
            elif splices.has(keys):
                splices.append(keys, value)
            else:
                splices.add_array(keys, value)
        except KeyError as error:
            raise self._refused(keys, hint) from error
        self._accept(splices.text, keys, name, hint, requirement)

    def remove(self, name: Name, group: str) -> None:
        """Remove all that a group asks of a package, in the standard tables and Poetry's.

        Raises InputError ``cannot-edit``. A group that `add` made goes with its last package, and so does its name
        among those that are locked.
        """
        own = self._existing(group) if group else self._main()
        hint = f"remove {name} there by hand"
        for keys in (own, *self._same(own)) if own is not None else ():
            for place in reversed(list(self._found(keys, name))):
                splices = Splices(self._text)
                try:
                    if isinstance(position := place[-1], int):
                        splices.remove_item(keys, position, keep=self._is_included(keys))
                    else:
                        splices.remove_pair(place)
                except KeyError as error:
                    raise self._refused(keys, hint) from error
                self._accept(splices.text, keys, None, hint, None)
        if group and self._existing(group) is None:
            self._unlock_group(group)

    def _completed(self, requirement: Requirement, place: KeyPath) -> Requirement:
        """Return the requirement with extras and marker of the one that it replaces, where it states none."""
        value = self._get(place)
        if not isinstance(value, str) or _is_poetry(place[:-1]):
            return requirement
        before = parse_requirement(value)
        if (requirement.extras or not before.extras) and (requirement.marker or not before.marker):
            return requirement
        completed = Requirement(str(requirement))
        completed.extras = requirement.extras or set(before.extras)
        completed.marker = requirement.marker or before.marker
        return completed

    def _replace_version(self, splices: Splices, place: KeyPath, requirement: Requirement) -> None:
        if requirement.url or requirement.extras or requirement.marker:
            splices.replace(place, poetry_value(requirement))
        else:
            splices.replace((*place, "version"), poetry_value(requirement))

    def _sections(self) -> Iterator[tuple[str, KeyPath]]:
        """Yield all places with requirements: the group's name, empty for the main section, and the key path."""
        for keys in (_DEPENDENCIES, _POETRY_MAIN):
            if self._get(keys) is not None:
                yield "", keys
        for table in (_GROUPS, _EXTRAS):
            for group in self._table(table):
                yield group, (*table, group)
        for group in self._table((*POETRY, "group")):
            yield group, (*POETRY, "group", group, "dependencies")

    def _same(self, keys: KeyPath) -> Iterator[KeyPath]:
        """Yield the other sections that are read as the same one: Poetry's tables add to those of the standard."""
        name = next((group for group, each in self._sections() if each == keys), "")
        for group, each in self._sections():
            if each != keys and normalise(group) == normalise(name) and _is_poetry(each) != _is_poetry(keys):
                yield each

    def _existing(self, group: str) -> KeyPath | None:
        """Return the key path of a group or extra, however its name is spelled."""
        wanted = normalise(group)
        return next((keys for name, keys in self._sections() if name and normalise(name) == wanted), None)

    def _place(self, group: str) -> KeyPath:
        """Return the key path of the main section or a group, also where it is still to be made."""
        if not group:
            return self._main()
        if (keys := self._existing(group)) is not None:
            return keys
        poetry = self._get(POETRY) is not None
        return (*POETRY, "group", group, "dependencies") if poetry else (*_GROUPS, group)

    def _main(self) -> KeyPath:
        standard, dynamic = self._get(("project",)), self._get(("project", "dynamic"))
        if standard is not None and not (isinstance(dynamic, list) and "dependencies" in dynamic):
            return _DEPENDENCIES
        if self._get(POETRY) is not None:
            return _POETRY_MAIN
        raise InputError.of(
            "cannot-edit",
            "there is no [project] table" if standard is None else "the dependencies are not written in this file",
            where=self._where,
            why="" if standard is None else "project.dynamic says that the build backend finds them elsewhere",
            hint="make one with tumpline init" if standard is None else "edit the file that the build backend reads",
        )

    def _found(self, keys: KeyPath, name: Name) -> Iterator[KeyPath]:
        """Yield the key paths of what a section asks of a package."""
        value = self._get(keys)
        if isinstance(value, dict):
            for key in value:
                if normalise(key) == name and key.lower() != "python":
                    yield (*keys, key)
        for position, item in enumerate(value) if isinstance(value, list) else ():
            if isinstance(item, str) and _name_of(item) == name:
                yield (*keys, position)

    def _is_included(self, keys: KeyPath) -> bool:
        """Say whether another group includes a group, which then has to stay even if it is empty."""
        group = normalise(str(keys[-1]))
        names: list[Any] = []
        for items in self._table(_GROUPS).values():
            names += [item.get("include-group") for item in items if isinstance(item, dict)]
        return any(isinstance(name, str) and normalise(name) == group for name in names)

    def _accept(self, text: str, keys: KeyPath, name: Name | None, hint: str, added: Requirement | None) -> None:
        """Take over a text that says what is meant, and nothing else than before besides."""
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise self._refused(keys, hint) from error
        before, after = self._data, data
        others_before = [item for item in _listed(before, keys) if _key_of(item) != name or name is None]
        others_after = [item for item in _listed(after, keys) if _key_of(item) != name or name is None]
        count = len(_listed(after, keys)) - len(others_after)
        same = others_before == others_after if added is not None else len(others_after) == len(others_before) - 1
        if rest_of(before, keys) != rest_of(after, keys) or not same or (added is not None and count != 1):
            raise self._refused(keys, hint)
        self._text, self._data = text, data


def _listed(data: dict[str, Any], keys: KeyPath) -> list[Any]:
    """Return the items of an array, or the (key, value) pairs of a table; none where there is neither."""
    value = value_at(data, keys)
    return [*value.items()] if isinstance(value, dict) else [*value] if isinstance(value, list) else []


def _key_of(item: Any) -> Name | None:
    if isinstance(item, tuple):
        return normalise(item[0])
    return _name_of(item) if isinstance(item, str) else None


def _name_of(text: str) -> Name | None:
    place = _NAME.match(text)
    return normalise(place[1]) if place is not None else None


def _is_poetry(keys: KeyPath) -> bool:
    return keys[:2] == POETRY
