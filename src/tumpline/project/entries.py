"""One requirement on its way from a table to a `Project`."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from tumpline.errors import InputError
from tumpline.project.document import Document, quoted
from tumpline.project.lines import KeyPath
from tumpline.project.spelling import Spelled, canonical, compose, is_relative_path, local_part_remark, spell

__all__ = ["Entry", "Place", "git_address", "note_dropped", "path_address", "read_entry", "with_address"]

_SCP = re.compile(r"([\w.-]+@[\w.-]+):(?!/)(.+)")
_ADDRESS = re.compile(r"(?:git\+)?(?:https?|ssh|git|file)://\S+")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is fetched from: a URL requirement's address, and its form on any machine.

    `portable` is the address itself, or ``path:RELATIVE`` for a path: a lock must be current in every checkout.
    """

    address: str
    portable: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A requirement with its key path, or (`origin`) its place in another file.

    `portable` replaces the address in the digest of the inputs, see `Place`. `optional` is Poetry's word:
    only extras bring it in. `targets` are as in `tumpline.project.Declared`.
    """

    requirement: Requirement
    keys: KeyPath
    group: str = ""
    portable: str = ""
    origin: str = ""
    optional: bool = False
    targets: tuple[str, ...] = ()

    @property
    def canonical(self) -> str:
        """One text per meaning, the same on every machine."""
        text = canonical(self.requirement)
        if self.portable and self.requirement.url is not None:
            return text.replace(self.requirement.url, self.portable, 1)
        return text


def read_entry(document: Document, keys: KeyPath, text: str, group: str) -> Entry | None:
    """Read one requirement string; complains and returns None where it is none.

    A relative path in the place of an address counts from the folder of the document.
    """
    try:
        spelled = spell(text, paths=True)
        requirement, portable = spelled.requirement, ""
        if requirement.url is not None and is_relative_path(requirement.url):
            place = path_address(document.path.parent, requirement.url)
            requirement, portable = with_address(requirement, place.address), place.portable
    except InputError as error:
        document.blame(error, keys)
        return None
    note_dropped(document, keys, spelled)
    return Entry(requirement, keys, group, portable)


def note_dropped(document: Document, keys: KeyPath, spelled: Spelled) -> None:
    """Remark on every site-local part that was dropped (R1)."""
    for dropped in spelled.dropped:
        message, hint = local_part_remark(dropped)
        document.note("site-local-dropped", message, keys, hint=hint)


def path_address(root: Path, path: str) -> Place:
    """Return the place of a path that is written relative to the project's folder."""
    whole = Path(os.path.normpath(root.absolute() / path))
    return Place(whole.as_uri(), f"path:{posixpath.normpath(path)}")


def with_address(requirement: Requirement, address: str) -> Requirement:
    """Return a requirement on the same package, taken from an address; raises InputError ``bad-address``."""
    return compose(requirement.name, extras=requirement.extras, url=address, markers=(str(requirement.marker or ""),))


def git_address(url: str, revisions: Iterable[str], subdirectory: str = "") -> Place:
    """Return the place of a Git repository; ``git@host:owner/name`` is read as ssh.

    Raises InputError ``bad-source``: no such protocol, several revisions, a revision that git could take
    for an option.
    """
    given = [revision for revision in revisions if revision]
    if (scp := _SCP.fullmatch(url)) is not None:
        url = f"ssh://{scp[1]}/{scp[2]}"
    if not _ADDRESS.fullmatch(url):
        raise InputError.of(
            "bad-source",
            f"{quoted(url)} is not the address of a Git repository",
            hint="write an https:// or ssh:// address",
        )
    if len(given) > 1:
        raise InputError.of(
            "bad-source",
            f"more than one revision is named: {', '.join(map(quoted, given))}",
            hint="keep one of rev, tag and branch",
        )
    if given and not _REVISION.fullmatch(given[0]):
        raise InputError.of("bad-source", f"{quoted(given[0])} is not a revision", hint="write a commit or a tag")
    address = url if url.startswith("git+") else f"git+{url}"
    address += f"@{given[0]}" if given else ""
    address += f"#subdirectory={subdirectory}" if subdirectory else ""
    return Place(address, address)
