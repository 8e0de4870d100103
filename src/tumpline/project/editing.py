"""Editing pyproject.toml: what a person wrote - comments, order, layout - stays as it is."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tumpline.errors import InputError

__all__ = ["set_modules"]

_BYTE_ORDER_MARK = "\ufeff"


def set_modules(content: bytes, modules: Mapping[str, Sequence[str]], where: str) -> bytes:
    """Return the file's content with these modules for these targets, by name; other targets stay as they are.

    A target that has no table gets one, for the machine at hand. Line ends and a byte order mark are kept. `where` is
    the file, in errors. Raises InputError ``cannot-edit`` where the edited file would say anything else than before
    besides: it is then not touched.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = content.decode("utf-8")
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    windows = "\r\n" in text and text.count("\r\n") == text.count("\n")
    plain = text.replace("\r\n", "\n") if windows else text
    wanted = _expected(tomllib.loads(plain), modules)
    try:
        document = tomlkit.parse(plain)
        for target, names in modules.items():
            _set(document, target, names)
        edited = tomlkit.dumps(document)
        same = tomllib.loads(edited) == wanted
    except (TOMLKitError, ValueError, KeyError, TypeError, AttributeError):
        # tomlkit does not edit everything that it reads (tables that are written in several places).
        same, edited = False, ""
    if not same:
        lines = "; ".join(f"for {target}: modules = {_listed(names)}" for target, names in modules.items())
        raise InputError.of(
            "cannot-edit",
            "the modules can not be added to the file as it is written",
            where=where,
            why="the edited file would not say the same otherwise",
            hint=f"add them by hand, {lines}",
        )
    return (mark + (edited.replace("\n", "\r\n") if windows else edited)).encode()


def _set(document: Any, target: str, names: Sequence[str]) -> None:
    import tomlkit

    table = document
    for key in ("tool", "tumpline", "targets", target):
        if key not in table:
            table[key] = tomlkit.table(is_super_table=key != target)
            if key == target:
                table[key]["site"] = "here"
        table = table[key]
    if "modules" not in table:
        table["modules"] = [*names]
        return
    array = table["modules"]
    for position, name in enumerate(names):
        if position >= len(array):
            array.append(name)
        elif array[position] != name:
            array[position] = name


def _expected(data: dict[str, Any], modules: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    targets = data.setdefault("tool", {}).setdefault("tumpline", {}).setdefault("targets", {})
    for target, names in modules.items():
        targets.setdefault(target, {"site": "here"})["modules"] = [*names]
    return data


def _listed(names: Sequence[str]) -> str:
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"[{quoted}]"
