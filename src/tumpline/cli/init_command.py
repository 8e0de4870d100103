"""``tumpline init``: say in pyproject.toml where the project runs, with the Python that covers it best there."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.import_making import judge_lists, with_import
from tumpline.cli.import_report import outcome_data, tell_account
from tumpline.cli.init_lists import Lists, find_lists, names_in
from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, cache, here, load_site_named
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.files import write_atomically
from tumpline.project.dependencies import DependencyEdit
from tumpline.project.document import Document
from tumpline.project.read import read_project
from tumpline.values import Name, normalise, parse_specifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tumpline.catalogue.coverage import Coverage
    from tumpline.project import Project, TargetRequest
    from tumpline.project.foreign import Foreign
    from tumpline.sites import Site

__all__ = ["configure", "execute"]

_TARGET = re.compile(r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)=)?(?P<site>[^:=]+)(?::(?P<python>\d+\.\d+(?:\.\d+)?))?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        dest="targets",
        metavar="[NAME=]SITE[:X.Y]",
        help="where the project runs, as in narval, narval:3.12 or laptop=here:3.11; can be repeated (default: this "
        "machine; on a terminal it is asked)",
    )
    parser.add_argument("--python", metavar="X.Y", help="the Python of all targets (default: the one that covers most)")
    parser.add_argument("--name", help="the project's name (default: the folder's)")
    parser.add_argument(
        "--from",
        action="append",
        default=[],
        type=Path,
        dest="files",
        metavar="FILE",
        help="take over this list as tumpline import does; can be repeated (default: requirements*.txt and "
        "environment.yml in the folder, where the project asks for nothing yet)",
    )
    parser.add_argument("--no-import", action="store_true", help="take over no list")
    parser.add_argument("--project", type=Path, metavar="DIR", help="the project's folder (default: this one)")
    parser.add_argument("--yes", action="store_true", help="do not ask before writing")
    parser.add_argument("--dry-run", action="store_true", help="show what would be written, write nothing")
    add_index_options(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    # What an import can be told besides is for that command: these are its defaults.
    parser.set_defaults(pins="tilde", all=False, made_by=None)


class _Wanted(NamedTuple):
    """A target that is asked for; the Python is empty where it is to be chosen."""

    name: str
    site: Site
    site_name: str
    python: str


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Show the plan and write the file; a second run changes nothing."""
    root: Path = options.project or Path()
    path = _file_to_write(root / "pyproject.toml")
    before = _content(path)
    asks = sys.stdin.isatty() and terminal.draws and not terminal.json and not options.yes
    document = DependencyEdit(before, str(root / "pyproject.toml"))
    project = read_project(root, before) if before.strip() else None
    present = project.settings.targets if project is not None else ()
    wanted = list(_wanted(options, present, asks=asks))
    lists = _lists(root, project, options)
    names = {normalise(one.requirement.name) for one in project.requirements} if project is not None else set[Name]()
    counted = _covered(wanted, names.union(names_in(lists.taken)), options.catalogue)
    python = options.python or _best(counted, wanted, project, lists.taken)
    if not document.has_project:
        document.add_project(options.name or _project_name(root), f">={_least(wanted, python)}")
    for target in wanted:
        document.add_target(target.name, target.site_name, target.python or python)
    after, imported = document.content, None
    if lists.taken:
        with LiveLine(terminal) as live:
            imported = judge_lists(lists.taken, read_project(root, after), options, live)
        after = with_import(after, imported, str(path))
    whole = imported is None or imported.whole
    written = after != before and whole and not options.dry_run
    if not terminal.json:
        if imported is not None:
            tell_account(imported, terminal)
        _tell(before, after, counted, python, terminal)
    if written and asks and not _agreed(terminal):
        terminal.say("nothing was written")
        return 1
    if written:
        if _content(path) != before:
            raise EnvironmentFailure.of(
                "project-changed",
                f"{path.name} was changed meanwhile",
                where=str(path),
                hint="nothing was written: run the same command again",
            )
        write_atomically(path, after)
    status = 1 if any(found.problems for found in lists.taken) or not whole else 0
    if terminal.json:
        data = _data(path, wanted, python, counted, written=written)
        account = outcome_data(replace(imported, written=written)) if imported is not None else None
        terminal.data(json.dumps({**data, "import": account}, indent=2))
        return status
    if lists.left:
        terminal.say(f"not taken over: {', '.join(lists.left)} (tumpline import FILE does)")
    if written:
        terminal.say(f"wrote {path.name}")
        terminal.say(f"next: {'tumpline lock' if read_project(root, after).requirements else 'tumpline add NAME …'}")
    elif options.dry_run:
        terminal.say("dry run: nothing was written")
    elif not whole:
        terminal.say("nothing was written, since not every line was read")
    return status


def _lists(root: Path, project: Project | None, options: argparse.Namespace) -> Lists:
    """Read the lists that are to be taken over; of a project that asks for something, only those that are named."""
    if options.no_import or (project is not None and project.requirements and not options.files):
        return Lists()
    return find_lists(root, options.files)


def _file_to_write(path: Path) -> Path:
    """Return the file behind a name that may be a link; raises what `Document.load` raises, and ``cannot-read``."""
    if not path.exists() and path.is_symlink():
        raise InputError.of(
            "cannot-read",
            f"{path.name} is a link that leads nowhere",
            where=str(path),
            why=f"it names {path.readlink()}",
            hint="remove the link, or make what it leads to",
        )
    if path.exists():
        Document.load(path)
    return path.resolve()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _wanted(options: argparse.Namespace, present: Sequence[TargetRequest], *, asks: bool) -> Iterator[_Wanted]:
    """Yield the targets that are to be added; raises InputError ``bad-target``, ``target-exists``."""
    words: list[str] = options.targets
    if not words and not present:
        words = [here().site_name if load_site_named("here").catalogue is not None else "laptop=here"]
        if asks:
            given = input(f"where does it run (sites, as in: narval fir laptop=here) [{' '.join(words)}]? ").split()
            words = given or words
    known = {target.name: target for target in present}
    added: set[str] = set()
    for word in words:
        place = _TARGET.fullmatch(word)
        if place is None:
            raise InputError.of(
                "bad-target",
                f"{word[:100]!r} names no target",
                where="--target",
                hint="write a site, or NAME=SITE, each with :X.Y for its Python: narval:3.12, laptop=here",
            )
        site = load_site_named(place["site"])
        name = place["name"] or place["site"]
        old = known.get(name)
        if old is not None or name in added:
            if old is None or old.site != place["site"] or place["python"] not in (None, old.python):
                raise InputError.of(
                    "target-exists",
                    f"there is a target {name} already, and it is another",
                    where="--target",
                    hint=f"give the new one a name of its own: other-{name}={place['site']}",
                )
            continue
        added.add(name)
        yield _Wanted(name, site, place["site"], place["python"] or "")


def _covered(wanted: Iterable[_Wanted], names: Collection[Name], given: Path | None) -> dict[str, tuple[Coverage, ...]]:
    """Count, by site, what it has of these packages for each of its Pythons; of a catalogue that is `given`, if any."""
    from tumpline.catalogue.coverage import coverage
    from tumpline.catalogue.find import find_catalogue

    counted: dict[str, tuple[Coverage, ...]] = {}
    for target in wanted:
        environment = target.site.environment(target.site.default_environment)
        if target.site.catalogue is None or environment is None or target.site_name in counted:
            continue
        minors = list(dict.fromkeys(".".join(python.split(".")[:2]) for python in environment.pythons))
        try:
            with find_catalogue(target.site, cache(), given) as catalogue:
                layers = list(dict.fromkeys(layer for level in environment.layers.values() for layer in level))
                counted[target.site_name] = coverage(catalogue, names, minors, layers)
        except InputError as error:
            if error.code != "no-catalogue":
                raise
    return counted


def _best(
    counted: Mapping[str, Sequence[Coverage]],
    wanted: Sequence[_Wanted],
    project: Project | None,
    lists: Iterable[Foreign],
) -> str:
    """Return the Python that all sites have and that covers most.

    Of equals one that a list names, else a site's default, else the newest.
    """
    requires = parse_specifier(project.requires_python if project is not None else "")
    totals: dict[str, int] = {}
    for rows in counted.values():
        for row in rows:
            totals[row.python] = totals.get(row.python, 0) + row.found
    everywhere = [
        python
        for python in totals
        if all(any(row.python == python for row in rows) for rows in counted.values())
        and requires.contains(f"{python}.99")
    ]
    defaults = {
        ".".join(environment.default_python.split(".")[:2])
        for target in wanted
        if (environment := target.site.environment(target.site.default_environment)) is not None
    }
    named = {found.python for found in lists if found.python}
    if not everywhere:
        return min(defaults, default="") or f"{sys.version_info.major}.{sys.version_info.minor}"
    return max(everywhere, key=lambda python: (totals[python], python in named, python in defaults, _number(python)))


def _least(wanted: Iterable[_Wanted], python: str) -> str:
    return min((target.python or python for target in wanted), key=_number, default=python)


def _number(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")))


def _project_name(root: Path) -> str:
    """Return a name made of the folder's, with what a name can not have left out."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.absolute().resolve().name).strip("-._")
    return name or "project"


def _tell(
    before: bytes, after: bytes, counted: Mapping[str, Sequence[Coverage]], python: str, terminal: Terminal
) -> None:
    for site, rows in counted.items():
        total = len(rows[0].missing) + rows[0].found if rows else 0
        if total:
            shown = ", ".join(f"Python {row.python}: {row.found}" for row in rows)
            terminal.say(f"{site} has of {total} packages: {shown}")
            if missing := next((row.missing for row in rows if row.python == python), ()):
                terminal.say(f"  not for Python {python}: {', '.join(missing)}")
    if after == before:
        terminal.say("pyproject.toml says it already")
        return
    old, new = before.decode().splitlines(), after.decode().splitlines()
    changes = [line for line in list(unified_diff(old, new, n=0, lineterm=""))[2:] if not line.startswith("@@")]
    only_more = all(line.startswith("+") for line in changes)
    terminal.say("pyproject.toml gets:")
    for line in changes:
        terminal.say(f"  {line[1:] if only_more else f'{line[0]} {line[1:]}'}".rstrip())


def _agreed(terminal: Terminal) -> bool:
    terminal.err.flush()
    return input("write it [Y/n]? ").strip().lower() in ("", "y", "yes")


def _data(
    path: Path, wanted: Sequence[_Wanted], python: str, counted: Mapping[str, Sequence[Coverage]], *, written: bool
) -> dict[str, object]:
    """Return the plan as plain data; its form is documented in ``docs/reference/project.md``."""
    return {
        "schema": "tumpline.init/1",
        "file": str(path),
        "written": written,
        "targets": [
            {"name": target.name, "site": target.site_name, "python": target.python or python} for target in wanted
        ],
        "coverage": {
            site: {row.python: {"found": row.found, "missing": list(row.missing)} for row in rows}
            for site, rows in counted.items()
        },
    }
