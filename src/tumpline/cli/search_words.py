"""The answer of a search beside its table: modules, what is missing and what is near."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.scope import site_of
from tumpline.errors import InputError
from tumpline.values import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tumpline.catalogue.near import ModuleOffer, Near
    from tumpline.cli.scope import Scope
    from tumpline.cli.search_answer import Answer
    from tumpline.cli.terminal import Terminal

__all__ = ["OnIndex", "ask_index", "near_words", "tell_rest"]

_MOST_MODULES = 3


class OnIndex(NamedTuple):
    """The newest version that the package index has of something, and whether as a wheel for any machine."""

    version: str
    pure: bool


def tell_rest(answer: Answer, scope: Scope, options: argparse.Namespace, terminal: Terminal) -> None:
    """Say which modules bring what was asked for, and what is near to what is missing."""
    there = {rows[0].name for rows in answer.projects}
    for name, offers in answer.modules:
        # Where there is a wheel, it is the wheel that one installs.
        terminal.say(f"{name} comes with a module: {_module_words(offers, scope)}", level=1 if name in there else 0)
    pure = ask_index(answer, offline=options.offline)
    for missing in answer.missing:
        words = "; ".join([*near_words(missing.near), *_index_words(pure.get(missing.ask.name))])
        terminal.say(f"nothing fits {missing.ask.given}" + (f": {words}" if words else ""), level=-1)
    info = scope.catalogue.info
    terminal.say(
        f"{info.site}, {'a public list' if info.grade == 'listed' else 'scanned'} of {info.date} ({scope.words})"
        + (f", Python {', '.join(scope.terms.pythons)}" if scope.terms.pythons else "")
    )


def _module_words(offers: Sequence[ModuleOffer], scope: Scope) -> str:
    import shlex

    from tumpline.cli.module_groups import load_words

    wanted = scope.terms.environment
    fitting = [offer for offer in offers if offer.fits(scope.terms)]
    if not fitting:
        here = [offer for offer in offers if wanted in ("", offer.environment)]
        newest = (here or offers)[0]
        place = "" if here else f" of StdEnv/{newest.environment}"
        lacking = f"for Python {', '.join(scope.terms.pythons or ())}" if here else f"in StdEnv/{wanted}"
        return f"{newest.module}{place} for Python {', '.join(newest.pythons)}, but none {lacking}"
    try:
        site = site_of(scope)
    except InputError:
        # A catalogue can come from a site of which nothing else is known here.
        site = None
    # The software environment that is looked into, or the default; the newest of each.
    first = wanted or (site.default_environment if site is not None else "")
    fitting.sort(key=lambda offer: offer.environment != first)
    needs = {(note.environment, f"{note.module}/{note.version}"): note.needs for note in scope.catalogue.module_notes()}
    shown: list[str] = []
    for offer in fitting[:_MOST_MODULES]:
        before = needs.get((offer.environment, offer.module), ())
        pythons = scope.terms.pythons or ()
        words = load_words(site, offer.environment, before, offer.module, offer.pythons, pythons)
        shown.append(f"module load {shlex.join(words)} ({offer.version}, Python {', '.join(offer.pythons)})")
    rest = len(fitting) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def near_words(near: Iterable[Near]) -> list[str]:
    """Say what is near, a phrase for each kind."""
    words = {
        "version": "other versions: {}",
        "python": "for other Pythons: {}",
        "layer": "in other layers: {} (--all-archs)",
        "environment": "in StdEnv/{}",
        "module": "by module: {}",
        "spelling": "did you mean {}?",
    }
    return [words[each.kind].format(", ".join(each.items)) for each in near]


def ask_index(answer: Answer, *, offline: bool) -> dict[str, OnIndex]:
    """Return by name what the package index has of what is missing, one question for each.

    Without an answer, or `offline`, nothing is known.
    """
    # Where two thousand projects are listed, nobody asked for a certain one.
    names = [missing.ask.name for missing in answer.missing if not missing.ask.wild]
    if offline or not names:
        return {}
    from tumpline.cli.wiring import open_index
    from tumpline.errors import TumplineError

    found: dict[str, OnIndex] = {}
    with open_index(argparse.Namespace(offline=False, refresh=False), hasty=True) as index:
        index.prefetch([Name(name) for name in names])
        for name in names:
            try:
                page = index.page(Name(name))
            except TumplineError:
                # Whether the index answers is not what was asked.
                continue
            standing = [release for release in page.releases if not release.yanked] if page is not None else []
            if page is None or not standing:
                continue
            newest = standing[-1]
            tags = [tag for place, tag in enumerate(page.tags) if newest.tags >> place & 1]
            found[name] = OnIndex(str(newest.version), any(tag.endswith("-none-any") for tag in tags))
    return found


def _index_words(found: OnIndex | None) -> list[str]:
    if found is None:
        return []
    return [f"the package index has {found.version}, {'as' if found.pure else 'not as'} a pure wheel"]
