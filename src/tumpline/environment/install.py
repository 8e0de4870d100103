"""Installing one wheel into an environment, and settling what several wheels bring at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.environment.destination import Destination
from tumpline.environment.layout import Layout
from tumpline.environment.reuse import Earlier
from tumpline.environment.storage import storage_failure
from tumpline.environment.wheelfile import open_wheel
from tumpline.errors import InputError

__all__ = ["Installed", "Overlap", "WheelJob", "current_umask", "install_wheel", "settle_overlaps"]


@dataclass(frozen=True, slots=True)
class WheelJob:
    """A wheel to install: the file, the digest that pins it, and whether the project itself asks for the package.

    Exactly one of `sha256` (of the file) and `record` (sha256 of its RECORD) is given, in hexadecimal, unless the wheel
    was made here. `size` is that of the file in bytes, `direct_url` the content of ``direct_url.json``, if any.
    """

    path: Path
    sha256: str = ""
    record: str = ""
    requested: bool = False
    size: int = 0
    direct_url: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """What was written for one wheel: files, bytes, and the absolute paths that were already there."""

    files: int
    size: int
    overlaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlap:
    """A file that several wheels bring with different contents; `winner` is the wheel file whose content is there."""

    path: str
    winner: str


def install_wheel(job: WheelJob, layout: Layout, umask: int, earlier: str = "") -> Installed:
    """Check and unpack one wheel into an environment that nobody uses yet.

    `earlier` is the folder of an environment whose files are taken over where they are the same, empty for none.
    Raises what `open_wheel` raises, InputError ``wheels-collide``, and EnvironmentFailure ``disk-full`` and
    ``cannot-write``. After a failure the environment holds part of the wheel and must be thrown away.
    """
    return _install(job, layout, umask, None, Earlier(earlier, layout.root, umask) if earlier else None)[0]


def settle_overlaps(jobs: Sequence[WheelJob], results: Iterable[Installed], layout: Layout) -> tuple[Overlap, ...]:
    """Let the last wheel (in the order of `jobs`) win each file that more than one wheel brings, as with pip.

    Returns the files where that made a difference. Raises InputError ``wheel-overwrites-environment`` where a wheel
    brings a file of the environment itself (its interpreter, ``activate``, ``pyvenv.cfg``), and what `install_wheel`
    raises.
    """
    paths = frozenset(path for result in results for path in result.overlaps)
    if not paths:
        return ()
    before = {path: _digest(path) for path in paths}
    claims: dict[str, list[str]] = {path: [] for path in paths}
    differing: set[str] = set()
    umask = current_umask()
    for job in jobs:
        for path in _install(job, layout, umask, paths)[1]:
            claims[path].append(job.path.name)
            if _digest(path) != before[path]:
                differing.add(path)
    for path, files in claims.items():
        if len(files) < 2:
            raise InputError.of(
                "wheel-overwrites-environment",
                "the wheel would replace a part of the environment itself",
                where=files[0] if files else path,
                why=f"{path} belongs to the environment",
                hint="do not install it; tell whoever provides the wheel",
            )
    return tuple(Overlap(path, claims[path][-1]) for path in sorted(differing))


def current_umask() -> int:
    """Return the umask of this process; it can only be read by setting it, so no other thread may write files."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _install(
    job: WheelJob, layout: Layout, umask: int, only: frozenset[str] | None, earlier: Earlier | None = None
) -> tuple[Installed, tuple[str, ...]]:
    # Imported here, since only processes that install need it, and those that only plan should start fast.
    import installer

    with open_wheel(job.path, sha256=job.sha256, record=job.record) as wheel:
        destination = Destination(job.path.name, wheel.distribution, layout, umask, only, earlier)
        own = {"INSTALLER": b"tumpline\n"} | ({"REQUESTED": b""} if job.requested else {})
        if job.direct_url:
            own["direct_url.json"] = job.direct_url.encode()
        try:
            installer.install(wheel, destination, own)
        except OSError as error:
            raise storage_failure(error, layout.root) from error
    return Installed(destination.files, destination.size, tuple(destination.overlaps)), tuple(destination.replaced)


def _digest(path: str) -> bytes:
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return b""
