"""From the text of a requirement to a `Requirement`: the site's local part dropped (R1), the rest explained or refused.

The explanations are what people's files call for: conda's spelling, options in the wrong place, a dash for ``==``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from tumpline.errors import InputError
from tumpline.project.document import quoted
from tumpline.values import normalise, parse_requirement

__all__ = [
    "SITE_LOCAL",
    "Spelled",
    "canonical",
    "check_address",
    "compose",
    "drop_site_local",
    "is_relative_path",
    "local_part_remark",
    "spell",
    "version_in_name",
]

SITE_LOCAL = "computecanada"
"""The last part of the local version that the Alliance's wheels carry (``2.31.0+computecanada``)."""

_LONGEST = 4_000
"""Characters; no real requirement is longer, and Python refuses to read numbers of more than 4,300 digits."""

_LOCAL = re.compile(
    rf"(?<![A-Za-z0-9.!_*+-])(v?[0-9][A-Za-z0-9.!_*]*)\+((?:[A-Za-z0-9]+[._-])*{SITE_LOCAL})(?![A-Za-z0-9._+-])",
    re.IGNORECASE,
)
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME_AND_EXTRAS = re.compile(rf"\s*{_NAME}\s*(?:\[[^\]]*\])?")
_VERSION_IN_NAME = re.compile(r"(.+?)[-_](v?\d+(?:\.\d+)+[A-Za-z0-9.]*)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_GIT = re.compile(r"git\+(?!(?:https?|ssh|git|file)://)", re.IGNORECASE)
_NO_ADDRESS = re.compile(r"[\s<>\"{}|\\^`]")


@dataclass(frozen=True, slots=True)
class Spelled:
    """A requirement as read; `dropped` are the versions (``2.31.0+computecanada``) whose local part was dropped."""

    requirement: Requirement
    dropped: tuple[str, ...] = ()


def spell(text: str, *, paths: bool = False) -> Spelled:
    """Read a PEP 508 requirement; with `paths`, its address may also be a relative path (``./folder``), as with uv.

    A local part that ends in `SITE_LOCAL` is dropped from its versions (R1), whatever the operator: the packaging
    specifications allow none after ``>=``, and people append it there all the same. Raises InputError
    ``bad-requirement`` or ``bad-address`` with the reason and, where the mistake is a known one, the remedy.
    """
    if len(text) > _LONGEST:
        raise _refused(text, f"it has {len(text)} characters", "check that this is the right file")
    cleaned, dropped = _drop_from_requirement(text)
    try:
        requirement = parse_requirement(cleaned)
    except (InvalidRequirement, RecursionError) as error:
        reason = (
            "it is nested too deeply"
            if isinstance(error, RecursionError)
            else str(error).splitlines()[0].strip() or "it is empty"
        )
        why, hint = _diagnose(text.strip())
        raise _refused(text, why or reason, hint or "write NAME, NAME==VERSION or NAME @ ADDRESS") from error
    if requirement.url is not None and not (paths and is_relative_path(requirement.url)):
        check_address(requirement.url)
    return Spelled(requirement, dropped)


def is_relative_path(address: str) -> bool:
    """Whether an address is a path that counts from the project's folder."""
    return address.startswith(("./", "../"))


def check_address(url: str) -> None:
    """Raise InputError ``bad-address`` where this is not the address of something to install."""
    why = hint = ""
    if not _SCHEME.match(url):
        why, hint = "it has no scheme", "write a full address: https://…, git+https://… or file:///…"
    elif _NO_ADDRESS.search(url):
        why, hint = (
            "it holds a character that addresses do not have",
            "write the real address; a space is written as %20",
        )
    elif _GIT.match(url):
        # Git's other transports can run programs (gitremote-helpers: ext::).
        why, hint = "git does not fetch with that protocol", "write git+https://… or git+ssh://…"
    else:
        try:
            urlsplit(url)
        except ValueError as error:  # brackets that hold no IPv6 address
            why, hint = str(error), "correct the name of the host"
    if why:
        raise InputError.of("bad-address", f"{quoted(url)} is not an address", why=why, hint=hint)


def compose(
    name: str,
    *,
    extras: Iterable[str] = (),
    specifier: str = "",
    url: str = "",
    markers: Iterable[str] = (),
    prereleases: bool = False,
) -> Requirement:
    """Put a requirement together; all `markers` must hold. Raises InputError ``bad-requirement``.

    PEP 508 has no word for "pre-releases allowed", so that is kept in the specifier set's `prereleases`.
    """
    listed = sorted(set(extras))
    text = f"{name}[{','.join(listed)}]" if listed else name
    text += f" @ {url}" if url else specifier
    conditions = list(dict.fromkeys(marker for marker in markers if marker))
    if conditions:
        joined = conditions[0] if len(conditions) == 1 else " and ".join(f"({marker})" for marker in conditions)
        text += f" ; {joined}"
    requirement = spell(text).requirement
    if prereleases:
        # The parsed requirement is shared between callers (see `parse_requirement`): change a fresh one.
        requirement = Requirement(str(requirement))
        requirement.specifier = SpecifierSet(str(requirement.specifier), prereleases=True)
    return requirement


def drop_site_local(text: str) -> tuple[str, tuple[str, ...]]:
    """Drop the site's local part from every version in the text; return the text and the versions as they were."""
    if "+" not in text:
        return text, ()
    dropped = tuple(f"{place[1]}+{place[2]}" for place in _LOCAL.finditer(text))
    return (_LOCAL.sub(r"\1", text), dropped) if dropped else (text, ())


def local_part_remark(dropped: str) -> tuple[str, str]:
    """Return (message, hint) of the remark on one dropped local part; the message goes on after "NAME "."""
    public, _, local = dropped.partition("+")
    rest = local[: -len(SITE_LOCAL)].rstrip("._-")
    message = f"asks for {dropped}, which is read as {public}"
    if rest:
        return message, f"add a requirement for what {rest} stands for, if the project needs that build"
    return message, f"write {public}: it holds on every target"


def version_in_name(name: str) -> tuple[str, str] | None:
    """Return (name, version) where a project name looks like both (``pyzmq-26.2.1``), else None."""
    place = _VERSION_IN_NAME.fullmatch(name)
    return (place[1], place[2]) if place is not None else None


def _drop_from_requirement(text: str) -> tuple[str, tuple[str, ...]]:
    head = _NAME_AND_EXTRAS.match(text)
    if head is None or "+" not in text:
        return text, ()
    rest = text[head.end() :]
    if rest.lstrip().startswith("@"):
        return text, ()  # An address is taken to the letter.
    versions, semicolon, marker = rest.partition(";")
    versions, dropped = drop_site_local(versions)
    return f"{text[: head.end()]}{versions}{semicolon}{marker}", dropped


def _refused(text: str, why: str, hint: str) -> InputError:
    return InputError.of("bad-requirement", f"{quoted(text.strip())} is not a requirement", why=why, hint=hint)


_DIAGNOSES: tuple[tuple[str, str, str], ...] = (
    (
        r"(?:[$>!%]\s*)?(?:python[0-9.]*\s+-m\s+)?pip[0-9.]*\s+(?:install|download|wheel)\b.*",
        "it is a command for a shell",
        "write only the requirement",
    ),
    (
        rf"({_NAME})\s*=\s*(\d[^\s=]*)(?:=[^\s=]+)?",
        "NAME=VERSION=BUILD is conda's spelling",
        "write {1}=={2}, and check that the index calls the package by this name",
    ),
    (
        rf"({_NAME})\s*==\s*(\d[^\s=]*)=[^\s=]+",
        "NAME==VERSION=BUILD is conda's spelling",
        "write {1}=={2}",
    ),
    (
        rf"({_NAME}?)-(\d[A-Za-z0-9.]*)\+[A-Za-z0-9._-]*{SITE_LOCAL}",
        "a dash stands between the name and the version",
        "write {1}=={2}",
    ),
    (
        rf"({_NAME}?)-(\d[A-Za-z0-9.]*)\+[A-Za-z0-9._-]+",
        "a dash stands between the name and the version",
        "write {1}==VERSION",
    ),
    (
        rf"({_NAME}(?:\[[^\]]*\])?)\s+v?(\d[A-Za-z0-9.]*)(?:\+[A-Za-z0-9._-]+)?(?:\s+[\w.-]+){{0,2}}",
        "there is no operator between the name and the version",
        "write {1}=={2}",
    ),
    (
        r".*\s(--?[a-z][a-z-]*)\b.*",
        "{1} is an option, and options have a line of their own",
        "remove {1} from the line",
    ),
    (r".*[≥≤≠＝].*", "it holds a typographic sign", "write >=, <= or != with plain characters"),
    (r".*[“”‘’].*", "it holds typographic quotes", "write plain quotes: \" or '"),
    (r"""["'].*""", "it begins with a quote", "remove the quotes and commas around the requirement"),
    (
        rf"(?:-\s+.*|{_NAME}\s*:.*)",
        "it looks like a line of a YAML file, such as a conda environment",
        "list the packages one to a line, as NAME==VERSION",
    ),
    (r"@EXPLICIT", "it is a list of conda's", "list the packages one to a line, as NAME==VERSION"),
    (r"<.*", "it looks like a page of a web site", "download the file itself (its raw form)"),
    (
        r"\[.*\]|[\w.-]+\s*=\s*[\"'\[{].*",
        "it looks like TOML",
        "give a requirements file, not a project or lock file",
    ),
    (r"(?:import|from)\s+\w.*", "it looks like Python code", "write the name of the package alone"),
    (
        rf"{_NAME}\s*(?:[~<>=!]=|[<>])\s*[^\s,;]+(?:\s+\d|\s*[<>=!~]).*",
        "there is no comma between two conditions",
        "write them as NAME>=1,<2",
    ),
)
"""(pattern of a whole line, why it is no requirement, what to do); the first that fits counts."""


def _diagnose(text: str) -> tuple[str, str]:
    """Return (why, hint) for the mistakes that people make; empty where it is none of them."""
    for pattern, why, hint in _DIAGNOSES:
        # Compiled here, by the cache of `re`: most runs need none of them.
        if (place := re.fullmatch(pattern, text[:400], re.IGNORECASE)) is not None:
            # Only these two marks are filled in: the text itself may hold braces.
            first, second = (place[1] if place.re.groups else "", place[2] if place.re.groups > 1 else "")
            return why.replace("{1}", first), hint.replace("{1}", first).replace("{2}", second)
    return "", ""


def canonical(requirement: Requirement) -> str:
    """Return one text per meaning: normalised names, sorted specifiers, ``pre`` where pre-releases are allowed."""
    text = str(normalise(requirement.name))
    if requirement.extras:
        text += f"[{','.join(sorted({normalise(extra) for extra in requirement.extras}))}]"
    text += f" @ {requirement.url}" if requirement.url is not None else str(requirement.specifier)
    if requirement.specifier.prereleases and not any(spec.prereleases for spec in requirement.specifier):
        text += " pre"
    if requirement.marker is not None:
        text += f" ; {requirement.marker}"
    return text
