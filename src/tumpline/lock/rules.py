"""What strings in a lock may be: a lock comes with somebody's repository and is hostile input.

Every rule takes a string and returns what it should have been, or an empty string where it is fine; so a complaint
reads "… is not a plain file name".
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier
from packaging.version import InvalidVersion

from tumpline.values import parse_specifier, parse_version

__all__ = [
    "commit",
    "day",
    "digest",
    "file_name",
    "git_address",
    "moment",
    "name",
    "nearby",
    "plain",
    "prose",
    "reference",
    "relative",
    "specifier",
    "version",
    "web_address",
]

# Control characters, and what reorders text on a terminal (Unicode's bidirectional controls).
_BAD = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_BAD}]")
_PLAIN = re.compile(rf"(?!-|\.{{1,2}}\Z)[^/\\:{_BAD}]{{1,255}}\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]+\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_REFERENCE = re.compile(rf"(?!-)(?!.*\.\.)[^ ~^:?*\[\\{_BAD}]{{1,250}}\Z")
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*)|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_REST = rf"""/[^ <>"{{}}|\\^`#{_BAD}]*"""
_WEB_ADDRESS = re.compile(rf"https?://{_HOST}{_REST}\Z")
_GIT_ADDRESS = re.compile(rf"(?:https://|ssh://(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?){_HOST}{_REST}\Z")
_LONGEST = 4_000
"""Characters of an address."""

_FILE_ENDS = (".whl", ".tar.gz", ".zip")


def plain(text: str) -> str:
    """Accept one word that is safe as a file or folder name: no separators, no control characters, not ``..``."""
    return "" if _PLAIN.match(text) else "a plain name"


def file_name(text: str) -> str:
    """Accept the plain name of a wheel or of a source distribution."""
    return "" if not plain(text) and text.endswith(_FILE_ENDS) else "a plain file name of a wheel or an sdist"


def relative(text: str) -> str:
    """Accept a relative path with forward slashes that stays where it starts (a layer, a module)."""
    return "" if all(not plain(part) for part in text.split("/")) else 'a relative path without ".."'


def nearby(text: str) -> str:
    """Accept a relative path that leads into the folder where it starts, or into one beside it (``../lib``)."""
    return "" if not relative(text.removeprefix("../")) else "a relative path into this folder or one beside it"


def web_address(text: str) -> str:
    """Accept the address of a file on a server, without user, password and fragment."""
    return "" if len(text) < _LONGEST and _WEB_ADDRESS.match(text) else "an http or https address without credentials"


def git_address(text: str) -> str:
    """Accept the address of a Git repository on a server: nothing that git could take for an option or a program."""
    return "" if len(text) < _LONGEST and _GIT_ADDRESS.match(text) else "an https or ssh address without a password"


def commit(text: str) -> str:
    """Accept the whole name of a commit."""
    return "" if _COMMIT.match(text) else "a commit (40 or 64 hexadecimal digits)"


def reference(text: str) -> str:
    """Accept the name of a branch, a tag or a commit."""
    return "" if _REFERENCE.match(text) else "the name of a branch, a tag or a commit"


def digest(text: str) -> str:
    """Accept a sha256 in lower-case hexadecimal."""
    return "" if _DIGEST.match(text) else "a sha256 (64 hexadecimal digits)"


def name(text: str) -> str:
    """Accept a project name as PEP 503 normalises it."""
    return "" if _NAME.match(text) else "a normalised project name"


def version(text: str) -> str:
    """Accept a PEP 440 version without spaces around it."""
    try:
        parse_version(text)
    except InvalidVersion:
        return "a PEP 440 version"
    return "" if _VERSION.match(text) else "a PEP 440 version"


def specifier(text: str) -> str:
    """Accept a PEP 440 specifier set, or nothing."""
    try:
        parse_specifier(text)
    except InvalidSpecifier:
        return "a PEP 440 specifier"
    return prose(text)


def day(text: str) -> str:
    """Accept an ISO day."""
    return "" if _DAY.match(text) else "a day (YYYY-MM-DD)"


def moment(text: str) -> str:
    """Accept a moment in UTC, to the second."""
    return "" if _MOMENT.match(text) else "a moment (YYYY-MM-DDTHH:MM:SSZ)"


def prose(text: str) -> str:
    """Accept words for people: line breaks, but nothing else that a terminal would act on."""
    return "text without control characters" if _CONTROL.search(text.replace("\n", " ")) else ""
