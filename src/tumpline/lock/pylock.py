"""PEP 751: one target of the lock as ``pylock.NAME.toml``, for pip (26.1 and newer) and uv."""

from __future__ import annotations

import os
import re
from pathlib import Path

from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
    PylockValidationError,
    is_valid_pylock_path,
)
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from tumpline.errors import InputError
from tumpline.lock.export import Export, LeftOut, marker_values, minor_of, pins_of
from tumpline.lock.locate import Locate, Location
from tumpline.lock.model import (
    Lock,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    UrlArtefact,
    VcsArtefact,
)
from tumpline.lock.toml import comment, render
from tumpline.values import Name

__all__ = ["check_pylock_name", "export_pylock", "pylock_name"]

_BLOCKS = frozenset({"packages", "wheels"})


def export_pylock(lock: Lock, target: str, locate: Locate, folder: Path) -> Export:
    """Return a target of the lock as PEP 751 text; `locate` says where each file is now, `folder` is the project's.

    Packages that modules bring are left out and listed in the result. The file holds addresses and absolute paths of
    the moment, unlike the lock: it is made to be used, not kept. Raises InputError ``unknown-target``,
    ``not-for-pylock``, and what `locate` raises.
    """
    where, pins = pins_of(lock, target)
    left_out: list[LeftOut] = []
    packages: list[Package] = []
    installed = {name for name, pin in pins if not isinstance(pin.artefact, ModuleArtefact)}
    for name, pin in pins:
        if isinstance(pin.artefact, ModuleArtefact):
            left_out.append(LeftOut(name, pin.version, pin.artefact.module))
        else:
            needs = [needed for needed in pin.requires if needed in installed]
            if isinstance(pin.artefact, PathArtefact | UrlArtefact | VcsArtefact):
                packages.append(_addressed(name, pin.version, needs, pin.artefact, folder))
            else:
                packages.append(_package(name, pin.version, needs, pin.artefact.file, locate(name, pin.artefact)))
    pylock = Pylock(
        lock_version=Version("1.0"),
        environments=[Marker(_environment(where))],
        requires_python=SpecifierSet(f">={minor_of(where)}"),
        created_by="tumpline",
        packages=packages,
        tool={"tumpline": _account(where, left_out)},
    )
    try:
        pylock.validate()
    except PylockValidationError as error:
        raise InputError.of(
            "not-for-pylock",
            f"PEP 751 can not hold what is locked for {target}",
            why=str(error),
            hint="export with --format requirements",
        ) from error
    head = [f"What tumpline locked for the target {target}. Do not edit: made by tumpline export --format pylock."]
    if local := next((pin.version for _, pin in pins if "+" in pin.version), ""):
        head.append(f"For that target only: versions such as {local} exist nowhere else.")
    if where.modules:
        head.append(f"Load these modules first: {' '.join(where.modules)}")
    lines = "".join(f"{comment(line)}\n" for line in head)
    return Export(f"{lines}{render(pylock.to_dict(), _BLOCKS)}", tuple(left_out))


def pylock_name(target: str) -> str:
    """Return the file name that PEP 751 wants for a target: ``pylock.narval.toml``, dots in names made dashes."""
    return f"pylock.{re.sub(r'[^a-z0-9_-]+', '-', target.lower())}.toml"


def check_pylock_name(path: Path, target: str) -> None:
    """Raise InputError ``bad-pylock-name`` where no tool would take a file of that name for a lock."""
    if not is_valid_pylock_path(path):
        raise InputError.of(
            "bad-pylock-name",
            f"{path.name!r} is not a name for this file",
            why="PEP 751 names it pylock.toml or pylock.NAME.toml, and pip takes no other for a lock",
            hint=f"write to {path.with_name(pylock_name(target))}",
        )


def _package(name: Name, version: str, needs: list[Name], file: str, where: Location) -> Package:
    kind = PackageWheel if file.endswith(".whl") else PackageSdist
    source = kind(
        name=file, url=where.url or None, path=where.path or None, size=where.size, hashes={"sha256": where.sha256}
    )
    return Package(
        name=NormalizedName(name),
        version=Version(version),
        dependencies=[{"name": needed} for needed in needs] or None,
        wheels=[source] if isinstance(source, PackageWheel) else None,
        sdist=source if isinstance(source, PackageSdist) else None,
    )


def _addressed(
    name: Name, version: str, needs: list[Name], artefact: PathArtefact | UrlArtefact | VcsArtefact, folder: Path
) -> Package:
    """Return a package that is taken by address; a source tree has no version there, since it may build another."""
    inside = artefact.subdirectory or None
    path = "" if isinstance(artefact, UrlArtefact) else artefact.path
    whole = os.path.normpath(folder.absolute() / path) if path else None
    vcs = directory = archive = None
    if isinstance(artefact, VcsArtefact):
        vcs = PackageVcs(
            type="git",
            url=artefact.url or None,
            path=whole,
            requested_revision=artefact.reference or None,
            commit_id=artefact.commit,
            subdirectory=inside,
        )
    elif artefact.sha256:
        url = artefact.url if isinstance(artefact, UrlArtefact) else None
        hashes = {"sha256": artefact.sha256}
        archive = PackageArchive(url=url, path=whole, size=artefact.size, hashes=hashes, subdirectory=inside)
    else:
        directory = PackageDirectory(path=whole or "", subdirectory=inside)
    return Package(
        name=NormalizedName(name),
        version=Version(version) if archive is not None else None,
        dependencies=[{"name": needed} for needed in needs] or None,
        vcs=vcs,
        directory=directory,
        archive=archive,
    )


def _environment(target: LockedTarget) -> str:
    """Return the marker of the machines that the file is for: same Python minor version, system and processor."""
    return " and ".join(f'{variable} == "{value}"' for variable, value in marker_values(target).items())


def _account(target: LockedTarget, left_out: list[LeftOut]) -> dict[str, object]:
    """Return the ``[tool.tumpline]`` table: what a reader of the file can not see from its packages."""
    account: dict[str, object] = {"target": target.name, "site": target.site}
    if target.modules:
        account["modules"] = list(target.modules)
    if left_out:
        account["left-out"] = [{"name": row.name, "version": row.version, "module": row.module} for row in left_out]
    return account
