"""Options in requirements files (pip documentation, "Supported options")."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from typing import Literal

from tumpline.errors import InputError
from tumpline.project.document import nearest, quoted

__all__ = ["FileHashes", "LineOptions", "RequirementsOptions", "parse_options", "split_line"]

_OPTION = re.compile(r"(?:^|(?<=\s))-{1,2}[A-Za-z]")
_HASH = re.compile(r"(sha256|sha384|sha512):([0-9a-fA-F]+)")
_HASH_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "-C": "--config-settings",
}
_ALSO = {"--pypi-url": "--index-url", "--config-setting": "--config-settings"}
_WITH_VALUE = frozenset(
    {
        *("--requirement", "--constraint", "--editable", "--find-links", "--index-url", "--extra-index-url"),
        *("--no-binary", "--only-binary", "--trusted-host", "--use-feature", "--hash", "--config-settings"),
        *("--global-option", "--install-option"),
    }
)
_FLAGS = frozenset({"--no-index", "--prefer-binary", "--pre", "--require-hashes"})
_AFTER_REQUIREMENT = frozenset({"--hash", "--config-settings", "--global-option", "--install-option"})


@dataclass(frozen=True, slots=True)
class FileHashes:
    """The hashes (``sha256:…``) that the files of one requirement may have."""

    origin: str
    name: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequirementsOptions:
    """What the options of a file say of where packages come from; addresses and paths as written.

    `others` are options that pip takes and that mean nothing here (``--use-feature``).
    """

    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    prefer_binary: bool = False
    pre: bool = False
    require_hashes: bool = False
    trusted_hosts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    def joined(self, later: RequirementsOptions) -> RequirementsOptions:
        """Return both together; of two index addresses the later one holds, as in pip."""
        return RequirementsOptions(
            index_url=later.index_url or self.index_url,
            extra_index_urls=self.extra_index_urls + later.extra_index_urls,
            find_links=self.find_links + later.find_links,
            no_index=self.no_index or later.no_index,
            no_binary=self.no_binary + later.no_binary,
            only_binary=self.only_binary + later.only_binary,
            prefer_binary=self.prefer_binary or later.prefer_binary,
            pre=self.pre or later.pre,
            require_hashes=self.require_hashes or later.require_hashes,
            trusted_hosts=self.trusted_hosts + later.trusted_hosts,
            others=self.others + later.others,
        )


_NONE = RequirementsOptions()


@dataclass(frozen=True, slots=True)
class LineOptions:
    """The options of one line; `unused` are those for building, which are read and not followed."""

    file: RequirementsOptions = _NONE
    includes: tuple[tuple[Literal["requirement", "constraint"], str], ...] = ()
    editables: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def split_line(text: str) -> tuple[str, tuple[str, ...]]:
    """Split a line into its requirement (may be empty) and the words of its options.

    Raises InputError ``bad-option``.
    """
    place = _OPTION.search(text)
    if place is None:
        return text, ()
    try:
        return text[: place.start()].strip(), tuple(shlex.split(text[place.start() :]))
    except ValueError as error:
        raise InputError.of(
            "bad-option", f"{quoted(text)} has a quote that is not closed", hint="close or remove the quote"
        ) from error


def parse_options(words: tuple[str, ...], *, after: str = "") -> LineOptions:
    """Read the options of a line, where `after` is the requirement in front of them.

    Raises InputError ``unknown-option``, ``bad-option`` (no value, a malformed hash), ``option-after-requirement``.
    """
    found = LineOptions()
    rest = list(words)
    while rest:
        name, value = _next(rest, after)
        if after and name not in _AFTER_REQUIREMENT:
            raise InputError.of(
                "option-after-requirement",
                f"{name} stands after the requirement {quoted(after)}",
                why="pip takes this option on a line of its own only",
                hint=f"remove {name} from the line",
            )
        found = _added(found, name, value, alone=not after)
    return found


def _next(rest: list[str], after: str) -> tuple[str, str]:
    """Take one option with its value from the words."""
    word = rest.pop(0)
    name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
    if not word.startswith("--") and word[:2] in _SHORT:
        name, equals, value = word[:2], word[2:], word[2:].removeprefix("=")
    name = _SHORT.get(name, _ALSO.get(name, name))
    if name in _FLAGS and not equals:
        return name, ""
    if name not in _WITH_VALUE:
        if after and not word.startswith("-"):
            raise InputError.of(
                "bad-requirement",
                f"{quoted(word)} stands after an option",
                hint="give each requirement a line of its own",
            )
        raise InputError.of(
            "unknown-option",
            f"{quoted(word)} is not an option of requirements files",
            hint=f"remove it from the line; {nearest(name, _WITH_VALUE | _FLAGS)}",
        )
    if not equals:
        if not rest:
            raise InputError.of("bad-option", f"{name} has no value", hint=f"write {name} VALUE")
        value = rest.pop(0)
    return name, value


def _added(found: LineOptions, name: str, value: str, *, alone: bool) -> LineOptions:
    options = found.file
    match name:
        case "--requirement":
            return replace(found, includes=(*found.includes, ("requirement", value)))
        case "--constraint":
            return replace(found, includes=(*found.includes, ("constraint", value)))
        case "--editable":
            return replace(found, editables=(*found.editables, value))
        case "--hash":
            return replace(found, hashes=(*found.hashes, _hash(value, alone=alone)))
        case "--config-settings" | "--global-option" | "--install-option":
            return replace(found, unused=(*found.unused, name))
        case "--index-url":
            options = replace(options, index_url=value)
        case "--extra-index-url":
            options = replace(options, extra_index_urls=(*options.extra_index_urls, value))
        case "--find-links":
            options = replace(options, find_links=(*options.find_links, value))
        case "--no-binary":
            options = replace(options, no_binary=(*options.no_binary, *_listed(value)))
        case "--only-binary":
            options = replace(options, only_binary=(*options.only_binary, *_listed(value)))
        case "--trusted-host":
            options = replace(options, trusted_hosts=(*options.trusted_hosts, value))
        case "--no-index":
            options = replace(options, no_index=True)
        case "--prefer-binary":
            options = replace(options, prefer_binary=True)
        case "--pre":
            options = replace(options, pre=True)
        case "--require-hashes":
            options = replace(options, require_hashes=True)
        case _:
            options = replace(options, others=(*options.others, f"{name}={value}"))
    return replace(found, file=options)


def _listed(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _hash(value: str, *, alone: bool) -> str:
    place = _HASH.fullmatch(value)
    if alone or place is None or len(place[2]) != _HASH_DIGITS[place[1]]:
        raise InputError.of(
            "bad-option",
            f"{quoted(value)} is a hash without a requirement" if alone else f"{quoted(value)} is not a hash",
            why="" if alone else "a hash is sha256:, sha384: or sha512: with all its hexadecimal digits",
            hint="put --hash behind the requirement, on lines joined by \\" if alone else "copy the hash anew",
        )
    return value.lower()
