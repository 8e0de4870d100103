"""The record that a run leaves: from what it ran, where, when and how it ended (documented in docs/reference/jobs.md).

What is known beforehand is written into the job's script, the rest by the script itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline import __version__
from tumpline.environment.plan import Plan
from tumpline.errors import InputError

__all__ = ["RunRecord", "Version", "known_record", "lock_copy_name", "read_run_record"]

_SCHEMA = "tumpline.run/1"
_LIMIT = 2**22
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Version:
    """The state of the project's files in git: the commit, and whether files that it knows were changed."""

    commit: str
    dirty: bool


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A record as read. `end` and `status` are None for a run that did not come to its end; `driver` is that of the
    GPUs, empty where there is none. `lock` is the sha256 of the lock's file, `key` is `Plan.key`.
    """

    path: Path
    target: str
    site: str
    environment: str
    cpu_level: str
    python: str
    modules: tuple[str, ...]
    packages: tuple[tuple[str, str], ...]
    lock: str
    key: str
    command: tuple[str, ...]
    version: Version | None
    nodes: str
    driver: str
    start: str
    end: str | None
    status: int | None


def lock_copy_name(digest: str) -> str:
    """Return the name of a lock's copy beside the records of runs from it."""
    return f"lock-{digest[:12]}.toml"


def known_record(
    plan: Plan, lock: str, command: Sequence[str], way: str, version: Version | None
) -> tuple[tuple[str, str], ...]:
    """Return what is known before a run, by key; each value is JSON in one line of ASCII."""
    target = plan.target
    packages = {step.name: step.version for step in plan.wheels} | {each.name: each.version for each in plan.expected}
    content: dict[str, object] = {
        "schema": _SCHEMA,
        "tool": __version__,
        "command": list(command),
        "target": target.name,
        "site": target.site,
        "software_environment": target.environment or None,
        "cpu_level": target.cpu_level or None,
        "python": target.python,
        "modules": list(dict.fromkeys([*target.modules, *(each.module for each in plan.expected)])),
        "way": way,
        "lock": {"sha256": lock, "file": lock_copy_name(lock), "key": plan.key},
        "git": version and {"commit": version.commit, "dirty": version.dirty},
        "packages": dict(sorted(packages.items())),
    }
    return tuple((key, json.dumps(value, ensure_ascii=True)) for key, value in content.items())


def read_run_record(path: Path) -> RunRecord:
    """Read a record; raises InputError ``record-unreadable``."""
    try:
        with path.open("rb") as stream:
            table = json.loads(stream.read(_LIMIT))
        return _record(path, table)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(path, "it is not the record of a run that this version of tumpline knows") from error


def _record(path: Path, table: object) -> RunRecord:
    if not isinstance(table, dict) or table.get("schema") != _SCHEMA:
        raise ValueError
    lock, git = table["lock"], table["git"]
    record = RunRecord(
        path=path,
        target=_text(table["target"]),
        site=_text(table["site"]),
        environment=_text(table["software_environment"] or ""),
        cpu_level=_text(table["cpu_level"] or ""),
        python=_text(table["python"]),
        modules=tuple(_text(module) for module in table["modules"]),
        packages=tuple((_text(name), _text(version)) for name, version in table["packages"].items()),
        lock=_text(lock["sha256"]),
        key=_text(lock["key"]),
        command=tuple(_text(word) for word in table["command"]),
        version=None if git is None else Version(_text(git["commit"]), git["dirty"] is True),
        nodes=_text(table["nodes"]),
        driver=_text(table["driver"] or ""),
        start=_text(table["start"]),
        end=None if table["end"] is None else _text(table["end"]),
        status=table["status"],
    )
    # The first becomes part of a file's name, the second of a folder's.
    if not _SHA256.fullmatch(record.lock) or not _SHA256.fullmatch(record.key):
        raise ValueError
    if record.status is not None and not isinstance(record.status, int):
        raise TypeError
    return record


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _unreadable(path: Path, why: str) -> InputError:
    return InputError.of(
        "record-unreadable",
        "the record of the run can not be read",
        where=str(path),
        why=why,
        hint="give the .json file that the job wrote beside its output",
    )
