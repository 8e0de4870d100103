"""Resolve with modules that the project does not load yet, where that makes a resolution possible (R5, R6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tumpline.resolve.explanation import Explanation, Unresolved

if TYPE_CHECKING:
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target
    from tumpline.values import Name

__all__ = ["load_module", "resolve_with_modules"]

_MOST_ATTEMPTS = 40
"""Resolutions that are tried; one for each module that is missing is the rule."""


@dataclass(slots=True)
class _Choice:
    """The modules that could bring one package to one target, best first, and which of them is tried."""

    target: str
    name: Name
    modules: tuple[str, ...]
    tried: int = 0

    @property
    def has_more(self) -> bool:
        return self.tried + 1 < len(self.modules)


def resolve_with_modules(
    attempt: Callable[[tuple[Target, ...]], Resolution], targets: Sequence[Target]
) -> tuple[Resolution, tuple[Target, ...]]:
    """Resolve for these targets with the fewest modules added to them; return the targets as they then are.

    `attempt` resolves, and raises Unresolved, whose modules are tried: for each package the newest that fits first,
    then the next older one. Raises the error of the first attempt where none of them helps.
    """
    first: Unresolved | None = None
    choices: list[_Choice] = []
    for _ in range(_MOST_ATTEMPTS):
        current = tuple(_loaded(target, choices) for target in targets)
        try:
            return attempt(current), current
        except Unresolved as failure:
            first = first or failure
            known = {(choice.target, choice.name) for choice in choices}
            added = [one for one in _choices(failure.explanation) if (one.target, one.name) not in known]
            choices += added
            if not added and not _next(choices):
                break
    assert first is not None  # noqa: S101 - the loop ends early only after a failure
    raise first


def load_module(modules: Sequence[str], module: str) -> tuple[str, ...]:
    """Return the modules with one more, which takes the place of another version of itself."""
    name = module.partition("/")[0]
    kept = [module if loaded.partition("/")[0] == name else loaded for loaded in modules]
    return tuple(kept if module in kept else [*kept, module])


def _choices(explanation: Explanation) -> Iterator[_Choice]:
    for lack in (*explanation.lacks, *explanation.needs):
        for account in lack.lacking:
            if modules := tuple(choice.module for choice in account.modules if choice.loadable):
                yield _Choice(account.target, lack.name, modules)


def _loaded(target: Target, choices: Sequence[_Choice]) -> Target:
    modules = target.modules
    for choice in choices:
        if choice.target == target.name:
            modules = load_module(modules, choice.modules[choice.tried])
    return replace(target, modules=modules)


def _next(choices: list[_Choice]) -> bool:
    """Go on to the next combination: the last choice that has more moves on, those after it are given up."""
    while choices and not choices[-1].has_more:
        choices.pop()
    if choices:
        choices[-1].tried += 1
    return bool(choices)
