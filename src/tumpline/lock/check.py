"""Whether a lock still is what the project asks for, and what has changed since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumpline.lock.model import Lock, LockedTarget
from tumpline.project import TargetRequest
from tumpline.values import normalise

if TYPE_CHECKING:
    from tumpline.catalogue import CatalogueInfo
    from tumpline.project import Project

__all__ = ["Staleness", "check_lock"]

_AT_HAND = "here"
"""The site of a target that means the machine tumpline runs on; the lock holds what kind of machine that was."""

_IMPLIED = (TargetRequest(_AT_HAND, _AT_HAND, ""),)
"""The targets of a project that names none."""


@dataclass(frozen=True, slots=True)
class Staleness:
    """One thing that has changed since the lock was made.

    `code` is stable: ``inputs-changed``, ``resolution-changed``, ``exclude-newer-changed``, ``target-added``,
    ``target-removed``, ``target-changed``, ``catalogue-upgraded``, ``catalogue-changed``, ``catalogue-absent``.
    `outdated` says whether it makes the lock out of date; where it does not, it is a remark. `target` is empty where
    it concerns all of them. `details` are further lines.
    """

    code: str
    message: str
    target: str = ""
    outdated: bool = True
    details: tuple[str, ...] = ()


def check_lock(
    lock: Lock,
    project: Project,
    catalogues: Mapping[str, CatalogueInfo | None],
    compare: Callable[[str], tuple[str, ...]] = lambda target: (),
) -> tuple[Staleness, ...]:
    """Compare a lock with the project and with the catalogues now at hand.

    `catalogues` maps targets to the catalogue of their site, or to None where there is none; targets that it does not
    have are not judged. `compare` says in what the catalogue of a target disagrees with the lock; it is asked where a
    scan has come since the lock was made from a list. The lock is current where nothing in the result is `outdated`.
    What a site's profile fills in (default Python, layers) is compared only where the project states it.
    """
    return (
        *_inputs(lock, project),
        *_modes(lock, project),
        *_targets(lock, project),
        *(
            change
            for target in lock.targets
            if target.name in catalogues
            for change in _catalogue(target, catalogues[target.name], compare)
        ),
    )


def _inputs(lock: Lock, project: Project) -> Iterator[Staleness]:
    if lock.inputs == project.inputs:
        return
    asked = {normalise(declared.requirement.name) for declared in project.requirements}
    added = ", ".join(sorted(asked.difference(lock.roots)))
    removed = ", ".join(sorted(set(lock.roots) - asked))
    details = [f"new: {added}"] if added else []
    details += [f"no longer there: {removed}"] if removed else []
    told = f" ({'; '.join(details)})" if details else ""
    yield Staleness("inputs-changed", f"the project asks for something else than the lock was made for{told}")


def _modes(lock: Lock, project: Project) -> Iterator[Staleness]:
    settings = project.settings
    if lock.resolution != settings.resolution:
        yield Staleness(
            "resolution-changed",
            f"it was resolved for the {lock.resolution} versions, and is to be for the {settings.resolution} now",
        )
    if lock.exclude_newer != settings.exclude_newer:
        yield Staleness(
            "exclude-newer-changed",
            f"exclude-newer was {lock.exclude_newer or 'not set'} and is {settings.exclude_newer or 'not set'} now",
        )


def _targets(lock: Lock, project: Project) -> Iterator[Staleness]:
    requests = {request.name: request for request in project.settings.targets or _IMPLIED}
    for name, request in requests.items():
        if (locked := lock.target(name)) is None:
            yield Staleness("target-added", "the lock does not have this target", name)
            continue
        policy = request.policy or project.settings.policy
        for what, then, now in _differences(locked, request, policy):
            yield Staleness("target-changed", f"its {what} was {then or 'not set'} and is {now or 'not set'} now", name)
    for target in lock.targets:
        if target.name not in requests:
            yield Staleness("target-removed", "the project no longer has this target", target.name)


def _differences(locked: LockedTarget, request: TargetRequest, policy: str) -> Iterator[tuple[str, str, str]]:
    """Go through (what, then, now) for all that the project states; empty values leave it to the site."""
    if request.site not in (locked.site, _AT_HAND):
        yield "site", locked.site, request.site
    if request.python and not f"{locked.python}.".startswith(f"{request.python}."):
        yield "Python", locked.python, request.python
    if request.environment not in ("", locked.environment):
        yield "software environment", locked.environment, request.environment
    if request.cpu_level not in ("", locked.cpu_level):
        yield "CPU level", locked.cpu_level, request.cpu_level
    if request.modules != locked.modules:
        yield "modules", " ".join(locked.modules), " ".join(request.modules)
    if policy != locked.policy:
        yield "policy", locked.policy, policy


def _catalogue(
    locked: LockedTarget, info: CatalogueInfo | None, compare: Callable[[str], tuple[str, ...]]
) -> Iterator[Staleness]:
    if info is None:
        if locked.catalogue:
            yield Staleness(
                "catalogue-absent",
                f"the catalogue it was locked with (of {locked.catalogue_date or 'an unknown day'}) is not here",
                locked.name,
                outdated=False,
            )
    elif locked.grade == "listed" and info.grade == "scanned":
        details = compare(locked.name)
        agrees = "disagrees with it" if details else "agrees with its versions"
        yield Staleness(
            "catalogue-upgraded",
            f"it was locked from a list, and a scan of the wheels (of {info.date}) is here now, which {agrees}",
            locked.name,
            details=details,
        )
    elif info.identity != locked.catalogue:
        yield Staleness(
            "catalogue-changed",
            f"it was locked with the catalogue of {locked.catalogue_date or 'an unknown day'}, and the one here is of "
            f"{info.date}",
            locked.name,
            outdated=False,
        )
