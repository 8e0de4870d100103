"""``tumpline catalogue pull``: make a cluster's catalogue from elsewhere, over ssh, with nothing installed there."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.catalogue_scan import declare_forgetting, scan_data, tell_scan
from tumpline.cli.far_words import plain_words, split_words
from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, load_site_named
from tumpline.errors import InputError

if TYPE_CHECKING:
    from tumpline.sites import Site

__all__ = ["configure", "execute"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the action."""
    parser.add_argument("site", metavar="SITE", help="the site whose wheelhouse is read")
    parser.add_argument(
        "--host", default="", metavar="HOST", help="the host to connect to (default: the site's login host)"
    )
    parser.add_argument(
        "--ssh", default="ssh", metavar="COMMAND", help="the ssh to use, with its options (default: ssh)"
    )
    parser.add_argument(
        "--python", default="python3", metavar="COMMAND", help="the Python there, 3.6 or newer (default: python3)"
    )
    parser.add_argument(
        "--wheelhouse",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="read this folder there instead of the profile's: a wheelhouse, or one layer; can be repeated, best first",
    )
    parser.add_argument("--stdenv", default="", metavar="NAME", help="only the layers of this software environment")
    parser.add_argument("--cpu-level", default="", metavar="LEVEL", help="only the layers for this CPU level")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write to this file (default: in the cache, where it is found)"
    )
    declare_forgetting(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Pull, and tell what was found."""
    from tumpline.catalogue.far.conversation import COMMAND
    from tumpline.catalogue.far.link import Link
    from tumpline.catalogue.find import catalogue_path
    from tumpline.catalogue.layers import choose_layers
    from tumpline.catalogue.pull import pull
    from tumpline.cli.site_modules import profile_facts
    from tumpline.host.ssh import RemoteProgram

    site = load_site_named(options.site)
    host = options.host or _login_host(site)
    output = options.output or catalogue_path(site, cache())
    command = f"{plain_words('--python', options.python)} {COMMAND}"
    with LiveLine(terminal) as live:

        def progress(done: int, total: int) -> None:
            if terminal.draws:
                live(f"read {done:,} of {total:,} wheels on {host}")

        live(f"connecting to {host}")
        with RemoteProgram(split_words("--ssh", options.ssh), host, command, terminal.say) as program:
            link = Link(program)
            live(f"listing the wheelhouse with Python {link.python} on {host}")
            layers = choose_layers(
                site,
                options.wheelhouse,
                environment=options.stdenv,
                cpu_level=options.cpu_level,
                are_folders=lambda paths: link.are_folders([path.as_posix() for path in paths]),
            )
            report = pull(
                site,
                link,
                [(layer, folder.as_posix()) for layer, folder in layers.found],
                output,
                today=datetime.now(UTC).date(),
                facts=profile_facts(site),
                forget=options.forget_layers,
                progress=progress,
            )
    if terminal.json:
        data = scan_data(report.scan, layers) | {"schema": "tumpline.catalogue-pull/1", "host": host}
        data |= {"python": link.python, "resumed": report.resumed}
        data |= {"sent": program.sent, "received": program.received}
        terminal.data(json.dumps(data, indent=2))
        return 0
    tell_scan(report.scan, layers, terminal)
    if report.resumed:
        terminal.say(f"{report.resumed:,} wheels had been received by a pull that was cut off")
    terminal.say(f"sent {_amount(program.sent)}, received {_amount(program.received)}")
    return 0


def _login_host(site: Site) -> str:
    if not site.login_host:
        raise InputError.of(
            "no-login-host",
            f"the profile of {site.name} names no login host",
            hint="name the host with --host HOST",
        )
    return site.login_host


def _amount(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
