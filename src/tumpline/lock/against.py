"""What is installed somewhere, held against a target of the lock: what is missing, more, or in another version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tumpline.lock.export import minor_of, pins_of
from tumpline.lock.model import Lock, LockedTarget, ModuleArtefact, Pin
from tumpline.lock.parity import severity
from tumpline.values import Name, parse_version, public_version

__all__ = ["STATES", "Comparison", "Installed", "InstalledRow", "State", "compare"]

State = Literal["same", "local", "module", "unknown", "missing", "extra", "patch", "minor", "major"]
"""How a package stands.

``local``: only the local version differs, so it is the same release built elsewhere (R1); ``module``: a module has it
there or is to have it, and nothing can be compared; ``unknown``: it is there, in a version that is not stated.
"""

STATES: tuple[State, ...] = get_args(State)

_DIFFERENT = frozenset({"missing", "extra", "patch", "minor", "major"})

_TOOLS = frozenset({"pip", "setuptools", "wheel", "distribute", "pkg-resources"})
"""What environments have beside what was asked for: it is more only where the lock has it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A package as it is found; `version` is empty where it is not stated, `module` says that a module brings it."""

    name: Name
    version: str
    module: bool = False


@dataclass(frozen=True, slots=True)
class InstalledRow:
    """One package: the versions in the lock and as found, in full, empty where it is not there."""

    name: Name
    locked: str
    found: str
    state: State

    @property
    def different(self) -> bool:
        """Whether it is not what the lock says."""
        return self.state in _DIFFERENT


@dataclass(frozen=True, slots=True)
class Comparison:
    """All packages by name. `python` is the version found, empty where it is not known."""

    target: LockedTarget
    rows: tuple[InstalledRow, ...]
    python: str = ""

    @property
    def other_python(self) -> bool:
        """Whether the Python found has another minor version than the target's."""
        return bool(self.python) and ".".join(self.python.split(".")[:2]) != minor_of(self.target)

    @property
    def different(self) -> bool:
        """Whether anything is not what the lock says."""
        return self.other_python or any(row.different for row in self.rows)

    @property
    def counts(self) -> Mapping[State, int]:
        """How many packages stand how, in the order of `STATES`."""
        counted = Counter(row.state for row in self.rows)
        return {state: counted[state] for state in STATES if counted[state]}


def compare(
    lock: Lock, target: str, installed: Iterable[Installed], *, python: str = "", own: Name | None = None
) -> Comparison:
    """Compare; `own` is the name of the project itself, which no lock holds. Raises InputError ``unknown-target``."""
    where, pins = pins_of(lock, target)
    locked = dict(pins)
    found: dict[Name, Installed] = {}
    for one in installed:
        # Of two that have one name the first counts: it comes first on the path.
        found.setdefault(one.name, one)
    rows = [_row(name, locked.get(name), found.get(name)) for name in sorted({*locked, *found} - ({own} - {None}))]
    return Comparison(where, tuple(row for row in rows if row is not None), python)


def _row(name: Name, pin: Pin | None, found: Installed | None) -> InstalledRow | None:
    if pin is None:
        if found is None or name in _TOOLS:
            return None
        return InstalledRow(name, "", found.version, "module" if found.module else "extra")
    if found is None:
        state: State = "module" if isinstance(pin.artefact, ModuleArtefact) else "missing"
        return InstalledRow(name, pin.version, "", state)
    return InstalledRow(name, pin.version, found.version, _state(pin.version, found))


def _state(locked: str, found: Installed) -> State:
    if not found.version:
        return "module" if found.module else "unknown"
    if locked == found.version:
        return "same"
    wanted = parse_version(locked)
    try:
        there = parse_version(found.version)
    except ValueError:  # what is installed may have been made by anything
        return "unknown"
    if wanted == there:
        return "same"
    return severity(public_version(there), public_version(wanted)) or "local"
