"""Generations: complete environments beside the link that names the current one.

The environment at ``E`` is a symbolic link to a folder beside it, ``.E.tumpline-<lock>-<random>``. A new generation
is built under a name of its own and takes over when the link is replaced by a rename, which a reader sees as one
step; what was started from the old one goes on using the old one, which stays until the next sync. No lock is taken
anywhere (R20): a builder leaves a note beside its folder, by which others can tell a folder in the making from one
that a killed builder left behind.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tumpline.environment.record import RECORD_NAME, EnvironmentRecord
from tumpline.environment.storage import storage_failure
from tumpline.environment.whereabouts import moved_from
from tumpline.errors import EnvironmentFailure, InputError

__all__ = ["Generation", "current_generation", "default_place", "is_whole", "leftovers", "remove", "starts"]

_FOREIGN = 86400.0
"""Seconds after which a note left by another machine, whose processes can not be looked at, counts as abandoned."""

_FRESH = 60.0
"""Seconds for which a folder without a note is spared: on a slow file system the note may not be seen yet."""


class Generation:
    """One new generation: made, built into at `folder`, then `publish`\\ ed; or thrown away on leaving the context."""

    def __init__(self, place: Path, key: str) -> None:
        self.place = place
        self.folder = place.with_name(f"{_prefix(place)}{key[:12]}-{os.urandom(4).hex()}")
        self._note = _note_of(self.folder)
        self._published = False

    def __enter__(self) -> Generation:
        # Imported where they are needed, here and below: most often an environment is only looked at.
        import json

        try:
            self.place.parent.mkdir(parents=True, exist_ok=True)
            self._note.write_text(json.dumps(_identity()), encoding="utf-8")
            self.folder.mkdir()
        except OSError as error:
            self._discard()
            raise storage_failure(error, self.place.parent) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._discard()

    def publish(self) -> None:
        """Make this generation the environment, in one step.

        Raises InputError ``not-our-environment`` where something else appeared at the place meanwhile, and
        EnvironmentFailure ``no-symlinks``, ``disk-full`` or ``cannot-write``.
        """
        current_generation(self.place)
        link = self.place.with_name(f"{self.folder.name}.link")
        try:
            try:
                # Relative, so that the folder around both may be moved or mounted elsewhere.
                link.symlink_to(self.folder.name, target_is_directory=True)
            except (NotImplementedError, PermissionError) as error:
                raise _no_symlinks(self.place, error) from error
            link.replace(self.place)
        except OSError as error:
            link.unlink(missing_ok=True)
            raise storage_failure(error, self.place) from error
        self._published = True

    def _discard(self) -> None:
        if not self._published:
            _remove(self.folder)
        # After the link is in place: whoever finds no note may rely on the link to tell what is current.
        with suppress(OSError):
            self._note.unlink(missing_ok=True)


def default_place(root: Path, target: str) -> Path:
    """Return where the environment of a target is unless another place is asked for."""
    return root / ".tumpline" / "env" / target


def current_generation(place: Path) -> Path | None:
    """Return the folder that the environment's link leads to, or None where there is no environment.

    The folder may be gone, or hold no environment. Raises InputError ``not-our-environment`` where something is at
    `place` that was not put there by `Generation.publish`; EnvironmentFailure ``cannot-read`` where that can not be
    told.
    """
    try:
        target = os.readlink(place)  # noqa: PTH115 - the link's text is wanted, not a path made of it
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise storage_failure(error, place) from error
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise _not_ours(place, "it is a folder or a file, not a link that tumpline made") from error
        raise EnvironmentFailure.of(
            "cannot-read",
            "the environment can not be looked at",
            where=str(place),
            why=error.strerror or str(error),
            hint="check the permissions of the folder",
        ) from error
    if "/" in target or not target.startswith(_prefix(place)):
        raise _not_ours(place, f"it is a link to {target}")
    return place.with_name(target)


def is_whole(place: Path, folder: Path, record: EnvironmentRecord) -> bool:
    """Whether the current generation stands on a Python that is there, and nothing is left of others beside it."""
    if not starts(folder, record):
        return False
    try:
        names = os.listdir(place.parent)  # noqa: PTH208 - names are wanted
    except OSError:
        return False
    return not any(name.startswith(_prefix(place)) and name != folder.name for name in names)


def starts(folder: Path, record: EnvironmentRecord) -> bool:
    """Whether the Python that an environment stands on is still there, and the environment is where it was made."""
    programs = ("bin/python", "Scripts/python.exe")
    python = Path(record.interpreter).exists() and any((folder / name).exists() for name in programs)
    return python and not moved_from(folder)


def leftovers(place: Path) -> tuple[Path, ...]:
    """Return what earlier syncs left beside the environment: old generations, and what killed ones did not finish.

    Neither the current generation is among it nor anything that a living builder works on; so what is left over now
    will never be wanted again, whatever others do meanwhile. Nothing is raised.
    """
    prefix = _prefix(place)
    try:
        names = sorted(os.listdir(place.parent))  # noqa: PTH208 - names are wanted
    except OSError:
        return ()
    found: list[Path] = []
    for name in names:
        if not name.startswith(prefix):
            continue
        path = place.with_name(name)
        if name.endswith(".link"):
            used = _is_alive(_note_of(path.with_suffix("")))
        elif name.endswith(".note"):
            used = _is_alive(path)
        else:
            used = _is_in_use(place, path)
        if not used:
            found.append(path)
    return tuple(found)


def remove(paths: Iterable[Path]) -> None:
    """Remove leftovers. What can not be removed is left for the next time; nothing is raised."""
    for path in paths:
        if path.suffix in (".link", ".note"):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            _remove(path)
            with suppress(OSError):
                _note_of(path).unlink(missing_ok=True)


def _is_in_use(place: Path, folder: Path) -> bool:
    # The order matters: a builder replaces the link before it takes its note away, so that a folder without a living
    # builder is either current when we look afterwards, or will never be again.
    if _is_alive(_note_of(folder)):
        return True
    with suppress(OSError):
        if os.readlink(place) == folder.name:  # noqa: PTH115 - see above
            return True
    with suppress(OSError):
        finished = (folder / RECORD_NAME).exists() or _note_of(folder).exists()
        return not finished and time.time() - folder.stat().st_mtime < _FRESH
    return False


def _prefix(place: Path) -> str:
    return f".{place.name}.tumpline-"


def _note_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.note")


def _identity() -> dict[str, object]:
    """Return what tells this process from every other: its machine, its id and when it started."""
    return {"machine": _machine(), "pid": os.getpid(), "start": _start_of(os.getpid())}


def _machine() -> str:
    import platform

    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
    with suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - not a real path
    return " ".join(parts)


def _start_of(pid: int) -> str:
    """Return when a process started, where the system tells: process ids are used again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field is the program's name in parentheses and may hold anything; the start is the 22nd.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _is_alive(note: Path) -> bool:
    """Whether the builder that left a note still works, as far as can be told."""
    import json

    try:
        age = time.time() - note.stat().st_mtime
        content = note.read_bytes()
    except OSError:
        return False
    try:
        builder = json.loads(content)
        machine, pid, start = builder["machine"], int(builder["pid"]), builder["start"]
    except (ValueError, TypeError, KeyError):
        return age < _FRESH  # being written at this moment, or never finished
    if machine != _machine() or os.name == "nt":
        # Processes elsewhere can not be looked at; and on Windows, signal 0 is not a question but an interrupt.
        return age < _FOREIGN
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return bool(_start_of(pid) == start)


def _remove(folder: Path) -> None:
    import shutil

    # Twice: a worker that outlived its killed master by a moment may have added a file behind the first pass.
    for _ in range(2):
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            if not folder.exists():
                return


def _not_ours(place: Path, why: str) -> InputError:
    return InputError.of(
        "not-our-environment",
        "there is something here that tumpline did not make",
        where=str(place),
        why=why,
        hint="choose another folder (sync, verify: with --env), or move it away yourself",
    )


def _no_symlinks(place: Path, error: Exception) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "no-symlinks",
        "the environment can not be put in place: symbolic links can not be made here",
        where=str(place),
        why=str(error),
        hint="choose a folder on another file system with --env; on Windows, turn on developer mode",
    )
