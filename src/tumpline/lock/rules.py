"""What strings in a lock may be: a lock comes with somebody's repository and is hostile input.

Every rule takes a string and returns what it should have been, or an empty string where it is fine; so a complaint
reads "… is not a plain file name".
"""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier
from packaging.version import InvalidVersion

from tumpline.values import parse_specifier, parse_version

__all__ = ["day", "digest", "file_name", "name", "plain", "prose", "relative", "specifier", "version"]

# Control characters, and what reorders text on a terminal (Unicode's bidirectional controls).
_BAD = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[{_BAD}]")
_PLAIN = re.compile(rf"(?!-|\.{{1,2}}\Z)[^/\\:{_BAD}]{{1,255}}\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_VERSION = re.compile(r"[A-Za-z0-9.!+_-]+\Z")
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


def prose(text: str) -> str:
    """Accept words for people: line breaks, but nothing else that a terminal would act on."""
    return "text without control characters" if _CONTROL.search(text.replace("\n", " ")) else ""
