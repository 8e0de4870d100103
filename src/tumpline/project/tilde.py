"""How requirements are written: the tilde that the Alliance recommends, and Poetry's spelling."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.version import Version

from tumpline.project.splices import literal

__all__ = ["poetry_value", "requirement_text", "tilde"]


def tilde(version: Version) -> str:
    """Return the specifier for a version and its later corrections: ``~=2.31.0``.

    The public version counts (R1). ``~=2.31`` would admit all of 2.x, so a version of two parts is written with a
    third (``~=2.31.0``, which admits 2.31 and its corrections), and one of a single part, often a date, is ``==``
    that part's. Of 0.x, where any release may break, the same holds. A pre-release or development release stays
    exact: what follows it is another thing. Post-releases are the corrections of what they follow.
    """
    release = version.release
    epoch = f"{version.epoch}!" if version.epoch else ""
    if version.is_prerelease:
        return f"=={version.public}"
    if len(release) == 1:
        return f"=={epoch}{release[0]}.*"
    base = ".".join(map(str, (*release, 0)[: max(3, len(release))]))
    post = f".post{version.post}" if version.post is not None else ""
    return f"~={epoch}{base}{post}"


def requirement_text(requirement: Requirement) -> str:
    """Return a requirement as people write it: the name as given, no blanks before a version, extras sorted."""
    text = requirement.name
    if requirement.extras:
        text += f"[{','.join(sorted(requirement.extras))}]"
    text += f" @ {requirement.url}" if requirement.url else _specifier_text(requirement)
    if requirement.marker is not None:
        text += f"{' ' if requirement.url else ''}; {requirement.marker}"
    return text


def poetry_value(requirement: Requirement) -> str:
    """Return a requirement as a value of Poetry's tables, in TOML: ``"~2.31.0"``, or an inline table."""
    fields: dict[str, str] = {}
    if requirement.url:
        fields |= _address(requirement.url)
    else:
        fields["version"] = literal(_poetry_version(requirement))
    if requirement.extras:
        fields["extras"] = f"[{', '.join(literal(extra) for extra in sorted(requirement.extras))}]"
    if requirement.marker is not None:
        fields["markers"] = literal(str(requirement.marker))
    if list(fields) == ["version"]:
        return fields["version"]
    return "{ " + ", ".join(f"{key} = {value}" for key, value in fields.items()) + " }"


def _specifier_text(requirement: Requirement) -> str:
    return ",".join(sorted(map(str, requirement.specifier), key=_bounds_first))


def _bounds_first(specifier: str) -> tuple[bool, str]:
    """Sort lower bounds before the others, as people write them."""
    return not specifier.startswith((">", "~", "==")), specifier


def _poetry_version(requirement: Requirement) -> str:
    """Return the version constraint: Poetry's tilde where it means the same as that of PEP 440."""
    specifiers = list(requirement.specifier)
    if len(specifiers) == 1 and specifiers[0].operator == "~=":
        release = Version(specifiers[0].version).release
        if len(release) == 3:
            return f"~{specifiers[0].version}"
    return _specifier_text(requirement) or "*"


def _address(url: str) -> dict[str, str]:
    if url.startswith("git+"):
        address, _, fragment = url.removeprefix("git+").partition("#")
        head, at, revision = address.rpartition("@")
        fields = {"git": literal(head if at and "/" in head.partition("://")[2] else address)}
        if at and "/" in head.partition("://")[2]:
            fields["rev"] = literal(revision)
        if fragment.startswith("subdirectory="):
            fields["subdirectory"] = literal(fragment.removeprefix("subdirectory="))
        return fields
    if url.startswith((".", "/")):
        return {"path": literal(url)}
    return {"url": literal(url)}
