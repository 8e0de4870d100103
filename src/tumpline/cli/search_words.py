"""The answer of a search beside its table: modules, what is missing and what is near; and all of it as JSON."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tumpline.cli.scope import site_of
from tumpline.cli.tables import COLUMNS
from tumpline.values import Name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.near import ModuleOffer
    from tumpline.cli.scope import Scope
    from tumpline.cli.search_answer import Answer, Missing
    from tumpline.cli.terminal import Terminal

__all__ = ["answer_data", "catalogue_data", "tell_rest", "wheel_data"]

_MOST_MODULES = 3


def tell_rest(answer: Answer, scope: Scope, options: argparse.Namespace, terminal: Terminal) -> None:
    """Say which modules bring what was asked for, and what is near to what is missing."""
    there = {rows[0].name for rows in answer.projects}
    for name, offers in answer.modules:
        # Where there is a wheel, it is the wheel that one installs.
        terminal.say(f"{name} comes with a module: {_module_words(offers, scope)}", level=1 if name in there else 0)
    # Where two thousand projects are listed, nobody asked for a certain one.
    pure = (
        {} if options.offline else _on_index([missing.ask.name for missing in answer.missing if not missing.ask.wild])
    )
    for missing in answer.missing:
        words = "; ".join([*_near_words(missing), *([pure[missing.ask.name]] if missing.ask.name in pure else [])])
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
    site = site_of(scope)
    # The software environment that is looked into, or the default; the newest of each.
    fitting.sort(key=lambda offer: offer.environment != (wanted or site.default_environment))
    needs = {(note.environment, f"{note.module}/{note.version}"): note.needs for note in scope.catalogue.module_notes()}
    shown: list[str] = []
    for offer in fitting[:_MOST_MODULES]:
        before = needs.get((offer.environment, offer.module), ())
        pythons = scope.terms.pythons or ()
        words = load_words(site, offer.environment, before, offer.module, offer.pythons, pythons)
        shown.append(f"module load {shlex.join(words)} ({offer.version}, Python {', '.join(offer.pythons)})")
    rest = len(fitting) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more" if rest else "")


def _near_words(missing: Missing) -> list[str]:
    words = {
        "version": "other versions: {}",
        "python": "for other Pythons: {}",
        "layer": "in other layers: {} (--all-archs)",
        "environment": "in StdEnv/{}",
        "module": "by module: {}",
        "spelling": "did you mean {}?",
    }
    return [words[near.kind].format(", ".join(near.items)) for near in missing.near]


def _on_index(names: Sequence[str]) -> dict[str, str]:
    """Say of names what the package index has, one question for each; without an answer nothing is said."""
    if not names:
        return {}
    from tumpline.cli.wiring import open_index
    from tumpline.errors import TumplineError

    found: dict[str, str] = {}
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
            kind = "as a pure wheel" if any(tag.endswith("-none-any") for tag in tags) else "not as a pure wheel"
            found[name] = f"the package index has {newest.version}, {kind}"
    return found


def answer_data(answer: Answer, scope: Scope) -> str:
    """Return the answer as JSON; its form is documented in ``docs/reference/search.md``."""
    import json

    return json.dumps(
        {
            "schema": "tumpline.search/1",
            "catalogue": catalogue_data(scope),
            "wheels": [wheel_data(row) for rows in answer.projects for row in rows],
            "modules": [
                {
                    "name": name,
                    "version": offer.version,
                    "environment": offer.environment,
                    "module": offer.module,
                    "pythons": list(offer.pythons),
                    "fits": offer.fits(scope.terms),
                }
                for name, offers in answer.modules
                for offer in offers
            ],
            "missing": [
                {"asked": missing.ask.given, "near": {near.kind: list(near.items) for near in missing.near}}
                for missing in answer.missing
            ],
        },
        indent=2,
    )


def catalogue_data(scope: Scope) -> dict[str, object]:
    """Return what was looked into, as plain data."""
    info = scope.catalogue.info
    return {
        "site": info.site,
        "grade": info.grade,
        "date": info.date,
        "layers": list(scope.terms.layers) if scope.terms.layers is not None else None,
        "unread-layers": list(scope.unread),
        "pythons": list(scope.terms.pythons) if scope.terms.pythons is not None else None,
    }


def wheel_data(row: WheelRow) -> dict[str, object]:
    """Return a wheel as plain data."""
    from datetime import UTC, datetime

    return {
        "name": row.name,
        "spelling": row.spelling,
        "version": COLUMNS["version"](row),
        "local": COLUMNS["localversion"](row) or None,
        "build": row.build or None,
        "tags": row.tags or None,
        "pythons": list(row.pythons),
        "layer": row.layer or None,
        "file": row.file or None,
        "size": row.size,
        "date": datetime.fromtimestamp(row.mtime_ns / 1e9, UTC).date().isoformat() if row.mtime_ns else None,
    }
