"""``tumpline catalogue pull``: make a cluster's catalogue from elsewhere, over ssh, with nothing installed there."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.catalogue_scan import scan_data, tell_scan
from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import cache, load_site_named
from tumpline.errors import InputError

if TYPE_CHECKING:
    from tumpline.sites import Site

__all__ = ["configure", "execute"]

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=@%+,-]+")
"""What means itself to every shell."""


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
    command = f"{_python(options.python)} {COMMAND}"
    with LiveLine(terminal) as live:

        def progress(done: int, total: int) -> None:
            if terminal.draws:
                live(f"read {done:,} of {total:,} wheels on {host}")

        live(f"connecting to {host}")
        with RemoteProgram(_words("--ssh", options.ssh), host, command, terminal.say) as program:
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


def _words(option: str, text: str) -> list[str]:
    """Split a command as a shell does; no shell sees it."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError.of(
            "bad-command", f"{option} can not be split into words", why=str(error), hint="close the quotes"
        ) from error
    if not words:
        raise InputError.of("bad-command", f"{option} names no command", hint=f"leave {option} out, or name a command")
    return words


def _python(text: str) -> str:
    """Return the command of the Python there; its words must be plain, as nobody knows which shell will read them."""
    words = _words("--python", text)
    if odd := [word for word in words if not _PLAIN_WORD.fullmatch(word)]:
        raise InputError.of(
            "bad-command",
            f"--python can not have {odd[0]!r}",
            why="its words go through the login shell there, so they may hold letters, digits and _./:=@%+,- only",
            hint="give the path of a Python, or of a script there that starts one",
        )
    return " ".join(words)


def _amount(count: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
