"""The ``[tool.tumpline]`` table: targets, policies, groups (documented in docs/reference/project.md)."""

from __future__ import annotations

import re
from typing import TypeVar, get_args

from tumpline.errors import InputError
from tumpline.project.document import Document, nearest, quoted
from tumpline.project.groups import listed
from tumpline.project.job import read_job
from tumpline.project.lines import KeyPath, show_keys
from tumpline.project.model import Declared, PackageRule, Parity, Policy, Settings, TargetRequest, VersionOrder
from tumpline.project.moments import parse_cutoff
from tumpline.values import Name, normalise

__all__ = ["KEYS", "PACKAGE_KEYS", "TARGET_KEYS", "is_group_name", "read_settings"]

_Word = TypeVar("_Word", bound=str)

_ROOT: KeyPath = ("tool", "tumpline")
KEYS = (
    "policy",
    "parity",
    "groups",
    "pypi-group",
    "constraints",
    "overrides",
    "resolution",
    "exclude-newer",
    "job",
    "targets",
    "packages",
)
TARGET_KEYS = ("site", "python", "stdenv", "cpu-level", "modules", "groups", "policy")
PACKAGE_KEYS = ("source", "build")

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_TARGET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_PYTHON = re.compile(r"\d+\.\d+(?:\.\d+)?")
_MODULE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._+-]*)/([A-Za-z0-9][A-Za-z0-9._+-]*)")

_OWN_KEYS = {"stdenv": "stdenv", "python": "python"}
"""Modules that a target names with a key of its own -> that key."""


def read_settings(document: Document) -> Settings:
    """Read the table; what is wrong is collected in the document (see `Document.finish`), with its key path.

    Without the table, or without targets, the defaults hold and `Settings.targets` is empty.
    """
    if document.table(("tool",)) is None or document.table(_ROOT) is None:
        return Settings()
    document.unknown_keys(_ROOT, KEYS)
    default = Settings()
    return Settings(
        policy=_policy(document, (*_ROOT, "policy")) or default.policy,
        parity=_parity(document, (*_ROOT, "parity")) or default.parity,
        groups=_groups(document, (*_ROOT, "groups")),
        pypi_group=_group(document, (*_ROOT, "pypi-group")) or default.pypi_group,
        job=read_job(document, (*_ROOT, "job")),
        targets=_targets(document),
        packages=_packages(document),
        constraints=_steering(document, (*_ROOT, "constraints")),
        overrides=_steering(document, (*_ROOT, "overrides")),
        resolution=_order(document, (*_ROOT, "resolution")) or default.resolution,
        exclude_newer=_cutoff(document, (*_ROOT, "exclude-newer")),
    )


def is_group_name(text: str) -> bool:
    """Say whether a group or an extra can have that name."""
    return _NAME.fullmatch(text) is not None


def _policy(document: Document, keys: KeyPath) -> Policy | None:
    choices: tuple[Policy, ...] = get_args(Policy)
    return _one_of(document, keys, choices, "unknown-policy", "which is no policy")


def _parity(document: Document, keys: KeyPath) -> Parity | None:
    choices: tuple[Parity, ...] = get_args(Parity)
    return _one_of(document, keys, choices, "bad-value", "which says nothing about parity")


def _order(document: Document, keys: KeyPath) -> VersionOrder | None:
    choices: tuple[VersionOrder, ...] = get_args(VersionOrder)
    return _one_of(document, keys, choices, "bad-value", "which is no order of versions")


def _cutoff(document: Document, keys: KeyPath) -> str:
    text = document.text(keys, hint='write the date in quotes, as in "2026-01-31"')
    try:
        return parse_cutoff(text) if text is not None else ""
    except InputError as error:
        document.blame(error, keys)
        return ""


def _steering(document: Document, keys: KeyPath) -> tuple[Declared, ...]:
    """Read constraints or overrides: requirements by name, with markers; constraints have no extras, as for pip."""
    found = []
    for entry in listed(document, keys):
        if entry.requirement.url is not None:
            document.complain(
                "bad-value",
                "names an address",
                entry.keys,
                why="only versions can be limited or replaced here",
                hint=f"ask for {entry.requirement.name} by its address in the project's dependencies",
            )
        elif entry.requirement.extras and keys[-1] == "constraints":
            document.complain(
                "bad-value",
                "has extras",
                entry.keys,
                why="a constraint limits versions and asks for nothing",
                hint="remove what stands in brackets",
            )
        else:
            found.append(Declared(entry.requirement, show_keys(entry.keys)))
    return tuple(found)


def _one_of(document: Document, keys: KeyPath, choices: tuple[_Word, ...], code: str, complaint: str) -> _Word | None:
    word = document.text(keys, hint=f"choose one of: {', '.join(choices)}")
    if word is None:
        return None
    found = next((choice for choice in choices if choice == word), None)
    if found is None:
        document.complain(code, f"is {quoted(word)}, {complaint}", keys, hint=nearest(word, choices))
    return found


def _group(document: Document, keys: KeyPath) -> str | None:
    return _matching(document, keys, _NAME, "the name of a group", 'write for example "dev"')


def _groups(document: Document, keys: KeyPath) -> tuple[Name, ...]:
    names = [_group(document, (*keys, position)) for position in range(len(document.items(keys)))]
    return tuple(dict.fromkeys(normalise(name) for name in names if name is not None))


def _matching(document: Document, keys: KeyPath, pattern: re.Pattern[str], what: str, hint: str) -> str | None:
    text = document.text(keys, hint=hint)
    if text is None or pattern.fullmatch(text):
        return text
    document.complain("bad-value", f"is {quoted(text)}, which is not {what}", keys, hint=hint)
    return None


def _targets(document: Document) -> tuple[TargetRequest, ...]:
    keys: KeyPath = (*_ROOT, "targets")
    table = document.table(keys)
    found = []
    for name in table or ():
        if not _TARGET_NAME.fullmatch(name):
            document.complain(
                "bad-value",
                "is not a name for a target",
                (*keys, name),
                why="the name becomes part of file names such as pylock.NAME.toml (PEP 751)",
                hint="use letters, digits, - and _",
            )
        elif (target := _target(document, (*keys, name), name)) is not None:
            found.append(target)
    return tuple(found)


def _target(document: Document, keys: KeyPath, name: str) -> TargetRequest | None:
    table = document.table(keys)
    if table is None:
        return None
    document.unknown_keys(keys, TARGET_KEYS)
    if "site" not in table:
        document.complain(
            "missing-key", "has no site", keys, hint='write site = "narval", site = "linux" or site = "here"'
        )
    site = _matching(document, (*keys, "site"), _WORD, "the name of a site", 'write for example "narval" or "here"')
    stdenv = _matching(
        document, (*keys, "stdenv"), _WORD, "a software environment", 'write its year in quotes, such as "2023"'
    )
    level = _matching(document, (*keys, "cpu-level"), _WORD, "a CPU level", 'write for example "x86-64-v3"')
    return TargetRequest(
        name=name,
        site=site or "",
        python=_python(document, (*keys, "python")),
        environment=stdenv or "",
        cpu_level=level or "",
        modules=_modules(document, (*keys, "modules")),
        policy=_policy(document, (*keys, "policy")),
        groups=_groups(document, (*keys, "groups")),
    )


def _python(document: Document, keys: KeyPath) -> str:
    value = document.get(keys)
    if isinstance(value, float):
        document.complain(
            "wrong-type",
            f"is the number {value}, not a string",
            keys,
            why="without quotes, TOML reads 3.10 as the number 3.1",
            hint=f'put the version in quotes, as in python = "{value}"' if value != 3.1 else 'write python = "3.10"',
        )
        return ""
    return _matching(document, keys, _PYTHON, "a version of Python", 'write "3.11", or exactly "3.11.5"') or ""


def _modules(document: Document, keys: KeyPath) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for item, text in document.texts(keys):
        place = _MODULE.fullmatch(text)
        if place is None:
            document.complain(
                "bad-value",
                f"is {quoted(text)}, which is not a module with its version",
                item,
                why="the version of a module decides which packages it brings",
                hint='write NAME/VERSION, as in "arrow/17.0.0"',
            )
            continue
        name = place[1].lower()
        if name in _OWN_KEYS:
            document.complain(
                "bad-value",
                f"is {quoted(text)}, which the key {_OWN_KEYS[name]} is for",
                item,
                hint=f'remove it, and write {_OWN_KEYS[name]} = "{place[2]}"',
            )
        elif found.setdefault(name, text) != text:
            document.complain(
                "bad-value",
                f"is {text}, but {found[name]} is listed as well",
                item,
                why="only one version of a module can be loaded at a time",
                hint="keep one of them",
            )
    return tuple(found.values())


def _packages(document: Document) -> dict[Name, PackageRule]:
    keys: KeyPath = (*_ROOT, "packages")
    rules: dict[Name, PackageRule] = {}
    for spelled in document.table(keys) or ():
        path: KeyPath = (*keys, spelled)
        if not _NAME.fullmatch(spelled):
            document.complain("bad-value", "is not the name of a package", path, hint="correct the name")
            continue
        name = normalise(spelled)
        if name in rules:
            document.complain("bad-value", f"is there twice: both spellings mean {name}", path, hint="keep one of them")
            continue
        if document.table(path) is None:
            continue
        document.unknown_keys(path, PACKAGE_KEYS)
        rules[name] = PackageRule(_policy(document, (*path, "source")), document.flag((*path, "build")))
    return rules
