"""A paragraph for the methods section of a paper: which packages, in which versions, on which machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tumpline.lock.export import Export, pins_of
from tumpline.lock.model import Lock, LockedPackage, LockedTarget
from tumpline.values import parse_version, public_version

__all__ = ["LANGUAGES", "Cluster", "Language", "export_methods"]

Language = Literal["en", "fr"]

LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The name of a target's cluster, and whether it is one of the Alliance's."""

    title: str
    alliance: bool = False


@dataclass(frozen=True, slots=True)
class _Words:
    """The phrases of one language, with what is filled in."""

    both: str
    between: str
    alliance: str
    place: str
    machines: Mapping[str, str]
    environment: str
    module: str
    modules: str
    ran: str
    used: str
    elsewhere: str
    locked: str
    cut_off: str


_WORDS: Mapping[Language, _Words] = {
    "en": _Words(
        both=" and ",
        between="; ",
        alliance="{title} of the Digital Research Alliance of Canada",
        place="Python {python} on {title}",
        machines={"linux": "a Linux machine", "macos": "a Mac", "windows": "a Windows machine"},
        environment="software environment StdEnv/{environment}, {level}",
        module="module {modules}",
        modules="modules {modules}",
        ran="The analyses ran in {places}",
        used=", with {packages}",
        elsewhere="{version} on {title}",
        locked="The environment, of {count} packages in all, was resolved with Tumpline {version}; its lock file has "
        "the SHA-256 digest {digest}.",
        cut_off="What the package index received from {date} on was left out.",
    ),
    "fr": _Words(
        both=" et ",
        between=" ; ",
        alliance="{title} de l’Alliance de recherche numérique du Canada",
        place="Python {python} sur {title}",
        machines={"linux": "une machine Linux", "macos": "un Mac", "windows": "une machine Windows"},
        environment="environnement logiciel StdEnv/{environment}, {level}",
        module="module {modules}",
        modules="modules {modules}",
        ran="Les analyses ont été menées avec {places}",
        used=", et avec {packages}",
        elsewhere="{version} sur {title}",
        locked="L’environnement, de {count} paquets en tout, a été résolu avec Tumpline {version} ; son fichier de "
        "verrouillage a l’empreinte SHA-256 {digest}.",
        cut_off="Ce que l’index de paquets a reçu à partir du {date} a été laissé de côté.",
    ),
}


def export_methods(
    lock: Lock, digest: str, version: str, clusters: Mapping[str, Cluster], target: str = "", language: Language = "en"
) -> Export:
    """Return the paragraph, for one target or for all; only what the project itself asks for is named.

    `digest` is that of the lock's file, `version` that of tumpline, `clusters` are those of targets, by name.
    Raises InputError ``unknown-target``.
    """
    if target:
        pins_of(lock, target)
    words = _WORDS[language]
    targets = [each for each in lock.targets if target in ("", each.name)]
    names = {each.name for each in targets}
    packages = [package for package in lock.packages if any(pin.target in names for pin in package.pins)]
    used = [_package(package, targets, clusters, words) for package in packages if package.name in lock.roots]
    ran = words.ran.format(places=_joined([_place(each, clusters, words) for each in targets], words))
    with_packages = words.used.format(packages=_joined(used, words)) if used else ""
    sentences = [f"{ran}{with_packages}."]
    sentences.append(words.locked.format(count=len(packages), version=version, digest=digest))
    if lock.exclude_newer:
        sentences.append(words.cut_off.format(date=lock.exclude_newer))
    return Export(f"{' '.join(sentences)}\n")


def _place_name(target: LockedTarget, clusters: Mapping[str, Cluster], words: _Words) -> str:
    """Return the name of a place with whose it is, for the first time that it is named."""
    title = _title(target, clusters, words)
    cluster = clusters.get(target.name)
    return words.alliance.format(title=title) if cluster is not None and cluster.alliance else title


def _place(target: LockedTarget, clusters: Mapping[str, Cluster], words: _Words) -> str:
    told = words.place.format(python=target.python, title=_place_name(target, clusters, words))
    details = []
    if target.environment:
        details.append(words.environment.format(environment=target.environment, level=target.cpu_level))
    if target.modules:
        form = words.module if len(target.modules) == 1 else words.modules
        details.append(form.format(modules=_joined(target.modules, words)))
    return f"{told} ({words.between.join(details)})" if details else told


def _package(
    package: LockedPackage, targets: Sequence[LockedTarget], clusters: Mapping[str, Cluster], words: _Words
) -> str:
    """Return name and version; where targets have other versions, which and where."""
    versions: dict[str, list[str]] = {}
    for target in targets:
        if (pin := package.pin(target.name)) is not None:
            versions.setdefault(str(public_version(parse_version(pin.version))), []).append(
                _title(target, clusters, words)
            )
    common = package.version if package.version in versions else next(iter(versions))
    others = [
        words.elsewhere.format(version=version, title=_joined(list(dict.fromkeys(places)), words))
        for version, places in versions.items()
        if version != common
    ]
    return f"{package.name} {common}" + (f" ({_joined(others, words)})" if others else "")


def _title(target: LockedTarget, clusters: Mapping[str, Cluster], words: _Words) -> str:
    if (cluster := clusters.get(target.name)) is None:
        return words.machines.get(target.os, target.site)
    return cluster.title


def _joined(parts: Sequence[str], words: _Words) -> str:
    return words.both.join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))
