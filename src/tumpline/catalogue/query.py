"""Searching a catalogue: which wheels there are of what is asked for.

Quick to import, and quick for the usual questions: in a catalogue the newest version of a project comes first, so the
latest is found without comparing any, and `packaging` is imported only for specifiers and odd versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tumpline.errors import InputError
from tumpline.values import Name, normalise, parse_specifier, version_key
from tumpline.wheels.tags import admits_some, fits_python

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.store import Catalogue

__all__ = ["Ask", "Found", "Terms", "admits", "looked_for", "matches", "meant", "parse_ask", "public", "search"]

_ASK = r"""(?x)\s*(?P<name>[A-Za-z0-9*?](?:[A-Za-z0-9._*?-]*[A-Za-z0-9*?])?)\s*
    (?:\[[^\]]*\])?\s*
    (?:\+[A-Za-z0-9._-]+\s*)?
    \(?(?P<specifier>(?:[<>=!~][^;()@]*)?)\)?\s*(?:;.*)?"""
"""What can be asked for. Not compiled here: most searches are for a plain name."""
_PLAIN = re.compile(r"[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")
_LOCAL = r"\+[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*"
_LONGEST = 500
_ODD_WILDCARD = r"(?<![=!])(<=?|>=?)\s*([0-9.]+?)\.\*"
_FINAL = re.compile(r"\d+(?:\.\d+)*(?:\.post\d+)?(?:\+.*)?")


class Ask(NamedTuple):
    """One thing that is asked for: a name or a pattern of names with ``*`` and ``?``, and a specifier set.

    `name` is normalised (PEP 503), `given` is as it was written.
    """

    given: str
    name: str
    specifier: str = ""

    @property
    def wild(self) -> bool:
        """Whether the name is a pattern."""
        return "*" in self.name or "?" in self.name


class Terms(NamedTuple):
    """What wheels are looked for: `pythons` are minor versions, `layers` names; None for any.

    With `latest`, only the newest version that fits is wanted of each project. Pre-releases count always, or never (but
    for a specifier that names one), or with None where no final release fits. With `metadata`, a wheel is for a Python
    only if its ``Requires-Python`` says so too, where that was read. Modules are those of a software environment, or
    with an empty one of any.
    """

    pythons: tuple[str, ...] | None = None
    layers: tuple[str, ...] | None = None
    latest: bool = True
    prereleases: bool | None = None
    metadata: bool = True
    environment: str = ""

    def fits(self, row: WheelRow) -> bool:
        """Say whether a wheel is one of those looked for, whatever its version."""
        return self.fits_layer(row) and self.fits_python(row)

    def fits_layer(self, row: WheelRow) -> bool:
        """Say whether a wheel is in one of the layers; of a list's rows the layer is not known."""
        return self.layers is None or not row.layer or row.layer in self.layers

    def fits_python(self, row: WheelRow) -> bool:
        """Say whether a wheel is for one of the Pythons."""
        if self.pythons is None:
            return True
        if row.tags:
            asked = row.needs.requires_python if row.needs is not None and self.metadata else ""
            return any(fits_python(row.tags, minor) and _suits(asked, minor) for minor in self.pythons)
        return any(minor in row.pythons for minor in self.pythons)


class Found(NamedTuple):
    """A project and its wheels that were looked for, the newest version first."""

    name: Name
    wheels: tuple[WheelRow, ...]


def parse_ask(text: str) -> Ask:
    """Read what a person asks for: ``numpy``, ``*cdf*``, ``numpy<2``, ``torch[opt]==2.6; python_version > "3"``.

    Extras and markers do not matter here, and local versions are left out (R1). ``>=1.21.*``, which is no specifier of
    PEP 440, is taken as ``>=1.21``. Raises InputError ``bad-search``.
    """
    if len(text) <= _LONGEST and _PLAIN.fullmatch(text):
        return Ask(text, normalise(text))
    match = re.fullmatch(_ASK, text) if len(text) <= _LONGEST else None
    if match is None:
        raise _bad(text, "it is not a name, a pattern or a requirement")
    specifier = re.sub(_ODD_WILDCARD, r"\1\2", re.sub(_LOCAL, "", match["specifier"]).strip())
    if specifier:
        try:
            parse_specifier(specifier)
        except ValueError as error:
            raise _bad(text, str(error)) from error
    return Ask(text.strip(), normalise(match["name"]), specifier)


def search(catalogue: Catalogue, asks: Sequence[Ask], terms: Terms, *, needs: bool = False) -> Iterator[Found]:
    """Yield the projects asked for that have such wheels, by name; without asks, all of them.

    A name that several asks mean (see `meant`) is found where any of them admits the version. With `needs`, the wheels
    say what they need. Raises what the catalogue raises.
    """
    chosen = _choose(catalogue, asks) if asks else None
    needs = needs or (terms.metadata and terms.pythons is not None)
    for name, rows in catalogue.offered(chosen, needs=needs):
        if wheels := looked_for(rows, chosen[name] if chosen is not None else ("",), terms):
            yield Found(name, wheels)


def looked_for(rows: Iterator[WheelRow], specifiers: Sequence[str], terms: Terms) -> tuple[WheelRow, ...]:
    """Return the wheels that are looked for of a project's, which come with the newest version first."""
    if terms.prereleases is not None:
        return tuple(_wheels(rows, specifiers, terms))
    kept = _Kept(rows)
    finals = tuple(_wheels(kept, specifiers, terms))
    return finals or tuple(_wheels(kept, specifiers, terms._replace(prereleases=True)))


class _Kept:
    """Rows that can be gone through again, each decoded once."""

    def __init__(self, rows: Iterator[WheelRow]) -> None:
        self._rows = rows
        self._seen: list[WheelRow] = []

    def __iter__(self) -> Iterator[WheelRow]:
        yield from self._seen
        for row in self._rows:
            self._seen.append(row)
            yield row


def matches(ask: Ask, name: Name) -> bool:
    """Say whether a name is meant."""
    from fnmatch import fnmatchcase

    return fnmatchcase(name, ask.name) if ask.wild else name == ask.name


def meant(asks: Iterable[Ask], name: Name) -> list[Ask]:
    """Return the asks that decide about a project: those that name it, and patterns only where none does."""
    fitting = [ask for ask in asks if matches(ask, name)]
    return [ask for ask in fitting if not ask.wild] or fitting


def _choose(catalogue: Catalogue, asks: Sequence[Ask]) -> dict[Name, tuple[str, ...]]:
    """Return the names that are asked for, sorted, each with the specifiers that it is asked with."""
    names = {Name(ask.name) for ask in asks if not ask.wild}
    if patterns := [ask for ask in asks if ask.wild]:
        from fnmatch import filter as matching

        known = catalogue.names()
        # Each pattern is looked at once, where `matches` would do it for each of thousands of names.
        names.update(Name(name) for ask in patterns for name in matching(known, ask.name))
    # By name rather than with `meant`, which would go through a thousand names a thousand times.
    by_name: dict[str, list[Ask]] = {}
    for ask in asks:
        by_name.setdefault(ask.name, []).append(ask)
    return {
        name: tuple(dict.fromkeys(ask.specifier for ask in by_name.get(name) or meant(patterns, name)))
        for name in sorted(names)
    }


def _wheels(rows: Iterable[WheelRow], specifiers: Sequence[str], terms: Terms) -> Iterator[WheelRow]:
    version = ""
    latest: WheelRow | None = None
    for row in rows:
        if latest is not None and row.version != version and not _equal(row.version, latest.version):
            # Whatever follows is older.
            return
        if terms.fits(row) and any(admits(specifier, row.version, terms.prereleases) for specifier in specifiers):
            yield row
            if terms.latest:
                latest, version = row, row.version


def _equal(one: str, other: str) -> bool:
    """Say whether two spellings are one public version (R1): ``1.0``, ``1.0.0`` and ``1.0+computecanada``."""
    one, other = public(one), public(other)
    if one.rstrip(".0") != other.rstrip(".0"):
        return False
    return one == other or version_key(one) == version_key(other)


def admits(specifier: str, version: str, prereleases: bool | None) -> bool:
    """Say whether a specifier set admits a version, compared as a public one (R1)."""
    if not specifier:
        return prereleases is True or _is_final(version)
    specifiers = parse_specifier(specifier)
    try:
        return specifiers.contains(public(version), prereleases=prereleases is True or bool(specifiers.prereleases))
    except ValueError:  # InvalidVersion is one
        return False


def _suits(requires_python: str, minor: str) -> bool:
    """Say whether a wheel that asks so is for a Python; pip takes one that asks what can not be read."""
    try:
        return admits_some(requires_python, minor)
    except ValueError:
        return True


def _is_final(version: str) -> bool:
    """Say whether a version is a final release; what is no version is taken as one."""
    if _FINAL.fullmatch(version):
        return True
    _, key = version_key(version)
    return isinstance(key, str) or not key.is_prerelease


def public(version: str) -> str:
    """Return the public part of a version as spelled."""
    return version.partition("+")[0]


def _bad(text: str, why: str) -> InputError:
    return InputError.of(
        "bad-search",
        f"{text[:100]!r} can not be searched for",
        why=why,
        hint="write a name (numpy), a pattern in quotes ('*cdf*') or a requirement ('numpy<2')",
    )
