"""What a stage holds for a target: wheels by the hash that is locked, and wheels built ahead, by their source.

A stage is a `WheelStore`: one folder for any number of projects and targets. What a source is called in it depends
neither on where the project is nor on the machine, so that a stage made on a laptop serves on a cluster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumpline.environment.origin import Installable, folder_content
from tumpline.environment.plan import Plan, WheelStep
from tumpline.environment.wheelstore import BuiltWheel, WheelStore
from tumpline.lock import IndexArtefact, LockedTarget, PathArtefact, UrlArtefact, VcsArtefact, WheelhouseArtefact
from tumpline.values import Name, normalise

__all__ = ["Need", "Survey", "project_key", "source_key", "stage_needs", "staged", "survey_stage"]

_FORM = "1"
"""Raised when the same source would be built into another wheel than before."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a target needs and that its nodes may not reach.

    `kind` is ``file`` for a wheel as it is, which is known by `sha256` and `file`; ``built`` for a wheel of a source,
    and ``project`` for that of the project itself, both known by `key`. `what` says in a word or two what it is taken
    from. `size` is in bytes, None where it is not known. `step` is None for the project.
    """

    kind: Literal["file", "built", "project"]
    name: Name
    version: str
    what: str
    size: int | None = None
    sha256: str = ""
    file: str = ""
    key: tuple[str, ...] = ()
    step: WheelStep | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.version else self.name


@dataclass(frozen=True, slots=True)
class Survey:
    """What a target needs of a stage: what is there, and what is lacking.

    `gone` are packages of the wheelhouse or of the project's folder whose file is not there, as (name, version, path);
    of a wheelhouse that is not on this machine nothing is known.
    """

    plan: Plan
    here: tuple[tuple[Need, BuiltWheel], ...]
    lacking: tuple[Need, ...]
    gone: tuple[tuple[Name, str, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether a node without internet has everything; a wheel that is only listed can not be counted on."""
        return not self.lacking and not self.gone and not self.plan.listed


def source_key(target: LockedTarget, artefact: Installable, root: Path) -> tuple[str, ...] | None:
    """Return what a wheel of a source is known by in a stage; None for what is no source.

    `root` is the project's folder. Reads the files of a source that is a folder.
    """
    source: tuple[str, ...]
    match artefact:
        case VcsArtefact():
            source = ("commit", artefact.url or artefact.path, artefact.commit, artefact.subdirectory)
        case PathArtefact(sha256=""):
            source = ("folder", folder_content(root / artefact.path), artefact.subdirectory)
        case IndexArtefact():
            source = ("archive", artefact.sha256, "")
        case WheelhouseArtefact():
            return None
        case _:
            source = ("archive", artefact.sha256, artefact.subdirectory)
    return (*_stands(target), *source)


def project_key(target: LockedTarget, project: Path, name: str) -> tuple[str, ...]:
    """Return what the project's own wheel is known by: its pyproject.toml; to all else the wheel only refers."""
    try:
        content = (project / "pyproject.toml").read_bytes()
    except OSError:
        content = b""
    return (*_stands(target), "project", name, hashlib.sha256(content).hexdigest())


def stage_needs(plan: Plan) -> tuple[Need, ...]:
    """Return what a plan needs that can be staged: not what is in the wheelhouse, in modules or beside the project."""
    needs: list[Need] = []
    for step in plan.wheels:
        artefact = step.artefact
        if step.build:
            key = source_key(plan.target, artefact, plan.root)
            assert key is not None  # noqa: S101 - wheels of a wheelhouse are not built
            needs.append(Need("built", step.name, step.version, _words(artefact), key=key, step=step))
        elif isinstance(artefact, IndexArtefact | UrlArtefact):
            file, sha256 = artefact.file, artefact.sha256
            needs.append(Need("file", step.name, step.version, file, artefact.size, sha256, file, step=step))
    if plan.project is not None:
        key = project_key(plan.target, plan.project, plan.project_name)
        needs.append(Need("project", normalise(plan.project_name), "", "the project itself", key=key))
    return tuple(needs)


def survey_stage(plan: Plan, stage: WheelStore, wheelhouse: Path | None) -> Survey:
    """Look what a stage has of a plan, without reading what is in its files; makes no network call.

    `wheelhouse` is the root folder of the site's layers, None where the site has none.
    """
    here: list[tuple[Need, BuiltWheel]] = []
    lacking: list[Need] = []
    for need in stage_needs(plan):
        if (found := staged(need, stage)) is None:
            lacking.append(need)
        else:
            here.append((need, found))
    return Survey(plan, tuple(here), tuple(lacking), tuple(_gone(plan, wheelhouse)))


def staged(need: Need, stage: WheelStore) -> BuiltWheel | None:
    """Return what a stage has for a need; its content is not looked at."""
    if need.kind != "file":
        return stage.built(need.key)
    path = stage.file(need.sha256, need.file, need.size)
    return BuiltWheel(path, need.sha256, need.size or path.stat().st_size) if path is not None else None


def _gone(plan: Plan, wheelhouse: Path | None) -> Iterator[tuple[Name, str, str]]:
    looked = wheelhouse if wheelhouse is not None and wheelhouse.is_dir() else None
    for step in plan.wheels:
        match step.artefact:
            case WheelhouseArtefact(layer, file) if file and looked is not None:
                path = looked / layer / file
            case PathArtefact(path=where):
                path = plan.root / where
            case _:
                continue
        if not path.exists():
            yield step.name, step.version, str(path)


def _stands(target: LockedTarget) -> tuple[str, ...]:
    """Return what a wheel is built for."""
    minor = ".".join(target.python.split(".")[:2])
    environment = (target.site, target.environment, target.cpu_level, " ".join(target.modules))
    return (_FORM, *environment, minor, target.os, target.machine)


def _words(artefact: Installable) -> str:
    """Return in a word or two what a wheel is built of."""
    match artefact:
        case IndexArtefact(file=file) | UrlArtefact(file=file):
            return file
        case VcsArtefact():
            return f"{artefact.url or artefact.path} at {artefact.commit[:12]}"
        case PathArtefact(path=path):
            return path
        case WheelhouseArtefact(file=file):
            return file
