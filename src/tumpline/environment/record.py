"""What an environment says of itself: the small file that is written last, and makes it complete (R15)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tumpline.errors import InputError
from tumpline.host.files import write_atomically

__all__ = [
    "BYTECODE_NAME",
    "RECORD_NAME",
    "EnvironmentRecord",
    "Expected",
    "read_record",
    "record_document",
    "record_of",
    "write_record",
]

RECORD_NAME = "tumpline-environment.json"
BYTECODE_NAME = "tumpline-bytecode.txt"
"""What is beside the record where bytecode was asked for: of what it was made."""

_FORMAT = 1
_LIMIT = 2**22
"""Bytes; the record of a thousand packages has a fiftieth of that."""


class Expected(NamedTuple):
    """A package that is not installed since a module brings it; `module` is spelled as in the lock."""

    name: str
    version: str
    module: str


class EnvironmentRecord(NamedTuple):
    """Where and from what an environment was made.

    `key` is `Plan.key`, which changes when the target's part of the lock does. `python` is the full version and
    `interpreter` the path of the Python that the environment stands on. `packages` are (name, version), sorted by
    name, and `marks` the `WheelStep.mark` of each; `project` is the name of the project where it is installed, else
    empty. `compiled` says whether bytecode was asked for.
    """

    target: str
    site: str
    environment: str
    cpu_level: str
    python: str
    interpreter: str
    modules: tuple[str, ...]
    expected: tuple[Expected, ...]
    key: str
    packages: tuple[tuple[str, str], ...]
    project: str
    tool: str
    marks: tuple[str, ...] = ()
    compiled: bool = False


def write_record(folder: Path, record: EnvironmentRecord) -> None:
    """Write the record into a finished environment; raises EnvironmentFailure ``cannot-write``."""
    content = json.dumps(record_document(record), indent=1, ensure_ascii=True)
    write_atomically(folder / RECORD_NAME, content.encode() + b"\n")


def record_document(record: EnvironmentRecord) -> dict[str, object]:
    """Return the record as JSON has it."""
    return {
        "format": _FORMAT,
        **record._asdict(),
        "expected": [package._asdict() for package in record.expected],
    }


def read_record(folder: Path) -> EnvironmentRecord | None:
    """Read the record of an environment; None where there is none, so that the environment is not complete.

    Raises InputError ``environment-unreadable`` where the file is not a record that this version wrote.
    """
    path = folder / RECORD_NAME
    try:
        with path.open("rb") as stream:
            content = json.loads(stream.read(_LIMIT))
        return record_of(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _unreadable(path, "it is not a record that this version of tumpline wrote") from error


def record_of(content: object) -> EnvironmentRecord:
    """Return the record that a document states; raises ValueError, KeyError or TypeError where it is none."""
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError
    return EnvironmentRecord(
        **{
            name: _text(content, name)
            for name in (
                "target",
                "site",
                "environment",
                "cpu_level",
                "python",
                "interpreter",
                "key",
                "project",
                "tool",
            )
        },
        modules=tuple(str(module) for module in content["modules"]),
        expected=tuple(
            Expected(_text(row, "name"), _text(row, "version"), _text(row, "module")) for row in content["expected"]
        ),
        packages=tuple((str(name), str(version)) for name, version in content["packages"]),
        marks=tuple(str(mark) for mark in content.get("marks", ())),
        compiled=content.get("compiled") is True,
    )


def _text(table: Mapping[str, object], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise TypeError
    return value


def _unreadable(path: Path, why: str) -> InputError:
    return InputError.of(
        "environment-unreadable",
        "the environment does not say what it was made from",
        where=str(path),
        why=why,
        hint="make it anew: tumpline sync",
    )
