"""What ``tumpline catalogue diff`` found, in words and as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tumpline.cli.search_data import wheel_data

if TYPE_CHECKING:
    from tumpline.catalogue.diff import Change, Concern, Difference, Fact, Kind, Side
    from tumpline.values import Name

__all__ = ["diff_data", "diff_lines"]

_MOST_PROJECTS = 40
"""Projects shown without ``-v``."""

_MARKS = {"new": "+", "gone": "-", "changed": "~", "moved": ">"}


def diff_lines(
    difference: Difference | None, concern: Concern | None, after: Side, *, everything: bool
) -> Iterator[str]:
    """Yield the report for a person: a line for each project, then the counts, then what it means for the lock."""
    if difference is not None:
        yield from _projects(difference, everything)
        yield from _facts(difference, everything)
        yield from _counts(difference)
    if concern is None:
        return
    for newer in concern.newer:
        yield f"{newer.name}: {newer.locked} is locked, {newer.newest} is there ({', '.join(newer.targets)})"
    for change in concern.changes:
        yield f"{change.wheel.name}: {_fate(change)}"
    packages = len({newer.name for newer in concern.newer})
    parts = [_count(packages, "of your packages has newer wheels", "of your packages have newer wheels")]
    for kind, words in (("gone", "gone"), ("moved", "in another layer now"), ("changed", "not what it was")):
        number = sum(change.kind == kind for change in concern.changes)
        if number or kind == "gone":
            parts.append(_count(number, f"wheel you locked is {words}", f"wheels you locked are {words}"))
    yield f"{after.site}, {after.date}: {'; '.join(parts)}"


def diff_data(difference: Difference | None, concern: Concern | None, after: Side) -> dict[str, object]:
    """Return the report as plain data; its form is documented in ``docs/reference/catalogue.md``."""
    data: dict[str, object] = {"schema": "tumpline.catalogue-diff/1", "before": None, "after": _side(after)}
    if difference is not None:
        data |= {
            "before": _side(difference.before),
            "changes": [_change(change) for change in difference.changes],
            "new-projects": list(difference.new_projects),
            "gone-projects": list(difference.gone_projects),
            "new-facts": [_fact(fact) for fact in difference.new_facts],
            "gone-facts": [_fact(fact) for fact in difference.gone_facts],
        }
    if concern is not None:
        data["lock"] = {
            "newer": [
                {"name": each.name, "locked": each.locked, "newest": each.newest, "targets": list(each.targets)}
                for each in concern.newer
            ],
            "changes": [_change(change) for change in concern.changes],
        }
    return data


def _projects(difference: Difference, everything: bool) -> Iterator[str]:
    by_project: dict[Name, list[Change]] = {}
    for change in difference.changes:
        by_project.setdefault(change.wheel.name, []).append(change)
    shown = list(by_project)[: None if everything else _MOST_PROJECTS]
    for name in shown:
        yield f"{name}: {' '.join(dict.fromkeys(map(_word, by_project[name])))}"
    if len(shown) < len(by_project):
        yield f"… and {len(by_project) - len(shown):,} more projects (-v shows all)"


def _facts(difference: Difference, everything: bool) -> Iterator[str]:
    for mark, facts in (("+", difference.new_facts), ("-", difference.gone_facts)):
        for fact in facts[: None if everything else _MOST_PROJECTS]:
            yield f"{mark} {fact.kind}: {fact.text}"
        if not everything and len(facts) > _MOST_PROJECTS:
            yield f"… and {len(facts) - _MOST_PROJECTS:,} more (-v shows all)"


def _counts(difference: Difference) -> Iterator[str]:
    kinds: tuple[Kind, ...] = ("changed", "moved")
    counts = [f"{difference.count('new'):,} new", f"{difference.count('gone'):,} gone"]
    counts += [f"{number:,} {kind}" for kind in kinds if (number := difference.count(kind))]
    before, after = difference.before, difference.after
    what = "versions" if before.listed or after.listed else "wheels"
    yield f"{before.site}, {before.date} to {after.date}: {what} {', '.join(counts)}"
    if difference.new_projects or difference.gone_projects:
        yield f"projects: {len(difference.new_projects):,} new, {len(difference.gone_projects):,} gone"


def _word(change: Change) -> str:
    version = change.wheel.version.partition("+")[0]
    moved = f" ({change.layer} to {change.wheel.layer})" if change.kind == "moved" else ""
    return f"{_MARKS[change.kind]}{version}{moved}"


def _fate(change: Change) -> str:
    wheel = change.wheel
    what = f"{wheel.layer}/{wheel.file}" if wheel.file else wheel.version
    if change.kind == "moved":
        return f"{wheel.file} was in {change.layer} and is in {wheel.layer} now"
    return f"{what} is gone" if change.kind == "gone" else f"{what} is not the wheel that was locked"


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.label or None,
        "site": side.site,
        "grade": "listed" if side.listed else "scanned",
        "date": side.date,
        "identity": side.identity,
        "wheels": len(side.wheels),
    }


def _change(change: Change) -> dict[str, object]:
    return {"kind": change.kind, **wheel_data(change.wheel), "moved-from": change.layer or None}


def _fact(fact: Fact) -> dict[str, object]:
    return {"kind": fact.kind, "text": fact.text, "name": fact.name or None}
