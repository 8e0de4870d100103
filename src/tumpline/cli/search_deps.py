"""``tumpline search --deps``: whether all is there that is asked for, with all that it needs."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tumpline.cli.scope import check_needs_known, site_of
from tumpline.cli.search_words import near_words
from tumpline.cli.tables import render
from tumpline.errors import InputError, Problem

if TYPE_CHECKING:
    from tumpline.catalogue.query import Ask
    from tumpline.cli.scope import Scope
    from tumpline.cli.terminal import Terminal
    from tumpline.resolve.explanation import Lack, Unresolved

__all__ = ["tell_closure"]

_EXTRAS = re.compile(r"\[[^\]]*\]")


def tell_closure(asks: Sequence[Ask], scope: Scope, options: argparse.Namespace, terminal: Terminal) -> int:
    """Resolve for one Python with what the wheelhouse and the modules have; print what is taken, or what is lacking.

    The status is 0 where everything is there, 1 where something is not. Raises InputError ``needs-unknown``,
    ``which-python`` and what can not be resolved for (patterns).
    """
    from tumpline.project import Declared, TargetRequest
    from tumpline.resolve.explanation import COMMAND_LINE, Unresolved
    from tumpline.resolve.resolution import resolve
    from tumpline.resolve.target import make_target
    from tumpline.values import parse_requirement

    check_needs_known(scope.catalogue)
    for ask in asks:
        if ask.wild:
            raise InputError.of(
                "bad-search", f"{ask.given} is a pattern", where="--deps", hint="name each package, or use -r FILE"
            )
    pythons = scope.terms.pythons
    if pythons is not None and len(pythons) > 1:
        raise InputError.of(
            "which-python", "dependencies are looked for with one Python at a time", hint="name one with --python"
        )
    site = site_of(scope)
    # A level that is loaded says nothing of a site that was named.
    level = scope.place.level if scope.place.level in site.cpu_levels else ""
    python = pythons[0] if pythons else scope.place.python
    request = TargetRequest(site.name, site.name, python, scope.place.environment, level, scope.place.modules)
    target = make_target(request, site, "wheelhouse")
    known = scope.catalogue.info.layers
    if not any(layer in known for layer in target.layers):
        # A catalogue of folders that no profile names: as for a search, all of them count.
        target = replace(target, layers=known)
    if options.arch and scope.terms.layers is not None:
        target = replace(target, layers=tuple(layer for layer in target.layers if layer in scope.terms.layers))
    declared = [Declared(parse_requirement(_requirement(ask)), COMMAND_LINE) for ask in asks]
    lacking: tuple[Problem, ...] = ()
    rows: list[list[str]] = []
    try:
        found = resolve(declared, [target], [scope.catalogue], None)
    except Unresolved as error:
        lacking = tuple(_as_asked(error, scope))
    else:
        rows = [
            [package.name, str(choice.offer.version), choice.offer.source]
            for package in found.packages
            for choice in package.choices
        ]
    if terminal.json:
        from tumpline.cli.search_data import catalogue_data

        problems = [{"code": p.code, "message": p.message, "why": p.why, "hint": p.hint} for p in lacking]
        packages = [{"name": name, "version": version, "source": source} for name, version, source in rows]
        data = {
            "schema": "tumpline.search-deps/1",
            "catalogue": catalogue_data(scope),
            "python": target.python,
            "complete": not lacking,
            "packages": packages,
            "problems": problems,
        }
        terminal.data(json.dumps(data, indent=2))
        return 1 if lacking else 0
    for problem in lacking:
        terminal.problem(problem)
    if not lacking:
        for line in render(rows, ["name", "version", "source"], "mediawiki" if options.mediawiki else options.format):
            terminal.data(line)
        terminal.say(f"all of it is there for Python {target.python}: {len(rows)} packages")
    return 1 if lacking else 0


def _as_asked(error: Unresolved, scope: Scope) -> Iterator[Problem]:
    """Yield what is lacking with what to do about it where nothing but this question is at hand, no project."""
    from tumpline.resolve.words import lack_headline

    lacks = {lack_headline(lack): lack for lack in error.explanation.lacks}
    for problem in error.problems:
        lack = lacks.get(problem.message)
        yield problem._replace(hint=_hint(lack, scope) if lack is not None else "ask for other versions of these")


def _hint(lack: Lack, scope: Scope) -> str:
    from tumpline.catalogue.near import near
    from tumpline.catalogue.query import Ask

    modules = [choice.module for account in lack.lacking for choice in account.modules if choice.loadable]
    if modules:
        return f"load {modules[0]}, or name a target that does with --target, and ask again"
    if any(account.others for account in lack.lacking):
        return f"ask for a version of {lack.name} that is there"
    if words := near_words(near(scope.catalogue, Ask(lack.name, lack.name), scope.terms, scope.environments)):
        return "; ".join(words)
    return f"check the spelling, or ask the site's support for a wheel; tumpline search {lack.name} asks the index too"


def _requirement(ask: Ask) -> str:
    """Return what was asked, with its extras and marker, and the specifier as a search reads it."""
    text, semicolon, marker = ask.given.partition(";")
    extras = _EXTRAS.search(text)
    return f"{ask.name}{extras[0] if extras else ''}{ask.specifier} {semicolon}{marker}"
