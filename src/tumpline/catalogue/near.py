"""What is near to something that a catalogue does not have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from tumpline.catalogue.query import Ask, Terms, admits, matches, public, search
from tumpline.values import Name, version_key

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.store import Catalogue

__all__ = ["ModuleOffer", "Near", "NearKind", "module_offers", "near", "sort_modules"]

NearKind = Literal["version", "python", "layer", "environment", "module", "spelling"]

_MOST = 5

T = TypeVar("T")


class Near(NamedTuple):
    """One thing that is there instead: other versions, Pythons, layers, software environments, modules or names.

    `items` are the most useful first, at most five.
    """

    kind: NearKind
    items: tuple[str, ...]


class ModuleOffer(NamedTuple):
    """A module with its version (``arrow/17.0.0``) that brings a version of a package, and for which Pythons."""

    environment: str
    module: str
    version: str
    pythons: tuple[str, ...]

    def fits(self, terms: Terms) -> bool:
        """Say whether it is of the software environment and for one of the Pythons that are looked for."""
        if terms.environment not in ("", self.environment):
            return False
        return terms.pythons is None or any(python in self.pythons for python in terms.pythons)


def near(catalogue: Catalogue, ask: Ask, terms: Terms, environments: Mapping[str, str]) -> tuple[Near, ...]:
    """Say what is near to an ask that found nothing; what comes first changes least.

    `environments` says of layers to which software environment they belong; those that belong to several are left out.
    """
    found: list[Near] = []
    name = Ask(ask.given, ask.name)
    if ask.specifier and (versions := _versions(catalogue, name, terms)):
        found.append(Near("version", versions))
    everywhere = Terms(latest=False)
    rows = [row for each in search(catalogue, [ask], everywhere, needs=True) for row in each.wheels]
    rows = rows or [row for each in search(catalogue, [name], everywhere, needs=True) for row in each.wheels]
    here = [row for row in rows if terms.fits_layer(row)]
    if not any(map(terms.fits_python, here)) and (pythons := _pythons(here, terms)):
        found.append(Near("python", pythons))
    elsewhere = [row for row in rows if not terms.fits_layer(row) and terms.fits_python(row)]
    used = {environments[layer] for layer in terms.layers or () if layer in environments}
    others = dict.fromkeys(
        environment for row in elsewhere if (environment := environments.get(row.layer)) and environment not in used
    )
    if others:
        found.append(Near("environment", tuple(sorted(others, reverse=True))))
    if layers := dict.fromkeys(row.layer for row in elsewhere if environments.get(row.layer) not in others):
        found.append(Near("layer", tuple(layers)[:_MOST]))
    if offers := module_offers(catalogue, ask) or module_offers(catalogue, name):
        found.append(Near("module", _modules(offers, terms)))
    if not rows and not offers and (names := _names(catalogue, ask)):
        found.append(Near("spelling", names))
    return tuple(found)


def module_offers(catalogue: Catalogue, ask: Ask) -> tuple[ModuleOffer, ...]:
    """Return the modules that bring what is asked for, as `sort_modules` has them."""
    pythons: dict[tuple[str, str, str], list[str]] = {}
    for row in catalogue.modules_for(Name(ask.name)):
        if not admits(ask.specifier, row.version, True):
            continue
        key = (row.environment, f"{row.module}/{row.module_version}", row.version)
        pythons.setdefault(key, []).append(row.python)
    offers = [ModuleOffer(*key, tuple(minors)) for key, minors in pythons.items()]
    sort_modules(offers, lambda offer: (offer.environment, *offer.module.rpartition("/")[::2], offer.version))
    return tuple(offers)


def sort_modules(rows: list[T], key: Callable[[T], tuple[str, str, str, str]], environment: str = "") -> None:
    """Sort modules in place: those of `environment` first, then by software environment, the newest first.

    In it, those that bring the newest version come first, then by module, of which the newest first. `key` gives the
    software environment, the module, its version, and the version of what it brings, empty where that does not count.
    """
    rows.sort(key=lambda row: version_key(key(row)[2]), reverse=True)
    rows.sort(key=lambda row: key(row)[1])
    rows.sort(key=lambda row: version_key(key(row)[3]), reverse=True)
    rows.sort(key=lambda row: key(row)[0], reverse=True)
    rows.sort(key=lambda row: key(row)[0] != environment)


def _modules(offers: Iterable[ModuleOffer], terms: Terms) -> tuple[str, ...]:
    """Return modules by name, those that fit first; of another software environment than is looked for with that."""
    order = sorted(offers, key=lambda offer: (not offer.fits(terms), terms.environment not in ("", offer.environment)))
    return tuple(
        offer.module
        if terms.environment in ("", offer.environment)
        else f"{offer.module} of StdEnv/{offer.environment}"
        for offer in order[:_MOST]
    )


def _versions(catalogue: Catalogue, ask: Ask, terms: Terms) -> tuple[str, ...]:
    rows = [row for each in search(catalogue, [ask], terms._replace(latest=False)) for row in each.wheels]
    return tuple(dict.fromkeys(public(row.version) for row in rows))[:_MOST]


def _pythons(rows: Iterable[WheelRow], terms: Terms) -> tuple[str, ...]:
    """Return for which Pythons wheels are, as their file names or the list have it, the newest first.

    Of one whose file name would fit, it is what its METADATA says.
    """
    found: dict[str, None] = {}
    for row in rows:
        if row.needs is not None and terms._replace(metadata=False).fits_python(row):
            found[row.needs.requires_python] = None
            continue
        for python in row.pythons or row.tags.partition("-")[0].split("."):
            found[_minor(python)] = None
    return tuple(sorted(found, key=lambda minor: [int(part) for part in minor.split(".") if part.isdecimal()]))[::-1]


def _minor(interpreter: str) -> str:
    """Return ``3.11`` for ``cp311``; anything else as it is."""
    digits = interpreter[2:]
    return f"{digits[0]}.{digits[1:]}" if interpreter[:2] in ("cp", "py") and digits[1:].isdecimal() else interpreter


def _names(catalogue: Catalogue, ask: Ask) -> tuple[str, ...]:
    """Return names that are spelled much the same, or that hold what was asked for."""
    if ask.wild:
        return ()
    from difflib import get_close_matches

    names = [*catalogue.names(), *(dummy.name for dummy in catalogue.dummies())]
    close = get_close_matches(ask.name, names, _MOST, 0.75)
    holding = sorted((name for name in names if matches(Ask("", f"*{ask.name}*"), name)), key=len)
    return tuple(dict.fromkeys([*close, *holding]))[:_MOST]
