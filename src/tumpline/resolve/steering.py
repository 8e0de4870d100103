"""What steers a resolution besides requirements: constraints, overrides, the order of versions, a cut-off date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.values import Name, normalise, parse_requirement

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.project import Declared, Settings, VersionOrder
    from tumpline.resolve.markers import MarkerEnvironment

__all__ = ["Steering", "SteeringByTarget"]


@dataclass(frozen=True, slots=True)
class Steering:
    """The project's choices, see `tumpline.project.Settings`."""

    constraints: tuple[Declared, ...] = ()
    overrides: tuple[Declared, ...] = ()
    order: VersionOrder = "highest"
    exclude_newer: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Steering:
        """Return what the settings of a project say."""
        return cls(settings.constraints, settings.overrides, settings.resolution, settings.exclude_newer)


class SteeringByTarget:
    """Constraints and overrides as they hold on each target, by its place in the list of `environments`."""

    def __init__(self, steering: Steering, environments: Sequence[MarkerEnvironment]) -> None:
        self.constraints = _by_name(steering.constraints)
        self._overrides = _by_name(steering.overrides)
        self._environments = environments

    def places(self, declared: Declared) -> int:
        """Return the targets on which the marker of a constraint or an override holds, as bits."""
        marker = str(declared.requirement.marker or "")
        return sum(1 << place for place, environment in enumerate(self._environments) if environment.holds(marker))

    def overridden(self, requirements: Iterable[Requirement], place: int) -> Iterator[Requirement]:
        """Yield requirements that are active on a target, those replaced for which there are overrides.

        Extras stay asked for. Where there are overrides for a package and the marker of none of them holds, nothing is
        asked of it: so uv does it, and so a dependency can be taken out.
        """
        for requirement in requirements:
            rows = self._overrides.get(normalise(requirement.name)) if self._overrides else None
            if rows is None:
                yield requirement
                continue
            for row in rows:
                if self.places(row) >> place & 1:
                    yield _replaced(requirement, row.requirement)

    def origin(self, name: Name) -> str:
        """Return where the overrides of a package are written; empty where there are none."""
        return ", ".join(row.origin for row in self._overrides.get(name, ()))


def _by_name(rows: Iterable[Declared]) -> dict[Name, list[Declared]]:
    found: dict[Name, list[Declared]] = {}
    for row in rows:
        found.setdefault(normalise(row.requirement.name), []).append(row)
    return found


def _replaced(requirement: Requirement, override: Requirement) -> Requirement:
    extras = ",".join(sorted({*requirement.extras, *override.extras}))
    name = f"{requirement.name}[{extras}]" if extras else requirement.name
    return parse_requirement(f"{name}{override.specifier}")
