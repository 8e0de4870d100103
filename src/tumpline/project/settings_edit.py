"""Changing what pyproject.toml says of the project and of ``[tool.tumpline]``; all else stays byte for byte."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from packaging.requirements import Requirement

from tumpline.errors import InputError
from tumpline.project.lines import KeyPath, show_keys
from tumpline.project.model import Settings
from tumpline.project.splices import Splices, literal
from tumpline.project.tilde import requirement_text
from tumpline.values import Name, normalise

__all__ = ["POETRY", "SettingsEdit", "rest_of", "value_at"]

POETRY: KeyPath = ("tool", "poetry")

_BYTE_ORDER_MARK = "\ufeff"
_ROOT: KeyPath = ("tool", "tumpline")
_TARGETS: KeyPath = (*_ROOT, "targets")


class SettingsEdit:
    """A pyproject.toml that is changed in memory; what else is written there stays byte for byte.

    `content` is the file's; `where` names it in errors. Line ends and a byte order mark are kept. Every change is read
    back: where it would say anything else than what is meant, InputError ``cannot-edit`` is raised and nothing changes.
    """

    def __init__(self, content: bytes, where: str) -> None:
        text = content.decode("utf-8")
        self._mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
        text = text.removeprefix(_BYTE_ORDER_MARK)
        self._windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
        self._text = text.replace("\r\n", "\n") if self._windows else text
        self._data = tomllib.loads(self._text)
        self._where = where

    @property
    def content(self) -> bytes:
        """The file's content, with the changes."""
        text = self._text.replace("\n", "\r\n") if self._windows else self._text
        return (self._mark + text).encode()

    @property
    def has_project(self) -> bool:
        """Whether the file says what the project is: a ``[project]`` or Poetry's table."""
        return self._get(("project",)) is not None or self._get(POETRY) is not None

    def set_source(self, name: Name, source: str) -> None:
        """Set the policy of one package; raises InputError ``cannot-edit``."""
        keys: KeyPath = (*_ROOT, "packages", name)
        splices = Splices(self._text)
        table = next((key for key in self._table(keys[:-1]) if normalise(key) == name), name)
        try:
            if splices.has((*keys[:-1], table, "source")):
                splices.replace((*keys[:-1], table, "source"), literal(source))
            else:
                splices.add_pair(keys, f"{{ source = {literal(source)} }}")
        except KeyError as error:
            raise self._refused(keys, f'write {name} = {{ source = "{source}" }} there by hand') from error
        self._accept_setting(splices.text, (*_ROOT, "packages"), f'write source = "{source}" by hand')

    def set_policy(self, policy: str) -> None:
        """Set the project's policy; raises InputError ``cannot-edit``."""
        keys: KeyPath = (*_ROOT, "policy")
        splices = Splices(self._text)
        try:
            if splices.has(keys):
                splices.replace(keys, literal(policy))
            else:
                splices.add_pair(keys, literal(policy))
        except KeyError as error:
            raise self._refused(keys, f'write policy = "{policy}" by hand') from error
        self._accept_setting(splices.text, keys, f'write policy = "{policy}" by hand')

    def add_project(self, name: str, requires_python: str) -> None:
        """Add a ``[project]`` table to a file that has none; raises InputError ``cannot-edit``."""
        keys: KeyPath = ("project",)
        block = (
            f'[project]\nname = {literal(name)}\nversion = "0.1.0"\n'
            f"requires-python = {literal(requires_python)}\ndependencies = []"
        )
        self._add_block(keys, block)

    def add_target(self, name: str, site: str, python: str) -> None:
        """Add a target; raises InputError ``cannot-edit``."""
        keys: KeyPath = (*_TARGETS, name)
        block = f"[tool.tumpline.targets.{name}]\nsite = {literal(site)}"
        self._add_block(keys, f"{block}\npython = {literal(python)}" if python else block)

    def _add_block(self, keys: KeyPath, block: str) -> None:
        splices = Splices(self._text)
        splices.add_block(block)
        text = splices.text if splices.text.endswith("\n") else f"{splices.text}\n"
        self._accept_setting(text, keys, f"add by hand: {block}")

    def lock_group(self, group: str, targets: Sequence[str] = ()) -> None:
        """Name a group among those that are locked: for these targets, else for all unless it is named for some.

        Raises InputError ``cannot-edit``, ``group-of-others`` where it is to be for these targets only, and is locked
        for others as well.
        """
        named = {keys[:-2] for keys in self._naming(group)}
        wanted: set[KeyPath] = {(*_TARGETS, target) for target in targets}
        if targets and (others := named - wanted or ({_ROOT} if self._is_pypi_group(group) else ())):
            places = ["all targets" if table == _ROOT else str(table[-1]) for table in sorted(others)]
            raise InputError.of(
                "group-of-others",
                f"the group {group} is locked for {', '.join(places)}, too",
                where=self._where,
                hint="name another one with --group",
            )
        tables = [(*_TARGETS, target) for target in targets] or ([] if named else [_ROOT])
        for table in tables:
            if table not in named:
                self._append_setting((*table, "groups"), group)

    def _unlock_group(self, group: str) -> None:
        for place in reversed(list(self._naming(group))):
            keys, position = place[:-1], place[-1]
            splices = Splices(self._text)
            hint = f"remove {group} there by hand"
            try:
                splices.remove_item(keys, int(position))
            except KeyError as error:
                raise self._refused(keys, hint) from error
            self._accept_setting(splices.text, keys, hint)

    def _naming(self, group: str) -> Iterator[KeyPath]:
        """Yield where a group is named among those that are locked: for all targets, and for single ones."""
        for table in (_ROOT, *((*_TARGETS, name) for name in self._table(_TARGETS))):
            named = self._get((*table, "groups"))
            for position, one in enumerate(named if isinstance(named, list) else ()):
                if isinstance(one, str) and normalise(one) == normalise(group):
                    yield (*table, "groups", position)

    def _is_pypi_group(self, group: str) -> bool:
        """Say whether it is the group for packages of the index, which is locked for all targets if there is one."""
        named = self._get((*_ROOT, "pypi-group"))
        return normalise(group) == normalise(named if isinstance(named, str) else Settings().pypi_group)

    def add_constraint(self, requirement: Requirement) -> None:
        """Limit the versions of a package that something else asks for; raises InputError ``cannot-edit``."""
        self._append_setting((*_ROOT, "constraints"), requirement_text(requirement))

    def _append_setting(self, keys: KeyPath, item: str) -> None:
        splices = Splices(self._text)
        hint = f'add "{item}" to it by hand'
        try:
            if splices.has(keys):
                splices.append(keys, literal(item))
            else:
                splices.add_array(keys, literal(item))
        except KeyError as error:
            raise self._refused(keys, hint) from error
        self._accept_setting(splices.text, keys, hint)

    def _accept_setting(self, text: str, keys: KeyPath, hint: str) -> None:
        try:
            data = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise self._refused(keys, hint) from error
        if rest_of(self._data, keys) != rest_of(data, keys):
            raise self._refused(keys, hint)
        self._text, self._data = text, data

    def _refused(self, keys: KeyPath, hint: str) -> InputError:
        return InputError.of(
            "cannot-edit",
            f"{show_keys(keys)} can not be changed as it is written",
            where=self._where,
            why="the edited file would not say the same otherwise",
            hint=hint,
        )

    def _get(self, keys: KeyPath) -> Any:
        return value_at(self._data, keys)

    def _table(self, keys: KeyPath) -> dict[str, Any]:
        value = self._get(keys)
        return value if isinstance(value, dict) else {}


def value_at(data: Any, keys: KeyPath) -> Any:
    """Return the value at a key path, None where there is none."""
    for key in keys:
        inside = range(len(data)) if isinstance(data, list) else data if isinstance(data, dict) else ()
        if key not in inside:
            return None
        data = data[key]
    return data


def rest_of(data: dict[str, Any], keys: KeyPath) -> dict[str, Any]:
    """Return everything but a section, without the tables that only hold it."""
    rest = copy.deepcopy(data)
    for length in range(len(keys), 0, -1):
        parent, key = value_at(rest, keys[: length - 1]), keys[length - 1]
        if not isinstance(parent, dict) or key not in parent:
            continue
        # A Poetry group is made with the mark that it is optional.
        if length == len(keys) or parent[key] in ({}, {"optional": True}):
            del parent[key]
    return rest
