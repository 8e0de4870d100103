"""The lock as the tables of its file: the layout, decided in one place.

What is equal on several targets is written once, and what is empty is not written at all, so that a change of one
version changes few lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tumpline.lock.model import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.lock.toml import Value
from tumpline.values import Name

__all__ = ["BLOCKS", "document_of"]

BLOCKS = frozenset({"target", "package", "pin"})
"""The keys that hold arrays of tables."""

Rows = dict[str, Value]


def document_of(lock: Lock) -> Rows:
    """Return the tables of a lock: inputs, ``target`` and ``package``; `tumpline.lock.parse` is the way back.

    Packages are in the order of their names and pins in the order of the targets, whatever order they come in.
    """
    order = {target.name: position for position, target in enumerate(lock.targets)}
    return {
        "inputs": lock.inputs,
        **_filled({"requires-python": lock.requires_python}),
        **({} if lock.resolution == "highest" else {"resolution": lock.resolution}),
        **_filled({"exclude-newer": lock.exclude_newer}),
        "roots": [*lock.roots],
        "target": [_target(target) for target in lock.targets],
        "package": [_package(package, order) for package in sorted(lock.packages, key=lambda package: package.name)],
    }


def _filled(pairs: Mapping[str, Value]) -> Rows:
    return {key: value for key, value in pairs.items() if value}


def _target(target: LockedTarget) -> Rows:
    return _filled(
        {
            "name": target.name,
            "site": target.site,
            "environment": target.environment,
            "cpu-level": target.cpu_level,
            "python": target.python,
            "modules": [*target.modules],
            "policy": target.policy,
            "os": target.os,
            "machine": target.machine,
            "platform": target.platform,
            "layers": [*target.layers],
            "catalogue": target.catalogue,
            "catalogue-date": target.catalogue_date,
            "grade": target.grade or "",
        }
    )


def _package(package: LockedPackage, order: Mapping[str, int]) -> Rows:
    requires = _commonest(pin.requires for pin in package.pins)
    groups: dict[Pin, list[str]] = {}
    for pin in sorted(package.pins, key=lambda pin: order[pin.target]):
        groups.setdefault(replace(pin, target=""), []).append(pin.target)
    return {
        "name": package.name,
        "version": package.version,
        **_filled({"requires": [*requires]}),
        "pin": [_pin(pin, targets, package.version, requires) for pin, targets in groups.items()],
    }


def _pin(pin: Pin, targets: list[str], version: str, requires: tuple[Name, ...]) -> Rows:
    row: Rows = {"targets": targets}
    if pin.version != version:
        row["version"] = pin.version
    row["source"] = pin.source
    row.update(_artefact(pin.artefact))
    if pin.build:
        row["build"] = True
    if pin.requires != requires:
        row["requires"] = [*pin.requires]
    row.update(_filled({"approximate": pin.approximate, "divergence": pin.divergence}))
    return row


def _artefact(artefact: Artefact) -> Rows:
    match artefact:
        case ModuleArtefact(module):
            return {"module": module}
        case WheelhouseArtefact(layer, file, record, size):
            return {**_filled({"layer": layer, "file": file, "record": record}), **_size(size)}
        case IndexArtefact(index, file, size, sha256):
            return {**_filled({"index": index, "file": file, "sha256": sha256}), **_size(size)}
        case PathArtefact(path, sha256, size, record, subdirectory):
            words = {"path": path, "subdirectory": subdirectory, "sha256": sha256, "record": record}
            return {**_filled(words), **_size(size)}
        case UrlArtefact(url, file, sha256, size, subdirectory):
            words = {"url": url, "file": file, "subdirectory": subdirectory, "sha256": sha256}
            return {**_filled(words), **_size(size)}
        case VcsArtefact(commit, url, path, reference, subdirectory):
            place = {"url": url, "path": path, "reference": reference, "commit": commit, "subdirectory": subdirectory}
            return _filled(place)


def _size(size: int | None) -> Rows:
    return {} if size is None else {"size": size}


def _commonest(values: Iterable[tuple[Name, ...]]) -> tuple[Name, ...]:
    # Counter keeps the order of first appearance among equals, so the answer does not depend on hashing (R14).
    return next((value for value, _ in Counter(values).most_common(1)), ())
