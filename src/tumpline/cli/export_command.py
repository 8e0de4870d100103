"""``tumpline export``: the lock for other tools and other people."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import add_index_options, add_project_option, load_site_of, open_index, read_lock_of
from tumpline.errors import InputError
from tumpline.host.files import write_atomically
from tumpline.lock.export import Export, Rows, pins_of, rows_for, rows_of
from tumpline.lock.model import IndexArtefact, Lock, WheelhouseArtefact

if TYPE_CHECKING:
    from tumpline.lock.locate import Location
    from tumpline.values import Name

__all__ = ["configure", "execute"]

_FORMATS = {
    "pylock": "PEP 751, for pip 26.1 or newer and uv (the default)",
    "requirements": "pins, for pip of any age",
    "constraints": "pins that limit what pip installs, and ask for nothing",
    "poetry": "what the project asks for, as a pyproject.toml for Poetry",
    "conda": "an environment.yml",
    "sbom": "a bill of materials, CycloneDX 1.6",
    "text": "a paragraph for the methods section of a paper",
}

_TAKES = {
    "local": ("requirements", "constraints"),
    "tilde": ("requirements", "conda"),
    "anywhere": ("requirements", "constraints", "poetry", "conda"),
    "lang": ("text",),
}
"""Option -> the formats for which it means something."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_project_option(parser)
    add_index_options(parser)
    parser.add_argument(
        "--format",
        choices=tuple(_FORMATS),
        default="pylock",
        help="; ".join(f"{name}: {purpose}" for name, purpose in _FORMATS.items()),
    )
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument("--target", metavar="NAME", help="the target to export; needed where the lock has several")
    whom.add_argument(
        "--anywhere",
        action="store_true",
        help="for people who have none of the targets: public versions only, of all targets together",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to this file instead of stdout")
    parser.add_argument(
        "--tilde", action="store_true", help="that release and its later patches (~=2.31.0) rather than exact versions"
    )
    parser.add_argument(
        "--local",
        action="store_true",
        help="for the site itself: its own version numbers, without what its modules bring",
    )
    parser.add_argument("--lang", choices=("en", "fr"), help="the language of the paragraph (default: en)")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the export; what it leaves out is said on stderr."""
    _check(options)
    root, lock = read_lock_of(options)
    export = _export(lock, root, options, terminal)
    for row in export.left_out:
        terminal.say(f"left out: {row.name} {row.version}, which the module {row.module} brings")
    for remark in export.remarks:
        terminal.say(remark)
    if options.output is None:
        terminal.data(export.text.removesuffix("\n"))
    else:
        write_atomically(options.output, export.text.encode())
        terminal.say(f"wrote {options.output}")
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise InputError ``not-for-this-format`` for an option that would change nothing, or could not be followed."""
    for option, formats in _TAKES.items():
        if getattr(options, option) and options.format not in formats:
            raise InputError.of(
                "not-for-this-format",
                f"--{option} does not go with --format {options.format}",
                why=f"it has a meaning for {' and '.join(formats)} only",
                hint=f"leave out --{option}, or use --format {formats[0]}",
            )
    if options.anywhere and options.local:
        raise InputError.of(
            "not-for-this-format",
            "--local does not go with --anywhere",
            why="versions of a site's own exist nowhere else",
            hint="leave out one of them",
        )


def _export(lock: Lock, root: Path, options: argparse.Namespace, terminal: Terminal) -> Export:
    match options.format:
        case "pylock":
            return _pylock(lock, root, options.target or _only_target(lock), options, terminal)
        case "sbom":
            from tumpline import __version__
            from tumpline.lock.sbom import export_sbom
            from tumpline.project.read import read_project

            return export_sbom(lock, options.target or _only_target(lock), read_project(root), __version__)
        case "text":
            return _text(lock, root, options)
    rows = _rows(lock, options)
    if options.format == "poetry":
        from tumpline.lock.poetry_view import export_poetry
        from tumpline.project.read import read_project

        return export_poetry(rows, read_project(root))
    if options.format == "conda":
        from tumpline.lock.conda import export_conda
        from tumpline.project.read import read_project

        return export_conda(rows, root, read_project(root).name or root.name, tildes=options.tilde)
    from tumpline.lock.requirements import export_constraints, export_requirements

    if options.format == "constraints":
        return export_constraints(rows)
    return export_requirements(rows, root, tildes=options.tilde, anywhere=options.anywhere)


def _rows(lock: Lock, options: argparse.Namespace) -> Rows:
    if options.anywhere:
        return rows_of(lock, options.format)
    return rows_for(lock, options.target or _only_target(lock), options.format, local=options.local)


def _text(lock: Lock, root: Path, options: argparse.Namespace) -> Export:
    import hashlib

    from tumpline import __version__
    from tumpline.catalogue.shipped import SHIPPED
    from tumpline.lock.file import LOCK_NAME
    from tumpline.lock.methods import Cluster, export_methods

    digest = hashlib.sha256((root / LOCK_NAME).read_bytes()).hexdigest()
    clusters: dict[str, Cluster] = {}
    for target in lock.targets:
        if target.environment:
            site = load_site_of(target)
            # "Narval (Calcul Québec)": what a paper names is the cluster.
            clusters[target.name] = Cluster(site.title.partition(" (")[0], site.catalogue == SHIPPED)
    return export_methods(lock, digest, __version__, clusters, options.target or "", options.lang or "en")


def _pylock(lock: Lock, root: Path, target: str, options: argparse.Namespace, terminal: Terminal) -> Export:
    from tumpline.lock.locate import locate_in_index, locate_in_wheelhouse
    from tumpline.lock.pylock import check_pylock_name, export_pylock

    if options.output is not None:
        check_pylock_name(options.output, target)
    where, _ = pins_of(lock, target)
    with ExitStack() as stack, LiveLine(terminal) as live:
        # Opened when first needed: an index may be out of reach, or a wheelhouse elsewhere, and the target not care.
        index = cache(lambda: stack.enter_context(open_index(options)))
        wheelhouse = cache(lambda: load_site_of(where).wheelhouse)

        def locate(name: Name, artefact: IndexArtefact | WheelhouseArtefact) -> Location:
            live(f"looking for {artefact.file or name}")
            if isinstance(artefact, IndexArtefact):
                return locate_in_index(index(), name, artefact)
            folder = wheelhouse() if artefact.file else None
            return locate_in_wheelhouse(Path(folder) if folder else None, name, artefact)

        return export_pylock(lock, target, locate, root)


def _only_target(lock: Lock) -> str:
    if len(lock.targets) == 1:
        return lock.targets[0].name
    known = ", ".join(target.name for target in lock.targets)
    raise InputError.of(
        "target-needed",
        "the lock has several targets" if lock.targets else "the lock has no target",
        hint=f"name one with --target: {known}" if known else "add a target to pyproject.toml and run: tumpline lock",
    )
