"""``tumpline why NAME``: who asks for a package, why this version from this source, and what was passed over."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, find_project, open_index, open_targets
from tumpline.errors import EnvironmentFailure, InputError, NotSo
from tumpline.lock import ModuleArtefact, WheelhouseArtefact
from tumpline.lock.file import LOCK_NAME, read_lock
from tumpline.lock.why import Asker, Chain, askers_of, chains_to
from tumpline.project.read import read_project
from tumpline.values import Name, normalise, parse_version, public_version

if TYPE_CHECKING:
    from packaging.version import Version

    from tumpline.lock import Lock, LockedPackage, LockedTarget, Pin
    from tumpline.project import Declared, Project
    from tumpline.resolve.passed import PassedOver

__all__ = ["configure", "execute"]

_MOST_ASKERS = 8
_MOST_CHAINS = 3
_MOST_VERSIONS = 4
_NEAR = 3
_BY_ADDRESS = ("path", "url", "vcs")


@dataclass(frozen=True, slots=True)
class _Request:
    """Who asks: `asker` is empty for the project; `specifier` is None where it is not known."""

    asker: str
    version: str
    specifier: str | None
    targets: tuple[str, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class _Why:
    package: LockedPackage
    requests: tuple[_Request, ...]
    chains: tuple[Chain, ...]
    passed: tuple[PassedOver, ...]
    unknown: str
    """Why what was passed over is not known; empty where it is."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("name", metavar="NAME", help="a package of the lock")
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the answer; raises NotSo ``not-locked`` where the lock has no such package."""
    root = find_project(options)
    lock = read_lock(root / LOCK_NAME)
    project = read_project(root)
    name = normalise(options.name)
    package = next((package for package in lock.packages if package.name == name), None)
    if package is None:
        raise _not_locked(name, lock)
    why = _why(package, lock, project, options, terminal)
    if terminal.json:
        terminal.data(json.dumps(_data(why, lock), indent=2))
    else:
        terminal.data("\n".join(_lines(why, lock)))
    return 0


def _not_locked(name: Name, lock: Lock) -> NotSo:
    import difflib

    near = difflib.get_close_matches(name, [package.name for package in lock.packages], n=_NEAR)
    hint = f"did you mean {' or '.join(near)}?" if near else f"tumpline explain {name} says what adding it would mean"
    return NotSo.of("not-locked", f"the lock has no package {name}", where=LOCK_NAME, hint=hint)


def _why(package: LockedPackage, lock: Lock, project: Project, options: argparse.Namespace, terminal: Terminal) -> _Why:
    declared = [each for each in project.requirements if normalise(each.requirement.name) == package.name]
    askers = askers_of(lock, package.name)
    chains = chains_to(lock, package.name)
    requests = tuple(map(_own_request, declared))
    try:
        specifiers, passed = _look(package, lock, project, askers, requests, options, terminal)
    except (EnvironmentFailure, InputError) as error:
        others = tuple(_Request(a.name, a.version, None, a.targets) for a in askers)
        return _Why(package, (*requests, *others), chains, (), error.problems[0].message)
    others = tuple(_Request(a.name, a.version, specifiers[a.name], a.targets) for a in askers)
    return _Why(package, (*requests, *others), chains, passed, "")


def _own_request(declared: Declared) -> _Request:
    requirement = declared.requirement
    marker = f"; {requirement.marker}" if requirement.marker else ""
    return _Request("", "", f"{requirement.specifier}{marker}", (), declared.origin)


def _look(
    package: LockedPackage,
    lock: Lock,
    project: Project,
    askers: Sequence[Asker],
    requests: Sequence[_Request],
    options: argparse.Namespace,
    terminal: Terminal,
) -> tuple[dict[Name, str | None], tuple[PassedOver, ...]]:
    """Ask the catalogues and the index what others ask of the package, and which newer versions there are."""
    from tumpline.resolve.needs import NeedsReader
    from tumpline.resolve.offers import OfferBook
    from tumpline.resolve.passed import Bound, asked_by, passed_over

    with LiveLine(terminal) as live, open_index(options) as index:
        live("reading the catalogues")
        targets, catalogues = open_targets(project, options)
        book = OfferBook(targets, catalogues, index, project.settings.packages, exclude_newer=lock.exclude_newer)
        reader = NeedsReader(index)
        places = {target.name: place for place, target in enumerate(targets)}
        locked = {other.name: other for other in lock.packages}
        specifiers: dict[Name, str | None] = {}
        for asker in askers:
            live(f"reading what {asker.name} asks for")
            pins = [pin for pin in locked[asker.name].pins if pin.target in asker.targets and pin.target in places]
            found = [
                asked_by(
                    book,
                    reader,
                    asker.name,
                    public_version(parse_version(pin.version)),
                    places[pin.target],
                    package.name,
                )
                for pin in pins
            ]
            specifiers[asker.name] = next((each for each in found if each is not None), None)
        bounds = [Bound("", request.specifier.partition(";")[0]) for request in requests if request.specifier]
        bounds += [
            Bound("", str(each.requirement.specifier), constraint=True)
            for each in project.settings.constraints
            if normalise(each.requirement.name) == package.name
        ]
        bounds += [Bound(asker, specifier) for asker, specifier in specifiers.items() if specifier]
        live(f"looking for newer versions of {package.name}")
        versions: dict[str, list[int]] = {}
        for pin in package.pins:
            if pin.target in places and pin.source not in _BY_ADDRESS:
                public = str(_public(pin.version))
                versions.setdefault(public, []).append(places[pin.target])
        passed = [
            each
            for version, at in versions.items()
            for each in passed_over(book, reader, package.name, at, parse_version(version), bounds)
        ]
        return specifiers, tuple(dict.fromkeys(passed))


def _public(version: str) -> Version:
    return public_version(parse_version(version))


def _lines(why: _Why, lock: Lock) -> Iterator[str]:
    package = why.package
    yield f"{package.name} {package.version}"
    if package.divergence:
        yield f"  differs: {package.divergence}"
    yield "asked for by"
    for request in why.requests[:_MOST_ASKERS]:
        yield f"  {_request_words(request, package.name, len(lock.targets))}"
    if len(why.requests) > _MOST_ASKERS:
        yield f"  … and {len(why.requests) - _MOST_ASKERS} more"
    longer = [chain for chain in why.chains if len(chain.names) > 1]
    for chain in longer[:_MOST_CHAINS]:
        yield f"  the project -> {' -> '.join(chain.names)}"
    if len(longer) > _MOST_CHAINS:
        yield f"  … and {len(longer) - _MOST_CHAINS} more ways"
    yield "taken"
    for pin in package.pins:
        yield f"  {pin.target}: {_pin_words(pin, lock.target(pin.target))}"
    yield "passed over"
    if why.unknown:
        yield f"  not known: {why.unknown}"
    for group in why.passed:
        on = f"{', '.join(group.targets)}: " if group.targets else ""
        yield f"  {_listed(group.versions)}: {on}{group.words}"
    if any(pin.source in _BY_ADDRESS for pin in package.pins):
        yield "  nothing where an address decides the version"
    elif not why.passed and not why.unknown:
        yield "  nothing: it is the newest version that any source has"


def _request_words(request: _Request, name: Name, targets: int) -> str:
    asker = f"{request.asker} {request.version}" if request.asker else "the project"
    asked = "" if request.specifier is None else f": {name}{request.specifier}"
    on = f" on {', '.join(request.targets)}" if 0 < len(request.targets) < targets else ""
    return f"{asker}{asked}{on}" + (f" ({request.origin})" if request.origin else "")


def _pin_words(pin: Pin, target: LockedTarget | None) -> str:
    if pin.source in _BY_ADDRESS:
        return f"{pin.version} from the address that the project gives"
    wheelhouse = target is not None and bool(target.catalogue or target.layers)
    match pin.artefact:
        case ModuleArtefact(module):
            return f"{pin.version} from the module {module}, which is loaded there"
        case WheelhouseArtefact():
            return f"{pin.version} from the wheelhouse, which goes before the index"
        case _ if not wheelhouse:
            return f"{pin.version} from the index, the only source there"
        case _ if target is not None and target.policy == "pypi":
            return f"{pin.version} from the index, which is the policy there"
        case _:
            return f"{pin.version} from the index, since the wheelhouse has no version that fits or is not asked for it"


def _listed(versions: Sequence[str]) -> str:
    rest = len(versions) - _MOST_VERSIONS
    return ", ".join(versions[:_MOST_VERSIONS]) + (f" and {rest} more" if rest > 0 else "")


def _data(why: _Why, lock: Lock) -> dict[str, object]:
    """Return the answer as plain data; its form is documented in ``docs/reference/explain.md``."""
    return {
        "schema": "tumpline.why/1",
        "name": why.package.name,
        "version": why.package.version,
        "divergence": why.package.divergence or None,
        "asked-by": [
            {
                "asker": request.asker or None,
                "version": request.version or None,
                "specifier": request.specifier,
                "targets": list(request.targets),
                "origin": request.origin or None,
            }
            for request in why.requests
        ],
        "chains": [{"names": list(chain.names), "targets": list(chain.targets)} for chain in why.chains],
        "targets": [
            {
                "target": pin.target,
                "version": pin.version,
                "source": pin.source,
                "message": _pin_words(pin, lock.target(pin.target)),
            }
            for pin in why.package.pins
        ],
        "passed-over": [
            {"kind": p.kind, "message": p.words, "versions": list(p.versions), "targets": list(p.targets)}
            for p in why.passed
        ],
        "passed-over-unknown": why.unknown or None,
    }
