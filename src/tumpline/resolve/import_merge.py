"""The packages of a list, each once, however often and in whatever spelling its rows name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tumpline.project.spelling import compose
from tumpline.values import Name, parse_version, public_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from tumpline.project.foreign import Row

__all__ = ["Wanted", "exact_pin", "merge"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One package of a list; `version` is the public version that it is pinned to, or empty.

    `row` is the first that names it. `asked`, `needs` and `group` are as in `Row`.
    """

    name: Name
    requirement: Requirement
    row: Row
    version: str = ""
    asked: bool | None = None
    needs: tuple[Name, ...] | None = None
    group: str = ""

    @property
    def deliberate(self) -> bool:
        """Whether nobody but a person writes a requirement so: no list of what is installed has ranges or extras."""
        requirement = self.requirement
        return bool(requirement.extras or requirement.marker) or not (self.version or requirement.url)


def exact_pin(requirement: Requirement) -> str:
    """Return the public version that a requirement pins, empty where it pins none (``==1.*`` does not)."""
    clauses = list(requirement.specifier)
    if len(clauses) != 1 or clauses[0].operator not in ("==", "===") or clauses[0].version.endswith(".*"):
        return ""
    try:
        return str(public_version(parse_version(clauses[0].version)))
    except ValueError:  # what stands behind === need not be a version
        return ""


def merge(rows: Iterable[tuple[int, Row]]) -> tuple[tuple[Wanted, ...], Mapping[int, str]]:
    """Return the packages in the order of their first rows, and why the other rows, by number, say nothing new.

    Requirements on one package that hold under the same marker are one, with the conditions of both. Two versions can
    not both be meant: then no version is taken, since either might be wrong.
    """
    found: dict[tuple[Name, str, str], Wanted] = {}
    repeated: dict[int, str] = {}
    for number, row in rows:
        if row.requirement is None or row.name is None:
            continue
        key = (row.name, str(row.requirement.marker or ""), row.group)
        if (first := found.get(key)) is None:
            version = exact_pin(row.requirement)
            found[key] = Wanted(row.name, row.requirement, row, version, row.asked, row.needs, row.group)
            continue
        found[key], repeated[number] = _joined(first, row, row.requirement)
    return tuple(found.values()), repeated


def _joined(first: Wanted, row: Row, second: Requirement) -> tuple[Wanted, str]:
    where = first.row.origin
    one = first.requirement
    asked = first.asked or row.asked
    needs = tuple(sorted({*(first.needs or ()), *(row.needs or ())})) if first.needs or row.needs else first.needs
    first = replace(first, asked=asked, needs=needs)
    if str(one.specifier) == str(second.specifier) and one.extras == second.extras and one.url == second.url:
        return first, f"the same as {where}"
    if one.url or second.url:
        # An address decides; what else is said of the version has to agree with it, which the lock will see.
        if one.url:
            return first, f"the address of {where} decides"
        return replace(first, requirement=second, version=""), f"its address decides, in the place of {where}"
    extras = {*one.extras, *second.extras}
    pins = {pin for pin in (first.version, exact_pin(second)) if pin}
    if len(pins) > 1:
        requirement = compose(one.name, extras=extras, markers=(str(one.marker or ""),))
        joined = replace(first, requirement=requirement, version="")
        return joined, f"asks for another version than {where}: no version is taken"
    specifier = ",".join(dict.fromkeys([str(clause) for each in (one, second) for clause in each.specifier]))
    requirement = compose(one.name, extras=extras, specifier=specifier, markers=(str(one.marker or ""),))
    return replace(first, requirement=requirement, version=pins.pop() if pins else ""), f"joined with {where}"
