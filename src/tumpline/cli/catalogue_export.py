"""``tumpline catalogue export``: write a catalogue as one small file."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.catalogue_source import open_named
from tumpline.cli.terminal import Terminal
from tumpline.errors import InputError
from tumpline.host import write_atomically

if TYPE_CHECKING:
    from tumpline.catalogue.content import Content

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SITE|FILE",
        default="",
        help="a site or a catalogue's file (default: this site, else the Alliance)",
    )
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="this file, rather than the site's")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write to this file (default: SITE-DAY.tumpline, here)"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Pack, write, and say how large it is; raises InputError ``not-a-snapshot`` for an output that must be kept."""
    from tumpline.catalogue.snapshot import content_of, pack, read_head

    with open_named(options.source, options.catalogue) as catalogue:
        content = content_of(catalogue)
    output: Path = options.output or Path(_name(content))
    _check_output(output)
    raw = pack(content)
    write_atomically(output, raw)
    head, _ = read_head(raw, str(output))
    digest = hashlib.sha256(raw).hexdigest()
    if terminal.json:
        terminal.data(
            json.dumps(
                {
                    "schema": "tumpline.catalogue-export/1",
                    "file": str(output),
                    "bytes": len(raw),
                    "wheels": head.wheels,
                    "site": head.site,
                    "grade": head.grade,
                    "date": head.date,
                    "identity": head.identity,
                    "sha256": digest,
                },
                indent=2,
            )
        )
    else:
        terminal.say(f"{head.site}: {head.wheels:,} wheels, {head.grade} {head.date}")
        terminal.say(f"wrote {output}: {len(raw):,} bytes, {len(raw) / max(head.wheels, 1):.1f} for each wheel")
        terminal.say(f"sha256 {digest}")
    return 0


def _name(content: Content) -> str:
    # Both come from a file that may be from anywhere: they must not lead out of the folder.
    name = "".join(
        letter if letter.isalnum() or letter in "._-" else "-" for letter in f"{content.site}-{content.date}"
    )
    return f"{name.lstrip('.-') or 'catalogue'}.tumpline"


def _check_output(output: Path) -> None:
    from tumpline.catalogue.opening import is_snapshot

    try:
        kept = not is_snapshot(output)
    except FileNotFoundError:
        return
    if kept:
        raise InputError.of(
            "not-a-snapshot",
            "the file is there, and is not a snapshot",
            where=str(output),
            hint="name another file with -o, or remove this one",
        )
