"""Addresses of requirements, taken apart: what is asked for, and nothing that a program could take for something else.

The forms are those of PEP 508 and of pip ("VCS Support" in pip's documentation).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from tumpline.addresses.model import bare_address
from tumpline.errors import InputError
from tumpline.index.settings import path_of, shown

__all__ = ["Address", "FileAddress", "GitAddress", "WebAddress", "parse_address"]

_REFERENCE = re.compile(r"(?!-)(?!.*\.\.)[^\x00-\x20\x7f~^:?*\[\\]{1,250}\Z")
_PART = re.compile(r"(?!-|\.{1,2}\Z)[^/\\:\x00-\x1f\x7f]{1,255}\Z")
_NO_ADDRESS = re.compile(r"[\s<>\"{}|\\^`\x00-\x1f\x7f]")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z|[0-9a-f:.]+\Z")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_OTHER_HASHES = ("md5", "sha1", "sha224", "sha384", "sha512")
_OTHER_SYSTEMS = ("hg", "svn", "bzr")
_ARCHIVES = (".whl", ".tar.gz", ".zip")


@dataclass(frozen=True, slots=True)
class GitAddress:
    """A Git repository: `url` is bare (without ``git+`` and password), empty where the repository is at `path` here.

    `secret` is what stood before the ``@`` of an https address. `reference` is empty for the default branch.
    """

    url: str
    path: Path | None
    reference: str
    subdirectory: str
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class FileAddress:
    """A file or a folder of this machine; `sha256` is the one that the address promises, or empty."""

    path: Path
    subdirectory: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A wheel or an sdist on a server: `url` may hold credentials, `bare` does not; `file` is its name."""

    url: str = field(repr=False)
    bare: str
    file: str
    subdirectory: str
    sha256: str


Address = GitAddress | FileAddress | WebAddress


def parse_address(address: str) -> Address:
    """Take an address apart.

    Raises InputError ``bad-address`` for one that can not be followed, plain http and git:// to a repository among
    them; that of files is for the transport to judge. No message holds a password.
    """
    if _NO_ADDRESS.search(address):
        raise _bad(address, "it holds a character that addresses do not have")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - looked at, since a port that is none is found out only then
    except ValueError as error:
        raise _bad(address, str(error)) from error
    scheme = parts.scheme.lower()
    system, _, transport = scheme.partition("+")
    fragment = _fragment(address, parts.fragment)
    if transport and system in _OTHER_SYSTEMS:
        raise _bad(address, f"{system} repositories are not supported", "give an archive of it, or a Git repository")
    if system == "git" and transport:
        return _git(address, parts, transport, fragment)
    if scheme == "file":
        return FileAddress(_local(address, parts), fragment["subdirectory"], fragment["sha256"])
    if scheme in ("http", "https"):
        return _web(address, parts, fragment)
    raise _bad(address, f"{scheme or 'no scheme'} is none of https, file, git+https, git+ssh and git+file")


def _git(address: str, parts: SplitResult, transport: str, fragment: dict[str, str]) -> GitAddress:
    path, at, reference = parts.path.rpartition("@")
    if not at:
        path, reference = parts.path, ""
    reference = unquote(reference)
    if (at and not reference) or (reference and not _REFERENCE.match(reference)):
        raise _bad(address, f"{reference!r} is not the name of a branch, a tag or a commit")
    bare = parts._replace(scheme=transport, path=path, fragment="")
    if transport == "file":
        return GitAddress("", _local(address, bare), reference, fragment["subdirectory"])
    if transport in ("http", "git"):
        raise _bad(address, "anybody on the way could change what comes", "write git+https:// in its place")
    if transport not in ("https", "ssh") or not _HOST.match(parts.hostname or ""):
        raise _bad(address, "a repository is reached by git+https, git+ssh or git+file")
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    if transport == "ssh":
        if user and not _USER.match(user):
            raise _bad(address, "it names no user that could be one")
        return GitAddress(bare_address(urlunsplit(bare)), None, reference, fragment["subdirectory"])
    secret = f"{unquote(user)}:{unquote(password)}" if user else ""
    return GitAddress(bare_address(urlunsplit(bare)), None, reference, fragment["subdirectory"], secret)


def _web(address: str, parts: SplitResult, fragment: dict[str, str]) -> WebAddress:
    if not _HOST.match(parts.hostname or ""):
        raise _bad(address, "it names no host")
    file = unquote(parts.path.rpartition("/")[2])
    if not file.endswith(_ARCHIVES) or not _PART.match(file):
        raise _bad(address, "it does not end with the name of a wheel (.whl) or an sdist (.tar.gz, .zip)")
    url = urlunsplit(parts._replace(fragment=""))
    return WebAddress(url, bare_address(url), file, fragment["subdirectory"], fragment["sha256"])


def _local(address: str, parts: SplitResult) -> Path:
    path = path_of(urlunsplit(parts._replace(scheme="file", fragment="")))
    if not parts.path.startswith("/") or ".." in path.parts:
        raise _bad(address, "a file address holds a whole path", "write the path relative to the project: ./FOLDER")
    return path


def _fragment(address: str, fragment: str) -> dict[str, str]:
    """Return what pip reads of a fragment; ``egg`` is of no use where the name is known."""
    found = {"subdirectory": "", "sha256": ""}
    for pair in filter(None, fragment.split("&")):
        key, _, value = pair.partition("=")
        if key in found:
            found[key] = unquote(value)
        elif key in _OTHER_HASHES:
            raise _bad(address, f"it promises a hash of the kind {key}, of which only sha256 is checked")
    folder = found["subdirectory"].strip("/")
    if folder and not all(_PART.match(part) for part in folder.split("/")):
        raise _bad(address, f"{found['subdirectory']!r} is not a folder inside of it")
    if found["sha256"] and not _SHA256.match(found["sha256"].lower()):
        raise _bad(address, "its sha256 is not one (64 hexadecimal digits)")
    return {"subdirectory": folder, "sha256": found["sha256"].lower()}


def _bad(address: str, why: str, hint: str = "") -> InputError:
    return InputError.of(
        "bad-address",
        f"{shown(address)} can not be followed",
        why=why,
        hint=hint or "write https://…, git+https://…, git+ssh://…, or a path that begins with ./",
    )
