"""Where what is installed came from: what makes it the same as before, and what an environment says of it (PEP 610)."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tumpline.lock import IndexArtefact, PathArtefact, UrlArtefact, VcsArtefact, WheelhouseArtefact

__all__ = ["Installable", "direct_url", "editable_url", "folder_content", "folder_state", "identity"]

Installable = WheelhouseArtefact | IndexArtefact | PathArtefact | UrlArtefact | VcsArtefact
"""What a lock may hold of a package that is installed: everything but modules."""

_MADE = ("build", "dist", "node_modules")
_MADE_ENDS = (".egg-info", ".dist-info")
"""Folders that builds and tools leave in a source, besides those that begin with a dot or an underscore."""


def identity(artefact: Installable, root: Path) -> list[str]:
    """Return what tells an artefact from every other; `root` is the project's folder.

    A folder's files are looked at, not read (see `folder_state`); nothing else touches the disk.
    """
    match artefact:
        case WheelhouseArtefact(layer, file, record):
            return ["wheelhouse", layer, file, record]
        case IndexArtefact(file=file, sha256=sha256):
            return ["index", file, sha256]
        case UrlArtefact():
            return ["url", artefact.url, artefact.sha256, artefact.subdirectory]
        case VcsArtefact():
            return ["vcs", artefact.url, artefact.path, artefact.reference, artefact.commit, artefact.subdirectory]
        case PathArtefact():
            state = artefact.sha256 or folder_state(root / artefact.path)
            return ["path", os.path.abspath(root / artefact.path), state, artefact.subdirectory]  # noqa: PTH100


def folder_state(folder: Path) -> str:
    """Digest the names, sizes and times of the files of a source; empty where there is no folder.

    Left out is what builds and tools put there: a build must not make the source look changed.
    """
    if not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in _source_files(folder):
        try:
            status = path.lstat()
        except OSError:
            continue  # it went in this moment
        row = [os.path.relpath(path, folder), status.st_size, status.st_mtime_ns]
        digest.update(json.dumps(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def folder_content(folder: Path) -> str:
    """Digest the names and contents of the files of a source, as they are in every copy of it; empty where there is no
    folder. Left out is what `folder_state` leaves out. Reads all of them.
    """
    if not folder.is_dir():
        return ""
    digest = hashlib.sha256()
    for path in _source_files(folder):
        try:
            # A pipe or a device could be read without end.
            if not stat.S_ISREG(path.stat().st_mode):
                continue
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            content = ""  # such as a link that leads nowhere
        row = [path.relative_to(folder).as_posix(), content]
        digest.update(json.dumps(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def editable_url(folder: Path) -> str:
    """Return the content of ``direct_url.json`` of a project that is installed editable."""
    return json.dumps({"dir_info": {"editable": True}, "url": folder.as_uri()}, sort_keys=True)


def direct_url(artefact: Installable, root: Path) -> str:
    """Return the content of ``direct_url.json`` (PEP 610); empty for what is not taken by address."""
    match artefact:
        case VcsArtefact():
            source: dict[str, object] = {"commit_id": artefact.commit, "vcs": "git"}
            if artefact.reference:
                source["requested_revision"] = artefact.reference
            said = {"url": artefact.url or _address_of(root, artefact.path), "vcs_info": source}
        case UrlArtefact():
            said = {"archive_info": _hashes(artefact.sha256), "url": artefact.url}
        case PathArtefact(sha256=""):
            said = {"dir_info": {}, "url": _address_of(root, artefact.path)}
        case PathArtefact():
            said = {"archive_info": _hashes(artefact.sha256), "url": _address_of(root, artefact.path)}
        case _:
            return ""
    if artefact.subdirectory:
        said["subdirectory"] = artefact.subdirectory
    return json.dumps(said, sort_keys=True)


def _address_of(root: Path, path: str) -> str:
    return Path(os.path.abspath(root / path)).as_uri()  # noqa: PTH100 - links are kept as they were given


def _hashes(sha256: str) -> dict[str, object]:
    # "hash" is the older form of "hashes"; pip writes both.
    return {"hash": f"sha256={sha256}", "hashes": {"sha256": sha256}}


def _source_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a source, in an order that is the same everywhere."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _is_made(name))
        yield from (Path(place, file) for file in sorted(files))


def _is_made(name: str) -> bool:
    return name in _MADE or name.startswith((".", "__")) or name.endswith(_MADE_ENDS)
