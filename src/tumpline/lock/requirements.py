"""One target of the lock as a requirements file, for pip of any age and for people elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from tumpline.lock.export import Export, LeftOut, pins_of
from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.lock.toml import comment
from tumpline.values import Name, parse_version, public_version

__all__ = ["export_requirements"]


def export_requirements(lock: Lock, target: str, folder: Path, *, local: bool = False) -> Export:
    """Return ``name==version`` lines for a target, by name; ``name @ address`` for what is taken by address.

    `folder` is the project's, for the addresses of paths.

    Without `local` the lines are for anywhere: wheelhouse packages are given by their public version (R1), and packages
    that a module brings are lines like the others. With `local` they are for the site itself: versions as
    its wheelhouse spells them, and what modules bring is left out.

    Hashes are written where every line has one, since pip takes a file with some hashes for a file that must
    have all (``--require-hashes``). Raises InputError ``unknown-target``.
    """
    where, pins = pins_of(lock, target)
    left_out = tuple(
        LeftOut(name, pin.version, pin.artefact.module)
        for name, pin in pins
        if local and isinstance(pin.artefact, ModuleArtefact)
    )
    kept = [(name, pin) for name, pin in pins if not (local and isinstance(pin.artefact, ModuleArtefact))]
    hashed = all(_sha256(pin) for _, pin in kept)
    head = [
        f"What tumpline locked for the target {target}. Do not edit: made by tumpline export --format requirements."
    ]
    if local and where.modules:
        head.append(f"Load these modules first: {' '.join(where.modules)}")
    lines = [comment(line) for line in head]
    lines += [_line(name, pin, folder, local=local, hashed=hashed) for name, pin in kept]
    some_hashed = any(_sha256(pin) for _, pin in kept)
    remarks = ("hashes are left out, since not every package has one",) if some_hashed and not hashed else ()
    return Export("".join(f"{line}\n" for line in lines), left_out, remarks)


def _line(name: Name, pin: Pin, folder: Path, *, local: bool, hashed: bool) -> str:
    version = parse_version(pin.version)
    if isinstance(pin.artefact, WheelhouseArtefact) and not local:
        version = public_version(version)
    line = _address(name, pin.artefact, folder) or f"{name}=={version}"
    return f"{line} \\\n    --hash=sha256:{_sha256(pin)}" if hashed else line


def _sha256(pin: Pin) -> str:
    """Return the sha256 of the file to install, empty where the lock has none."""
    match pin.artefact:
        case IndexArtefact(sha256=sha256) | UrlArtefact(sha256=sha256) | PathArtefact(sha256=sha256):
            return sha256
        case _:
            return ""


def _address(name: Name, artefact: Artefact, folder: Path) -> str:
    """Return the line for what is taken by address, empty for everything else; `folder` is the project's."""
    match artefact:
        case UrlArtefact(url=url):
            place = url
        case PathArtefact(path=path):
            place = _file_address(folder, path)
        case VcsArtefact(commit, url, path):
            place = f"git+{url or _file_address(folder, path)}@{commit}"
        case _:
            return ""
    return f"{name} @ {place}{f'#subdirectory={artefact.subdirectory}' if artefact.subdirectory else ''}"


def _file_address(folder: Path, path: str) -> str:
    return Path(os.path.normpath(folder.absolute() / path)).as_uri()
