"""Removing from a stage what no lock needs any more and nobody has used for long."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tumpline.environment.stage import project_key, source_key
from tumpline.environment.wheelstore import WheelStore, key_path
from tumpline.host.caches import KeptFile, files_below
from tumpline.lock import IndexArtefact, Lock, ModuleArtefact, UrlArtefact
from tumpline.project import Project

__all__ = ["needed_files", "unneeded_files"]


def needed_files(lock: Lock, project: Project, stage: WheelStore) -> frozenset[Path]:
    """Return the files of a stage that a lock needs on any of its targets.

    All that it may need, also where the target could not be staged as it is; reads the project's own sources.
    """
    needed: set[Path] = set()
    keys: list[tuple[str, ...]] = []
    for target in lock.targets:
        for package in lock.packages:
            pin = package.pin(target.name)
            if pin is None or isinstance(pin.artefact, ModuleArtefact):
                continue
            if pin.build and (key := source_key(target, pin.artefact, project.root)) is not None:
                keys.append(key)
            elif isinstance(pin.artefact, IndexArtefact | UrlArtefact):
                place = stage.place(pin.artefact.sha256, pin.artefact.file)
                needed.update([place] if place is not None else [])
        if project.name and project.buildable:
            keys.append(project_key(target, project.root, project.name))
    for key in keys:
        needed.add(stage.folder / key_path(key))
        if (found := stage.built(key)) is not None:
            needed.add(found.path)
    return frozenset(needed)


def unneeded_files(stage: WheelStore, needed: Iterable[Path], before: float) -> list[KeptFile]:
    """Return the files of a stage that are not needed and were not used since `before` (seconds since the epoch).

    A file counts as used when it is staged, also by another project that has it, and when it is installed.
    """
    kept = frozenset(needed)
    found = [file for name in ("files", "keys") for file in files_below(stage.folder / name)]
    return sorted(file for file in found if file.used < before and file.path not in kept)
