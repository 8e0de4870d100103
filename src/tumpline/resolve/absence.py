"""Why a target has nothing to offer of a package that it should have: what there was, and why it was turned down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tumpline.errors import EnvironmentFailure
from tumpline.index import ProjectPage
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.target import Target
from tumpline.sites import ModulePackage
from tumpline.values import Name

__all__ = ["Absence", "why_absent"]


@dataclass(frozen=True, slots=True)
class Absence:
    """One target's answer: `unknown` where no source there has even heard of the name."""

    target: str
    reason: str
    hint: str = ""
    unknown: bool = False


def why_absent(book: OfferBook, name: Name, place: int, wanted: int) -> Absence:
    """Say why a target can not get any of the wanted versions (bits of the package's table)."""
    target = book.targets[place]
    table = book.table(name)
    if other := table.available[place] & ~wanted:
        versions = [str(v) for i, v in reversed(list(enumerate(table.versions))) if other >> (i + 1) & 1]
        shown = ", ".join(versions[:5]) + (f" and {len(versions) - 5} more" if len(versions) > 5 else "")
        return Absence(
            target.name, f"has only {shown}", f"relax the requirement on {name} so that it admits one of these"
        )
    catalogue = book.catalogue(place)
    reasons: list[str] = []
    hint = ""
    if catalogue is not None:
        if (dummy := catalogue.dummy(name)) is not None:
            return _module_needed(
                target.name, dummy.module, catalogue.modules_for(name), target.environment, target.minor
            )
        if rows := catalogue.modules_for(name):
            return _module_needed(target.name, rows[0].module, rows, target.environment, target.minor)
        wheels = catalogue.wheels(name)
        if wheels:
            turned_down = Counter(
                verdict for wheel in wheels if isinstance(verdict := book.judge_wheel(wheel, target), str)
            )
            told = "; ".join(reason for reason, _ in turned_down.most_common(2))
            reasons.append(f"the wheelhouse has {len(wheels)} wheels of it, none usable ({told})")
        else:
            reasons.append("not in the wheelhouse")
    policy = book.policy(name, target)
    if catalogue is not None and policy == "wheelhouse":
        reasons.append("the policy is wheelhouse only")
        hint = f'allow the index for it: {name} = {{ source = "pypi" }} under [tool.tumpline.packages]'
        return Absence(target.name, ", ".join(reasons), hint)
    try:
        page = book.page(name)
    except EnvironmentFailure as failure:
        reasons.append(f"the index could not be asked ({failure.problems[0].message})")
        return Absence(target.name, ", ".join(reasons), hint)
    if page is None:
        reasons.append("not on the index")
        unknown = catalogue is None or not catalogue.wheels(name)
        return Absence(target.name, ", ".join(reasons), unknown=unknown)
    reasons.append(_on_index(book, page, target))
    if not target.site.manylinux:
        hint = f"ask the site's support to add a wheel of {name}, or leave it out on {target.name} with a marker"
    return Absence(target.name, ", ".join(reasons), hint)


def _module_needed(target: str, module: str, rows: tuple[ModulePackage, ...], environment: str, minor: str) -> Absence:
    """A module provides the package (R5, R6): say which of its versions fit this Python."""
    fitting = sorted(
        {row.module_version for row in rows if row.environment == environment and row.python == minor},
        key=_module_key,
        reverse=True,
    )
    if not fitting:
        return Absence(
            target,
            f"only the module {module} provides it, and no version of it has Python {minor}",
            "choose another Python for this target",
        )
    shown = ", ".join(f"{module}/{version}" for version in fitting[:4])
    return Absence(
        target,
        f"only a module provides it; none is loaded that fits Python {minor}",
        f'add one of {shown} to the modules of target {target}: modules = ["{module}/{fitting[0]}"]',
    )


def _module_key(version: str) -> tuple[object, ...]:
    return tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in version.replace("-", ".").split(".")
    )


def _on_index(book: OfferBook, page: ProjectPage, target: Target) -> str:
    """Say why no release of the index is acceptable on a target, judging by the newest."""
    if not page.releases:
        return "the index lists no file of it"
    newest = page.releases[-1]
    if newest.requires_python and not book.accepts_python(newest.requires_python, target.python):
        return f"its newest release on the index requires Python {newest.requires_python}"
    if not newest.tags:
        return "the index has it only as source, and building it is not allowed"
    if not target.site.manylinux:
        return "the index has only wheels for particular systems, which this site refuses"
    return "the index has no wheel for this system and Python"
