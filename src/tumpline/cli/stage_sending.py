"""``tumpline stage --to``: copying a stage to another machine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress

from tumpline.catalogue.far.conversation import COMMAND
from tumpline.cli.amounts import amount
from tumpline.cli.far_words import plain_words, split_words
from tumpline.cli.live import LiveLine
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import load_site_named
from tumpline.environment.stage import Survey
from tumpline.environment.stage_copy import Copied, Recipient, copy_by_program, copy_by_rsync, files_of, split_place
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import InputError
from tumpline.host import variables
from tumpline.host.ssh import RemoteProgram

__all__ = ["send"]


def send(options: argparse.Namespace, terminal: Terminal, stage: WheelStore, surveys: Sequence[Survey]) -> Copied:
    """Copy what the targets need of the stage."""
    host, path = split_place(options.to)
    host = _login_host(host)
    ssh = split_words("--ssh", options.ssh)
    python = plain_words("--python", options.python)
    files = files_of(surveys)
    total = sum(file.stat().st_size for file in files.values())
    with LiveLine(terminal) as live:
        live(f"copying {amount(total)} to {host} with rsync, as far as it is not there")
        if (copied := copy_by_rsync(files, stage.folder, ssh, (host, path), variables())) is not None:
            return copied
        live(f"connecting to {host}")
        sent = 0

        def progress(size: int) -> None:
            nonlocal sent
            sent += size
            live.step(f"sent {amount(sent)} to {host}")

        with RemoteProgram(ssh, host, f"{python} {COMMAND}", terminal.say) as program:
            return copy_by_program(files, Recipient(program), path, progress)


def _login_host(host: str) -> str:
    """Return the login host that the name of a site stands for; anything else as it is."""
    user, at, name = host.rpartition("@")
    with suppress(InputError):
        return f"{user}{at}{load_site_named(name).login_host or name}"
    return host
