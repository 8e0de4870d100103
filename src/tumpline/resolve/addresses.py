"""What a project takes by address: found before the search, since an address leaves no choice of versions.

An address counts where the project names it, and where a package names it that is itself taken by address. What comes
from an index may not bring addresses in: nobody has chosen those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.requirements import Requirement

from tumpline.addresses import Addressed, SourceReader, VcsArtefact, bare_address
from tumpline.errors import InputError
from tumpline.project import Declared
from tumpline.resolve.markers import MarkerEnvironment
from tumpline.resolve.target import Target
from tumpline.values import Name, normalise

__all__ = ["Addresses", "find_addresses"]

Addresses = Mapping[tuple[Name, int], Addressed]
"""By name and place (of a target in the list): what is taken by address there."""


def find_addresses(declared: Sequence[Declared], targets: Sequence[Target], reader: SourceReader) -> Addresses:
    """Read everything that is asked for by address, on every target where it is.

    Raises InputError ``addresses-conflict`` where one package has two on one target that do not lead to the same, and
    what the reader raises; each says where the address is written.
    """
    found: dict[tuple[Name, int], Addressed] = {}
    for place, target in enumerate(targets):
        for name, row in _Finding(reader, target).of(declared).items():
            found[name, place] = row.addressed
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """A requirement, where it is written, and the package whose metadata it is in (None: the project itself)."""

    requirement: Requirement
    origin: str
    within: Addressed | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    addressed: Addressed
    origin: str


class _Finding:
    """Follows addresses on one target."""

    def __init__(self, reader: SourceReader, target: Target) -> None:
        self._reader = reader
        self._target = target.name
        self._environment = MarkerEnvironment(target.markers)
        self._found: dict[Name, _Found] = {}
        self._extras: dict[Name, set[str]] = {}

    def of(self, declared: Sequence[Declared]) -> dict[Name, _Found]:
        pending = [
            _Asked(each.requirement, each.origin)
            for each in declared
            if each.meant_for(self._target) and self._environment.holds(str(each.requirement.marker or ""))
        ]
        done: set[tuple[Name, str]] = set()
        while pending:
            for asked in pending:
                self._take(asked)
            # An extra may be asked for after the package it is of was looked at, and by anything.
            ahead = [(name, extra) for name in sorted(self._found) for extra in sorted(self._extras[name])]
            ahead = [step for step in ahead if step not in done]
            done.update(ahead)
            pending = [asked for name, extra in ahead for asked in self._needs(self._found[name].addressed, extra)]
        return self._found

    def _take(self, asked: _Asked) -> None:
        name = normalise(asked.requirement.name)
        self._extras.setdefault(name, {""}).update(map(normalise, asked.requirement.extras))
        if asked.requirement.url is None:
            return
        try:
            addressed = self._reader.addressed(name, asked.requirement.url, within=asked.within)
        except InputError as error:
            raise _placed(error, asked.origin) from error
        first = self._found.setdefault(name, _Found(addressed, asked.origin))
        if _pinned(first.addressed) != _pinned(addressed):
            one, other = bare_address(addressed.address), bare_address(first.addressed.address)
            raise InputError.of(
                "addresses-conflict",
                f"{name} is asked for at two addresses",
                where=asked.origin,
                why=f"{one} and, in {first.origin}, {other}",
                hint="keep one of them, or give each a marker so that no target has both",
            )

    def _needs(self, addressed: Addressed, extra: str) -> Iterator[_Asked]:
        core = addressed.metadata.core
        origin = f"the metadata of {core.name} {core.version}"
        for line in core.requires_dist:
            try:
                requirement = self._environment.active(line, extra)
            except InputError as error:
                raise _placed(error, origin) from error
            if requirement is not None:
                yield _Asked(requirement, origin, addressed)


def _pinned(addressed: Addressed) -> object:
    """Return what is installed in the end: two references may be one commit."""
    artefact = addressed.artefact
    return replace(artefact, reference="") if isinstance(artefact, VcsArtefact) else artefact


def _placed(error: InputError, origin: str) -> InputError:
    return InputError(
        *(problem._replace(where=", ".join(filter(None, (origin, problem.where)))) for problem in error.problems)
    )
