"""What changed between two states of a wheelhouse, and what of a state concerns a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tumpline.catalogue.content import WheelRow
from tumpline.catalogue.query import Terms, admits, public
from tumpline.catalogue.store import Catalogue
from tumpline.values import Name, version_key

__all__ = [
    "Change",
    "Concern",
    "Difference",
    "Fact",
    "Kind",
    "Locked",
    "Newer",
    "Side",
    "compare",
    "concern",
    "side_of",
]

Kind = Literal["new", "gone", "changed", "moved"]


class Fact(NamedTuple):
    """Something that a catalogue holds besides wheels; `name` is that of the package, empty where it is of none."""

    kind: Literal["layer", "python", "dummy", "module"]
    text: str
    name: str = ""


class Side(NamedTuple):
    """One state: where it is from, and what it holds. With `listed`, wheels are known by version and Pythons only."""

    label: str
    site: str
    date: str
    identity: str
    listed: bool
    layers: tuple[str, ...]
    wheels: tuple[WheelRow, ...]
    facts: frozenset[Fact] = frozenset()


class Change(NamedTuple):
    """One wheel: new, gone, changed (the same file holds something else) or moved (to another layer).

    `wheel` is that of the later state, or of the earlier one where it is gone; `layer` is the layer it moved from.
    Between two lists, a version that is listed for other Pythons is changed.
    """

    kind: Kind
    wheel: WheelRow
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, by project and version; projects that are new or gone altogether; other facts, sorted."""

    before: Side
    after: Side
    changes: tuple[Change, ...]
    new_projects: tuple[Name, ...]
    gone_projects: tuple[Name, ...]
    new_facts: tuple[Fact, ...]
    gone_facts: tuple[Fact, ...]

    def __bool__(self) -> bool:
        return bool(self.changes or self.new_facts or self.gone_facts)

    def only(self, names: frozenset[str]) -> Difference:
        """Return what of it concerns these projects."""
        return Difference(
            self.before,
            self.after,
            tuple(change for change in self.changes if change.wheel.name in names),
            tuple(name for name in self.new_projects if name in names),
            tuple(name for name in self.gone_projects if name in names),
            tuple(fact for fact in self.new_facts if fact.name in names),
            tuple(fact for fact in self.gone_facts if fact.name in names),
        )

    def count(self, kind: Kind) -> int:
        """Return how many wheels changed in that way."""
        return sum(change.kind == kind for change in self.changes)


class Locked(NamedTuple):
    """A wheel that a lock pins for a target: what the lock knows of it, and where the target looks.

    `python` is a minor version; `layers` are those of the target, none where they are not known.
    """

    wheel: WheelRow
    target: str
    python: str
    layers: tuple[str, ...]


class Newer(NamedTuple):
    """A package of which the wheelhouse has a newer version than the one that is locked for these targets."""

    name: Name
    locked: str
    newest: str
    targets: tuple[str, ...]


class Concern(NamedTuple):
    """What a state of the wheelhouse means for a lock: what could be upgraded, and locked wheels that changed."""

    newer: tuple[Newer, ...]
    changes: tuple[Change, ...]

    def __bool__(self) -> bool:
        return bool(self.newer or self.changes)


def side_of(catalogue: Catalogue, label: str = "") -> Side:
    """Return the state that a catalogue holds; `label` names it (default: its file)."""
    info = catalogue.info
    facts = {Fact("layer", layer) for layer in info.layers}
    facts |= {Fact("python", f"{python} (StdEnv/{environment})") for environment, python in catalogue.pythons()}
    facts |= {Fact("dummy", f"{dummy.name} stands for {dummy.module}", dummy.name) for dummy in catalogue.dummies()}
    facts |= {
        Fact(
            "module",
            f"{each.module}/{each.module_version} brings {each.name} {each.version}"
            f" for Python {each.python} (StdEnv/{each.environment})",
            each.name,
        )
        for each in catalogue.modules()
    }
    return Side(
        *(label or catalogue.where, info.site, info.date, info.identity, info.grade == "listed", info.layers),
        tuple(catalogue.rows()),
        frozenset(facts),
    )


def compare(before: Side, after: Side) -> Difference:
    """Compare two states.

    Scanned ones are compared file by file, two lists by version and Pythons, a list with a scanned one by public
    version alone, and then nothing is said of layers, which lists do not have.
    """
    changes = _listed_changes(before, after) if before.listed or after.listed else _scanned_changes(before, after)
    names_before, names_after = ({row.name for row in side.wheels} for side in (before, after))
    old, new = before.facts, after.facts
    if before.listed != after.listed:
        old, new = (frozenset(fact for fact in facts if fact.kind != "layer") for facts in (old, new))
    return Difference(
        before,
        after,
        tuple(sorted(changes, key=_order)),
        tuple(sorted(names_after - names_before)),
        tuple(sorted(names_before - names_after)),
        tuple(sorted(new - old)),
        tuple(sorted(old - new)),
    )


def concern(locked: Iterable[Locked], now: Side) -> Concern:
    """Say what a state means for the wheels that a lock pins.

    A wheel in a layer that the state does not know is passed over: a scan of one CPU level says nothing of another's.
    """
    pins = tuple(locked)
    rows: dict[Name, list[WheelRow]] = {pin.wheel.name: [] for pin in pins}
    for row in now.wheels:
        if row.name in rows:
            rows[row.name].append(row)
    changes: dict[Change, None] = {}
    newer: dict[tuple[Name, str, str], list[str]] = {}
    for pin in pins:
        found = rows[pin.wheel.name]
        if change := _fate(pin, found, now):
            changes[change] = None
        if newest := _newest(pin, found):
            newer.setdefault((pin.wheel.name, public(pin.wheel.version), newest), []).append(pin.target)
    return Concern(
        tuple(Newer(*key, tuple(targets)) for key, targets in sorted(newer.items())),
        tuple(sorted(changes, key=_order)),
    )


def _fate(pin: Locked, found: Iterable[WheelRow], now: Side) -> Change | None:
    """Return what happened to a locked wheel, or None where it is as it was or nothing is known."""
    wheel = pin.wheel
    if now.listed or not wheel.file:
        versions = {version_key(public(row.version)) for row in found}
        return None if version_key(public(wheel.version)) in versions else Change("gone", wheel)
    if wheel.layer not in now.layers:
        return None
    places = {row.layer: row for row in found if row.file == wheel.file}
    if (same := places.get(wheel.layer)) is not None:
        return Change("changed", same) if _differs(wheel, same) else None
    if places:
        return Change("moved", next(iter(places.values())), wheel.layer)
    return Change("gone", wheel)


def _newest(pin: Locked, found: Iterable[WheelRow]) -> str:
    """Return the newest version that fits where the pin is for, if it is newer than the pin; otherwise nothing.

    Pre-releases count only where one is locked.
    """
    terms = Terms((pin.python,), pin.layers or None)
    own = public(pin.wheel.version)
    prereleases = None if admits("", own, None) else True
    newer = {
        public(row.version)
        for row in found
        if version_key(public(row.version)) > version_key(own)
        and terms.fits(row)
        and admits("", row.version, prereleases)
    }
    return max(newer, key=version_key, default="")


def _listed_changes(before: Side, after: Side) -> Iterable[Change]:
    old, new = (_by_version(side.wheels) for side in (before, after))
    yield from (Change("gone", row) for key, row in old.items() if key not in new)
    for key, row in new.items():
        if key not in old:
            yield Change("new", row)
        elif before.listed and after.listed and old[key].pythons != row.pythons:
            yield Change("changed", row)


def _scanned_changes(before: Side, after: Side) -> Iterable[Change]:
    old, new = ({(row.layer, row.file): row for row in side.wheels} for side in (before, after))
    gone = {key: row for key, row in old.items() if key not in new}
    places: dict[str, list[tuple[str, str]]] = {}
    for key in gone:
        places.setdefault(key[1], []).append(key)
    for key, row in new.items():
        if key in old:
            if _differs(old[key], row):
                yield Change("changed", row)
        elif left := places.get(row.file):
            # Each wheel that is gone moved to one place at most; a second place has a new one.
            yield Change("moved", row, gone.pop(left.pop(0)).layer)
        else:
            yield Change("new", row)
    yield from (Change("gone", row) for row in gone.values())


def _by_version(wheels: Iterable[WheelRow]) -> Mapping[tuple[str, object], WheelRow]:
    # Of several wheels of a version the first stands for all.
    return {(row.name, version_key(public(row.version))): row for row in reversed(tuple(wheels))}


def _differs(one: WheelRow, other: WheelRow) -> bool:
    """Say whether two wheels of one name are not the same, as far as both were read."""
    if one.record and other.record:
        # RECORD holds the digest of METADATA, and so of what the wheel needs.
        return one.record != other.record
    return one.size is not None and one.size != other.size


def _order(change: Change) -> tuple[object, ...]:
    kind, key = version_key(change.wheel.version)
    return change.wheel.name, kind, key, change.wheel.layer, change.wheel.tags, change.kind
