"""A software bill of materials of one target: CycloneDX 1.6 as JSON (ECMA-424)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote as percent

from tumpline.lock.export import Export, pins_of, sha256_of
from tumpline.lock.model import (
    IndexArtefact,
    Lock,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.values import Name, parse_version, public_version

if TYPE_CHECKING:
    from tumpline.project import Project

__all__ = ["export_sbom"]


def export_sbom(lock: Lock, target: str, project: Project, version: str) -> Export:
    """Return what is installed on a target, or brought by its modules, and who needs whom.

    `version` is that of tumpline. Versions are public ones; what a wheelhouse has built for itself says so in its
    properties, with the digest that pins it. The same lock gives the same bytes: there is no serial number and no time
    (R14). Raises InputError ``unknown-target``.
    """
    where, pins = pins_of(lock, target)
    root = f"project:{project.name or project.root.name}"
    references = {name: _purl(name, pin) for name, pin in pins}
    properties = [
        ("target", where.name),
        ("site", where.site),
        ("python", where.python),
        ("software-environment", where.environment),
        ("cpu-level", where.cpu_level),
        *(("module", module) for module in where.modules),
        ("lock-inputs", lock.inputs),
    ]
    own: dict[str, object] = {"type": "application", "bom-ref": root, "name": project.name or project.root.name}
    if project.version:
        own["version"] = project.version
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "tumpline", "version": version}]},
            "component": own,
            "properties": _properties(properties),
        },
        "components": [_component(name, pin, references[name]) for name, pin in pins],
        "dependencies": [
            {"ref": root, "dependsOn": sorted(references[name] for name in lock.roots if name in references)},
            *(
                {
                    "ref": references[name],
                    "dependsOn": sorted(references[other] for other in pin.requires if other in references),
                }
                for name, pin in pins
            ),
        ],
    }
    return Export(json.dumps(document, indent=2) + "\n")


def _component(name: Name, pin: Pin, reference: str) -> dict[str, object]:
    component: dict[str, object] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": str(public_version(parse_version(pin.version))),
        "purl": reference,
    }
    if sha256 := sha256_of(pin.artefact):
        component["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    properties: list[tuple[str, str]] = [("source", pin.source)]
    match pin.artefact:
        case WheelhouseArtefact(layer=layer, record=record):
            properties += [("layer", layer), ("record-sha256", record)]
        case ModuleArtefact(module=module):
            properties += [("module", module)]
        case IndexArtefact(index=index):
            properties += [("index", index)]
        case PathArtefact(path=path):
            properties += [("path", path)]
        case VcsArtefact(commit=commit, url=url):
            properties += [("commit", commit)]
            if url:
                component["externalReferences"] = [{"type": "vcs", "url": url}]
        case UrlArtefact(url=url):
            component["externalReferences"] = [{"type": "distribution", "url": url}]
    properties += [("approximate", pin.approximate), ("divergence", pin.divergence)]
    component["properties"] = _properties(properties)
    return component


def _purl(name: Name, pin: Pin) -> str:
    """Return the package URL (purl specification, type ``pypi``): the normalised name and the public version."""
    version = str(public_version(parse_version(pin.version)))
    return f"pkg:pypi/{percent(name, safe='')}@{percent(version, safe='')}"


def _properties(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": f"tumpline:{name}", "value": value} for name, value in pairs if value]
