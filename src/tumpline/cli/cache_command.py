"""``tumpline cache``: what the cache holds and where, and making it smaller."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tumpline.cli.amounts import amount, counted, days
from tumpline.cli.late import LateParser
from tumpline.cli.terminal import Terminal
from tumpline.errors import Problem
from tumpline.host import cache_limit, cache_place, home_folder
from tumpline.host.caches import BOUNDED, CacheUse, KeptFile, files_below, oldest, parse_size, remove_files

if TYPE_CHECKING:
    from tumpline.host import Place

__all__ = ["configure", "execute"]

_KINDS = {
    "index/pages": "pages of indexes",
    "index/links": "pages of links",
    "index/metadata": "metadata of files",
    "index/hashes": "hashes of files",
    "index/files": "wheels and sdists",
    "sources": "what sources need",
    "built": "wheels that were built",
    "catalogues": "catalogues",
    "stage": "the stage",
}
"""Folder -> what is in it; all else is told as ``other``."""

_DAY = 86400.0


class Kind(NamedTuple):
    """The files of a kind; `removable` says whether they are kept within the limit, and pruned."""

    name: str
    files: list[KeptFile]
    removable: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=LateParser)
    for name, purpose, declare in (
        ("info", "say what the cache holds, and where it is", _declare_info),
        ("prune", "remove what was used longest ago", _declare_prune),
    ):
        actions.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.", declare=declare)


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the action says."""
    place = cache_place()
    kinds = _kinds(place.folder)
    return _info(place, kinds, terminal) if options.action == "info" else _prune(place, kinds, options, terminal)


def _declare_info(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    _declare_common(parser)


def _declare_prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--size", metavar="SIZE", help="make it so small, as 5GB (default: the limit, TUMPLINE_CACHE_SIZE, or 20GB)"
    )
    parser.add_argument(
        "--older-than", type=days, metavar="DAYS", help="remove what was not used for so many days, and nothing else"
    )
    parser.add_argument("--all", action="store_true", help="remove everything but catalogues and stages")
    parser.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    _declare_common(parser)


def _declare_common(parser: argparse.ArgumentParser) -> None:
    # Also behind the action, where a person writes them; without a default, so that those before it count.
    parser.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
    parser.add_argument("-q", "--quiet", action="count", default=argparse.SUPPRESS, help="say less")


def _kinds(folder: Path) -> list[Kind]:
    found = {name: Kind(name, [], name.partition("/")[0] in BOUNDED) for name in (*_KINDS, "other")}
    for file in files_below(folder):
        parts = file.path.relative_to(folder).parts
        name = next((name for name in ("/".join(parts[:2]), parts[0]) if name in found), "other")
        found[name].files.append(file)
    return list(found.values())


def _info(place: Place, kinds: Sequence[Kind], terminal: Terminal) -> int:
    limit = cache_limit()
    rows = [kind for kind in kinds if kind.files]
    files = sum(len(kind.files) for kind in rows)
    size = sum(file.size for kind in rows for file in kind.files)
    if terminal.json:
        data = {
            "schema": "tumpline.cache/1",
            "folder": str(place.folder),
            "chosen-by": place.reason or None,
            "limit": limit,
            "files": files,
            "bytes": size,
            "kinds": [_row(kind) for kind in kinds],
        }
        terminal.data(json.dumps(data, indent=2))
    else:
        chosen = f" (chosen by {place.reason})" if place.reason else ""
        terminal.data(f"{place.folder}{chosen}")
        for kind in rows:
            used = time.strftime("%Y-%m-%d", time.localtime(min(file.used for file in kind.files)))
            bytes_of = amount(sum(file.size for file in kind.files))
            words = _KINDS.get(kind.name, kind.name)
            terminal.data(f"  {words:<24}{len(kind.files):>9,} files  {bytes_of:>10}  oldest use {used}")
        bound = "no limit" if limit is None else f"at most {amount(limit)} without catalogues and stages"
        terminal.data(f"  {'in all':<24}{files:>9,} files  {amount(size):>10}  {bound}")
    _remark_home(place, files, terminal)
    return 0


def _remark_home(place: Place, files: int, terminal: Terminal) -> None:
    """Say on a cluster that the cache is in home, where the number of files is limited (R18)."""
    from tumpline.cli.wiring import load_site_named
    from tumpline.errors import InputError

    try:
        site = load_site_named("here")
        at_home = Path(place.folder).resolve().is_relative_to(home_folder().resolve())
    except (InputError, OSError, RuntimeError):
        return
    quota = (site.quotas or {}).get("home")
    if at_home and site.kind == "cluster":
        most = f", where you may have {quota.files:,}" if quota is not None and quota.files else ""
        terminal.note(
            Problem(
                "cache-in-home",
                f"{counted(files, 'file')} of the cache {'is' if files == 1 else 'are'} in home{most}",
                where=str(place.folder),
                hint="set TUMPLINE_CACHE to a folder in scratch, in ~/.bashrc, and remove this one",
            )
        )


def _row(kind: Kind) -> dict[str, object]:
    return {
        "kind": kind.name,
        "files": len(kind.files),
        "bytes": sum(file.size for file in kind.files),
        "oldest": min((file.used for file in kind.files), default=None),
        "removable": kind.removable,
    }


def _prune(place: Place, kinds: Sequence[Kind], options: argparse.Namespace, terminal: Terminal) -> int:
    removable = [file for kind in kinds if kind.removable for file in kind.files]
    in_use = CacheUse(place.folder, None, notes=False).in_use_since()
    idle = [file for file in removable if file.used < in_use]
    if options.all:
        files = idle
    elif options.older_than is not None:
        before = time.time() - options.older_than * _DAY
        files = [file for file in idle if file.used < before]
    else:
        limit = parse_size(options.size, "--size") if options.size is not None else cache_limit()
        files = [] if limit is None else oldest(idle, sum(file.size for file in removable) - limit)
    for file in files:
        terminal.say(f"  {file.path.relative_to(place.folder)}", level=1)
    freed = sum(file.size for file in files) if options.dry_run else remove_files(files)
    spared = len(removable) - len(idle)
    if terminal.json:
        data = {
            "schema": "tumpline.cache-prune/1",
            "folder": str(place.folder),
            "dry_run": options.dry_run,
            "files": len(files),
            "bytes": freed,
            "in-use": spared,
        }
        terminal.data(json.dumps(data, indent=2))
    else:
        would = "would free" if options.dry_run else "freed"
        terminal.say(f"{would} {amount(freed)} in {counted(len(files), 'file')} of {place.folder}")
        if spared:
            terminal.say(f"{counted(spared, 'file')} used since a command began that still runs: left")
    return 0
