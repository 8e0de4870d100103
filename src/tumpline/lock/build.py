"""From a resolution to a lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tumpline.addresses import Addressed
from tumpline.catalogue import CatalogueReader, Wheel
from tumpline.index import IndexFile
from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    Pin,
    WheelhouseArtefact,
)
from tumpline.project import Project
from tumpline.resolve.model import Choice, Resolution, Resolved
from tumpline.resolve.target import Target
from tumpline.values import public_version

__all__ = ["build_lock"]


def build_lock(
    project: Project,
    resolution: Resolution,
    catalogues: Sequence[CatalogueReader | None],
    *,
    with_hash: Callable[[IndexFile], IndexFile],
) -> Lock:
    """Write down what was chosen; `catalogues` is parallel to the resolution's targets.

    `with_hash` fills in the sha256 of a file whose index does not give it, as a folder does not; what it raises goes
    through. Nothing is installed from a lock that is not pinned by a hash (R17).
    """
    return Lock(
        inputs=project.inputs,
        requires_python=project.requires_python,
        targets=tuple(
            _target(target, catalogue) for target, catalogue in zip(resolution.targets, catalogues, strict=True)
        ),
        roots=resolution.roots,
        packages=tuple(
            LockedPackage(
                package.name,
                str(package.version),
                tuple(_pin(package, choice, with_hash) for choice in package.choices),
            )
            for package in resolution.packages
        ),
        resolution=project.settings.resolution,
        exclude_newer=project.settings.exclude_newer,
    )


def _target(target: Target, catalogue: CatalogueReader | None) -> LockedTarget:
    platform = target.site.platform
    return LockedTarget(
        name=target.name,
        site=target.site.name,
        python=target.python if target.site.environments else target.minor,
        os=platform.os,
        machine=platform.machine,
        policy=target.policy,
        platform=_newest_tag(platform.tags),
        environment=target.environment,
        cpu_level=target.cpu_level,
        modules=target.modules,
        layers=target.layers,
        catalogue=catalogue.info.identity if catalogue is not None else "",
        catalogue_date=catalogue.info.date if catalogue is not None else "",
        grade=catalogue.info.grade if catalogue is not None else None,
    )


def _newest_tag(tags: tuple[str, ...]) -> str:
    """Return the tag that implies the others: a system that takes manylinux_2_28 takes all older ones (PEP 600)."""
    return next((tag for tag in tags if not tag.startswith("linux_")), tags[0] if tags else "")


def _pin(package: Resolved, choice: Choice, with_hash: Callable[[IndexFile], IndexFile]) -> Pin:
    return Pin(
        target=choice.target,
        version=str(choice.offer.version),
        artefact=_artefact(choice, with_hash),
        requires=choice.requires,
        approximate=choice.approximate,
        divergence=package.divergence if public_version(choice.offer.version) != package.version else "",
    )


def _artefact(choice: Choice, with_hash: Callable[[IndexFile], IndexFile]) -> Artefact:
    artefact = choice.offer.artefact
    if isinstance(artefact, Wheel):
        return WheelhouseArtefact(artefact.layer, artefact.file, artefact.record, artefact.size)
    if isinstance(artefact, IndexFile):
        known = artefact if artefact.sha256 else with_hash(artefact)
        return IndexArtefact(known.index, known.file, known.size, known.sha256)
    if isinstance(artefact, Addressed):
        return artefact.artefact
    return ModuleArtefact(f"{artefact.module}/{artefact.module_version}")
