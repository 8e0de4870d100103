"""Write ``docs/reference/commands.md`` from the parsers of the command line.

The text does not use argparse's own layout, which differs between versions of Python.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tumpline.cli.app import COMMANDS, command_module
from tumpline.cli.late import LateParser

__all__ = ["REFERENCE", "command_reference"]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"

_HEAD = """\
# Commands

Written by `scripts/make_command_reference.py` from the command line's own parsers; do not edit.

Exit statuses: 0 done; 1 the answer is no; 2 usage or bad input; 3 no resolution; 4 the machine or the network failed;
130 interrupted. Every command but `avail-wheels` also takes `-h` (help), `-v` (say more) and `-q` (say less); both may
be repeated. Answers go to stdout, everything else to stderr.
"""


def command_reference() -> str:
    """Return the whole page."""
    sections = [_HEAD]
    for name, purpose in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"tumpline {name}", add_help=False)
        command_module(name).configure(parser)
        sections.extend(_sections(parser, purpose, 2))
    return "\n".join(sections)


def _sections(parser: argparse.ArgumentParser, purpose: str, depth: int) -> Iterator[str]:
    if isinstance(parser, LateParser):
        parser.complete()
    common = ("help", "verbose", "quiet")
    actions = [a for a in parser._actions if a.help != argparse.SUPPRESS and a.dest not in common]
    nested = [action for action in actions if isinstance(action, argparse._SubParsersAction)]
    rows = [_row(action) for action in actions if action not in nested]
    text = f"{'#' * depth} `{parser.prog}`\n\n{_sentence(parser.description or purpose)}\n"
    if rows:
        text += "\n| argument | meaning |\n|---|---|\n" + "".join(rows)
    yield text
    for action in nested:
        purposes = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, inner in action.choices.items():
            yield from _sections(inner, purposes.get(name, ""), depth + 1)


def _row(action: argparse.Action) -> str:
    value = action.metavar or (action.dest.upper() if action.option_strings else action.dest)
    if action.choices is not None and action.metavar is None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    value = " ".join(value) if isinstance(value, tuple) else value
    takes_value = action.nargs != 0
    words = [f"{option} {value}" if takes_value else option for option in action.option_strings] or [value]
    meaning = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%").replace("|", "\\|")
    return f"| {', '.join(f'`{word}`' for word in words)} | {meaning} |\n"


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def main() -> int:
    """Write the page; with ``--check`` only say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page is out of date")
    options = parser.parse_args()
    page = command_reference()
    if options.check:
        return 0 if REFERENCE.is_file() and REFERENCE.read_text(encoding="utf-8") == page else 1
    REFERENCE.parent.mkdir(parents=True, exist_ok=True)
    REFERENCE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
