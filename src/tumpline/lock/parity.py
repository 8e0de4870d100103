"""Parity: whether every target gets the same public version of a package, and how far apart they are where not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from tumpline.errors import InputError, TumplineError
from tumpline.lock.model import Lock, LockedPackage, LockedTarget, ModuleArtefact, Pin, Source
from tumpline.values import Name, parse_version, public_version

__all__ = ["Cell", "ParityReport", "ParityRow", "ParitySummary", "Severity", "parity", "severity", "unknown_target"]

Severity = Literal["patch", "minor", "major"]

_SEVERITIES: tuple[Severity, ...] = ("patch", "minor", "major")
"""From the least to the worst."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One package on one target. `severity` and `reason` are set where its public version is not the row's."""

    target: str
    version: str
    public: str
    source: Source
    module: str = ""
    approximate: str = ""
    severity: Severity | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParityRow:
    """One package: a cell for each target of the report, None where the package is not needed there.

    `version` is the public version that the targets have in common; where they diverge, the one the others are
    compared with. `severity` is the worst of the cells', None where all agree.
    """

    name: Name
    version: str
    cells: tuple[Cell | None, ...]
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class ParitySummary:
    """Counts of packages: all, the same wherever they are needed, and diverging by severity.

    `partial` are those that not every target needs, `modules` those that a module brings somewhere, and
    `approximate` those whose dependencies are not certain somewhere (R24).
    """

    packages: int
    same: int
    patch: int
    minor: int
    major: int
    partial: int
    modules: int
    approximate: int

    @property
    def diverging(self) -> int:
        """How many packages are not the same everywhere."""
        return self.patch + self.minor + self.major


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The matrix package × target; rows by name, targets in the lock's order."""

    rows: tuple[ParityRow, ...]
    targets: tuple[LockedTarget, ...]
    summary: ParitySummary


def parity(lock: Lock, targets: Sequence[str] = ()) -> ParityReport:
    """Compare the targets of a lock, or only those named; packages that none of them needs are left out.

    Raises InputError ``unknown-target``.
    """
    for name in targets:
        if lock.target(name) is None:
            raise unknown_target(lock, name)
    chosen = tuple(target for target in lock.targets if not targets or target.name in targets)
    names = tuple(target.name for target in chosen)
    rows = tuple(row for row in (_row(package, names) for package in lock.packages) if any(row.cells))
    return ParityReport(rows, chosen, _summary(rows))


def unknown_target(lock: Lock, name: str) -> TumplineError:
    """Return the error for a target that the lock does not have."""
    known = ", ".join(target.name for target in lock.targets)
    return InputError.of(
        "unknown-target",
        f"the lock has no target {name!r}",
        hint=f"choose one of: {known}" if known else "add a target to pyproject.toml and run: tumpline lock",
    )


def severity(one: Version, other: Version) -> Severity | None:
    """Say how far two public versions are apart: by their epoch, then their first, second and later release numbers.

    Versions that differ only in what follows the release (``rc1``, ``post1``) are a patch apart.
    """
    if one == other:
        return None
    if (one.epoch, one.major) != (other.epoch, other.major):
        return "major"
    return "minor" if one.minor != other.minor else "patch"


def _row(package: LockedPackage, targets: tuple[str, ...]) -> ParityRow:
    pins = [package.pin(target) for target in targets]
    version = _reference(package, [pin for pin in pins if pin is not None])
    cells = tuple(None if pin is None else _cell(pin, version) for pin in pins)
    return ParityRow(package.name, str(version), cells, _worst(cell.severity for cell in cells if cell is not None))


def _reference(package: LockedPackage, pins: list[Pin]) -> Version:
    """Return the package's version, or the first target's where none of these targets has it."""
    wanted = parse_version(package.version)
    found = [_public(pin) for pin in pins]
    return wanted if wanted in found or not found else found[0]


def _cell(pin: Pin, reference: Version) -> Cell:
    public = _public(pin)
    apart = severity(public, reference)
    return Cell(
        target=pin.target,
        version=pin.version,
        public=str(public),
        source=pin.source,
        module=pin.artefact.module if isinstance(pin.artefact, ModuleArtefact) else "",
        approximate=pin.approximate,
        severity=apart,
        reason=pin.divergence if apart else "",
    )


def _public(pin: Pin) -> Version:
    return public_version(parse_version(pin.version))


def _worst(found: Iterable[Severity | None]) -> Severity | None:
    present = set(found)
    return next((severity for severity in reversed(_SEVERITIES) if severity in present), None)


def _summary(rows: tuple[ParityRow, ...]) -> ParitySummary:
    by_severity = {severity: sum(row.severity == severity for row in rows) for severity in _SEVERITIES}
    return ParitySummary(
        packages=len(rows),
        same=sum(row.severity is None for row in rows),
        patch=by_severity["patch"],
        minor=by_severity["minor"],
        major=by_severity["major"],
        partial=sum(None in row.cells for row in rows),
        modules=sum(any(cell and cell.module for cell in row.cells) for row in rows),
        approximate=sum(any(cell and cell.approximate for cell in row.cells) for row in rows),
    )
