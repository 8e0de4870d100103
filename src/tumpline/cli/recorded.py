"""The environment of a run, from the record that its job left: ``tumpline sync --record``."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import find_project
from tumpline.environment.generations import default_place
from tumpline.errors import InputError, Problem
from tumpline.jobs.record import RunRecord, lock_copy_name, read_run_record
from tumpline.lock import Lock, LockedTarget
from tumpline.lock.file import LOCK_NAME, read_lock

__all__ = ["lock_of_record"]


def lock_of_record(options: argparse.Namespace, terminal: Terminal) -> tuple[Path, Lock, LockedTarget, Path]:
    """Return the project's folder, the lock and the target of a run, and where its environment goes.

    The lock is the project's where that is still the same, else the copy beside the record. Raises InputError
    ``record-unreadable``, ``record-lock-gone``, and what reading a lock raises.
    """
    root = find_project(options)
    record = read_run_record(options.record)
    candidates = (root / LOCK_NAME, record.path.parent / lock_copy_name(record.lock))
    path = next((path for path in candidates if _digest(path) == record.lock), None)
    if path is None:
        raise _gone(record)
    lock = read_lock(path)
    target = lock.target(record.target)
    if target is None:
        raise _gone(record)
    version = record.version
    if version is not None:
        changed = ", with changes that are in no commit" if version.dirty else ""
        terminal.say(f"the run was made from the commit {version.commit[:12]}{changed}")
        if version.dirty:
            terminal.note(
                Problem(
                    "changes-not-recorded",
                    "files of the project were changed when the run started, and the record does not have them",
                    where=str(record.path),
                )
            )
    place = default_place(root, f"{record.target}-{record.key[:12]}")
    return root, lock, target, place


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _gone(record: RunRecord) -> InputError:
    commit = f", or check out the commit {record.version.commit[:12]}" if record.version is not None else ""
    return InputError.of(
        "record-lock-gone",
        "the lock that the run was made from is not at hand",
        where=str(record.path),
        why=f"neither the project's lock nor {lock_copy_name(record.lock)} beside the record has its digest",
        hint=f"put that file beside the record{commit}",
    )
