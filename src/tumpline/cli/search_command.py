"""``tumpline search``: which wheels and modules a site has of what is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.catalogue.query import Ask, matches, parse_ask, search
from tumpline.cli.scope import Scope, add_scope_options, open_scope
from tumpline.cli.search_answer import Answer, Missing
from tumpline.cli.tables import COLUMNS, FORMATS, condensed, in_order, raw_name, render, table_rows
from tumpline.errors import InputError
from tumpline.values import Name

if TYPE_CHECKING:
    from tumpline.catalogue.near import ModuleOffer
    from tumpline.cli.terminal import Terminal

__all__ = ["configure", "execute"]

_UNFIT = {
    "deps": ("all", "all_versions", "raw", "column", "condense", "not_available", "not_available_only"),
    "requires": ("condense", "not_available", "not_available_only"),
    "since": ("condense", "not_available", "not_available_only"),
}
"""Question -> the options that say nothing of its answer."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="a name, a pattern ('*cdf*'), or 'numpy<2'")
    parser.add_argument("-n", "--name", nargs="+", action="extend", default=[], help="the same")
    parser.add_argument(
        *("-r", "--requirement"),
        dest="files",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="FILE",
        help="all that a requirements file or a pyproject.toml asks for; can be repeated",
    )
    parser.add_argument("--version", metavar="VERSION", default="", help="this version, or 1.21.*")
    parser.add_argument(
        *("--all-versions", "--all_versions"), action="store_true", help="all versions (default: the latest that fits)"
    )
    parser.add_argument("--all", action="store_true", help="--all-versions --all-pythons --all-archs")
    add_scope_options(parser)
    asking = parser.add_argument_group("what to ask")
    one = asking.add_mutually_exclusive_group()
    one.add_argument("--deps", action="store_true", help="is all there that they need, and what they need?")
    one.add_argument("--requires", metavar="NAME", default="", help="what depends on this package?")
    one.add_argument("--since", metavar="DATE", default="", help="only wheels of that day (YYYY-MM-DD) and newer")
    asking.add_argument("--offline", action="store_true", help="do not ask the package index about what is missing")
    display = parser.add_argument_group("display")
    display.add_argument("--not-available", action="store_true", help="list in the table also what is missing")
    display.add_argument("--not-available-only", action="store_true", help="list only what is missing")
    display.add_argument("--raw", action="store_true", help="file names only, of a list names with versions")
    display.add_argument("--column", choices=COLUMNS, nargs="+", help="the columns, in this order")
    display.add_argument("--condense", action="store_true", help="one line for each project")
    display.add_argument("--format", choices=FORMATS, default="simple", metavar="STYLE", help="the style of the table")
    display.add_argument("--mediawiki", action="store_true", help="--format mediawiki")
    display.add_argument("--json", action="store_true", help="print the answer as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Search, and print what is found; 1 where nothing is."""
    _check_together(options)
    if options.all:
        options.all_versions = options.all_pythons = options.all_archs = True
    asks = _asks(options)
    scope = open_scope(options)
    with scope.catalogue:
        if scope.unread:
            terminal.say(f"not looked into, since the catalogue does not know them: {', '.join(scope.unread)}", -1)
        if options.requires or options.since:
            from tumpline.cli.search_rows import list_dependers, list_since

            return (list_dependers if options.requires else list_since)(asks, scope, options, terminal)
        if options.deps:
            from tumpline.cli.search_deps import tell_closure

            return tell_closure(asks, scope, options, terminal)
        answer = _answer(asks, scope, options, modules=terminal.json or terminal.verbosity > 0)
        if terminal.json:
            from tumpline.cli.search_data import answer_lines

            for line in answer_lines(answer, scope, offline=options.offline):
                terminal.data(line)
        else:
            _tell(answer, scope, options, terminal)
    brought = any(offer.fits(scope.terms) for _, offers in answer.modules for offer in offers)
    return 0 if answer.projects or brought else 1


def _check_together(options: argparse.Namespace) -> None:
    """Raise InputError ``options-exclusive`` for a question with an option that it has no use for."""
    question = next((name for name in _UNFIT if getattr(options, name)), "")
    unfit = next((name for name in _UNFIT.get(question, ()) if getattr(options, name)), "")
    if unfit:
        raise InputError.of(
            "options-exclusive",
            f"--{unfit.replace('_', '-')} can not be used with --{question}",
            hint=f"leave one of the two out; of what --{question} prints, --format sets the style",
        )


def _asks(options: argparse.Namespace) -> list[Ask]:
    words = [*options.patterns, *options.name]
    asks = [parse_ask(word) for word in words]
    if options.files:
        from tumpline.cli.search_files import read_asks

        # What is said on the command line counts more than what a file says of the same name.
        said = {ask.name for ask in asks}
        asks = [ask for path in options.files for ask in read_asks(path) if ask.name not in said] + asks
    if options.version:
        asks = [ask._replace(specifier=parse_ask(f"x=={options.version}").specifier) for ask in asks]
    if not asks and (options.not_available or options.not_available_only or options.deps or options.version):
        raise InputError.of("nothing-asked", "nothing is asked for", hint="name packages, or a file with -r")
    return asks


def _answer(asks: list[Ask], scope: Scope, options: argparse.Namespace, *, modules: bool) -> Answer:
    """Search; with `modules`, also modules that bring what there is a wheel of are looked for."""
    terms = scope.terms._replace(latest=not (options.all_versions or options.version))
    if options.all_versions:
        terms = terms._replace(prereleases=True)
    found = list(search(scope.catalogue, asks, terms))
    projects = sorted((tuple(in_order(each.wheels)) for each in found), key=lambda rows: rows[0].spelling.casefold())
    there = {each.name for each in found}
    brought: list[tuple[Name, tuple[ModuleOffer, ...]]] = []
    missing: list[Missing] = []
    for ask in asks:
        if ask.name in there and not modules:
            continue
        if ask.wild and any(matches(ask, name) for name in there):
            continue
        from tumpline.catalogue.near import module_offers, near

        if offers := () if ask.wild else module_offers(scope.catalogue, ask):
            brought.append((Name(ask.name), offers))
        elif ask.name not in there:
            missing.append(Missing(ask, near(scope.catalogue, ask, terms, scope.environments)))
    return Answer(tuple(projects), tuple(brought), tuple(missing))


def _tell(answer: Answer, scope: Scope, options: argparse.Namespace, terminal: Terminal) -> None:
    projects = () if options.not_available_only else answer.projects
    missing = answer.missing if options.not_available or options.not_available_only else ()
    if options.raw:
        for wheels in projects:
            for wheel in wheels:
                terminal.data(raw_name(wheel))
        for each in missing:
            terminal.data(each.ask.given)
    else:
        listed = not scope.catalogue.info.layers
        columns = options.column or ["name", "version", "python", *([] if listed else ["arch"])]
        rows = list((condensed if options.condense else table_rows)(projects, columns))
        if missing:
            rows += [[each.ask.given if column == "name" else "" for column in columns] for each in missing]
            rows.sort(key=lambda row: row[0].casefold())
        if rows:
            for line in render(rows, columns, "mediawiki" if options.mediawiki else options.format):
                terminal.data(line)
    from tumpline.cli.search_words import tell_rest

    tell_rest(answer, scope, options, terminal)
