"""``tumpline catalogue``: make a site's catalogue, and say what one holds. Each action is a module of its own."""

from __future__ import annotations

import argparse
import importlib
from functools import partial
from typing import TYPE_CHECKING

from tumpline.cli.late import LateParser

if TYPE_CHECKING:
    from types import ModuleType

    from tumpline.cli.terminal import Terminal

__all__ = ["configure", "execute"]

_ACTIONS = {
    "scan": "read a site's wheelhouse",
    "pull": "read a cluster's wheelhouse from elsewhere, over ssh",
    "info": "say what a catalogue holds",
    "export": "write a catalogue as one small file",
    "import": "take over a catalogue that was exported",
    "diff": "say what is new and what is gone",
}
"""Action -> what it does. ``X`` is the module ``catalogue_X``, with ``configure(parser)`` and ``execute(...)``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=LateParser)
    for name, purpose in _ACTIONS.items():
        description = f"{purpose[0].upper()}{purpose[1:]}."
        actions.add_parser(name, help=purpose, description=description, declare=partial(_declare, name))


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Do what the action says."""
    return int(_module(options.action).execute(options, terminal))


def _declare(name: str, action: argparse.ArgumentParser) -> None:
    _module(name).configure(action)
    # Also behind the action, where a person writes them; without a default, so that those before it count.
    action.add_argument("-v", "--verbose", action="count", default=argparse.SUPPRESS, help="say more")
    action.add_argument("-q", "--quiet", action="count", default=argparse.SUPPRESS, help="say less")


def _module(action: str) -> ModuleType:
    return importlib.import_module(f"tumpline.cli.catalogue_{action}")
