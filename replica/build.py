"""Making the replica: wheelhouse, pip configuration, manylinux blocker, site profile."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from replica.configuration import write_configuration
from replica.contents import DATA, LAYERS, contents
from replica.download import fetch_wheels
from replica.dummies import write_dummies
from replica.interpreters import choose, interpreters_at_hand
from replica.retag import retag, retagged_name
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host import variables, write_atomically
from tumpline.host.pythons import Interpreter

__all__ = ["DOWNLOADS", "Replica", "make_replica"]

_STAMP = "replica.json"
_HERE = Path(__file__).resolve().parent
DOWNLOADS = _HERE.parent / ".work" / "downloads"
"""Where what is fetched is kept."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A finished replica.

    `pythons` are exact versions, `interpreters` their paths in the same order. `reused` says that
    nothing had to be done.
    """

    root: Path
    pythons: tuple[str, ...]
    interpreters: tuple[Path, ...]
    reused: bool = False

    @property
    def wheelhouse(self) -> Path:
        """The folder that the layers are in."""
        return self.root / "wheelhouse"

    @property
    def wheels(self) -> tuple[Path, ...]:
        """All wheels, dummies included, in the order of the layers and then by name."""
        return tuple(wheel for layer in LAYERS for wheel in sorted((self.wheelhouse / layer).glob("*.whl")))

    @property
    def pip_configuration(self) -> Path:
        """The file that ``PIP_CONFIG_FILE`` names on a cluster."""
        return self.root / "config" / "python" / "pip-x86-64-v3-gentoo2023.conf"

    @property
    def site_packages(self) -> Path:
        """The folder with ``_manylinux.py``, to be put on PYTHONPATH."""
        return self.root / "site-packages"

    @property
    def sites(self) -> Path:
        """The folder with the site profile ``replica.toml``, to be put on ``TUMPLINE_SITES``."""
        return self.root / "sites"

    @property
    def bin(self) -> Path:
        """The folder with ``python3.11`` …, to be put on PATH: what ``module load python`` does on a cluster."""
        return self.root / "bin"

    def variables(self) -> Mapping[str, str]:
        """Return what a login shell of the cluster would set, and where tumpline finds the site; PATH is not in it."""
        return {
            "PIP_CONFIG_FILE": str(self.pip_configuration),
            "PYTHONPATH": str(self.site_packages),
            "TUMPLINE_SITES": str(self.sites),
        }


def make_replica(
    out: Path,
    pythons: Sequence[str] = (),
    *,
    downloads: Path = DOWNLOADS,
    say: Callable[[str], None] = lambda _: None,
) -> Replica:
    """Make the replica in the folder `out`, or return the one that is there if it is complete and the same.

    `pythons` are minor versions; with none, up to two that are at hand. Downloads are kept and used again. A second
    process that makes the same replica waits for the first. A run that was cut short is completed by the next.
    Raises InputError ``replica-needs-linux``, ``not-a-replica``, ``python-not-at-hand``, ``python-not-in-replica``,
    ``damaged-wheel``, ``wheel-not-for-replica``; EnvironmentFailure ``index-not-reached``, ``cannot-write``.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise InputError.of(
            "replica-needs-linux",
            "a replica can only be made on Linux x86_64",
            why=f"its wheels are those of a cluster, and this is {sys.platform} {platform.machine()}",
            hint='the listed catalogue of the Alliance works everywhere: try `tumpline lock` with site = "narval"',
        )
    out = out.absolute()
    chosen = choose(tuple(pythons), interpreters_at_hand(variables()))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(out, error) from error
    with FileLock(out.with_name(f".{out.name}.lock")):
        _refuse_foreign(out)
        stamp = _stamp(chosen, out)
        reused = _is_complete(out, stamp)
        replica = Replica(out, tuple(i.version for i in chosen), tuple(i.path for i in chosen), reused)
        if reused:
            say(f"{out} is complete already")
            return replica
        try:
            _build(replica, chosen, downloads, stamp, say)
        except OSError as error:
            raise _cannot_write(out, error) from error
        return replica


def _build(
    replica: Replica, chosen: tuple[Interpreter, ...], downloads: Path, stamp: str, say: Callable[[str], None]
) -> None:
    out = replica.root
    # A stamp without a list of files marks the folder as ours and unfinished.
    write_atomically(out / _STAMP, json.dumps({"stamp": "", "files": {}}).encode())
    for layer in LAYERS:
        (replica.wheelhouse / layer).mkdir(parents=True, exist_ok=True)
    everything = contents()
    made: set[Path] = set()
    for interpreter in chosen:
        fetched = fetch_wheels(everything.choices, interpreter.minor, downloads, say)
        for choice, source in fetched.items():
            folder = replica.wheelhouse / choice.layer
            # The same pure wheel serves every Python.
            if (path := folder / retagged_name(source.name, choice.spelling).file) not in made:
                made.add(retag(source, folder, choice.spelling, everything.rewrite(choice)))
            made.add(path)
    for family in everything.dummies:
        made.update(write_dummies(family, replica.wheelhouse / "generic"))
    for layer in LAYERS:
        for path in (replica.wheelhouse / layer).iterdir():
            if path not in made:
                path.unlink()
    _link_interpreters(replica.bin, chosen)
    replica.site_packages.mkdir(exist_ok=True)
    shutil.copyfile(DATA / "_manylinux.py", replica.site_packages / "_manylinux.py")
    write_configuration(out, replica.pythons)
    settled = sorted((*made, *(path for path in out.rglob("*") if path.suffix in (".py", ".toml", ".conf", ".txt"))))
    files = {str(path.relative_to(out)): path.stat().st_size for path in settled}
    write_atomically(out / _STAMP, json.dumps({"stamp": stamp, "files": files}, indent=1).encode())
    wheels = sum(path.suffix == ".whl" for path in made)
    size = sum(files.values()) // 1_000_000
    say(f"wrote {wheels} wheels ({size} MB) for Python {', '.join(replica.pythons)} to {replica.wheelhouse}")


def _link_interpreters(folder: Path, chosen: tuple[Interpreter, ...]) -> None:
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for interpreter in chosen:
        (folder / f"python{interpreter.minor}").symlink_to(interpreter.path)


def _refuse_foreign(out: Path) -> None:
    """Raise unless `out` is missing, empty, or a replica: its files are about to be replaced."""
    if out.is_dir() and (not any(out.iterdir()) or (out / _STAMP).is_file()):
        return
    if out.exists():
        raise InputError.of(
            "not-a-replica",
            "the folder holds something else",
            where=str(out),
            hint="name a new folder, or remove this one",
        )


def _cannot_write(out: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "cannot-write",
        "cannot write the replica",
        where=str(error.filename or out),
        why=error.strerror or str(error),
        hint="check that the folder is writable and has 1 GB left, and run the same command again",
    )


def _stamp(chosen: tuple[Interpreter, ...], out: Path) -> str:
    """Return a digest of all that decides the replica's content; its files hold the folder's own path."""
    digest = hashlib.sha256(f"{out}\n{[(i.version, str(i.path)) for i in chosen]}".encode())
    for source in sorted(path for path in _HERE.rglob("*") if path.suffix in (".py", ".toml")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _is_complete(out: Path, stamp: str) -> bool:
    try:
        state = json.loads((out / _STAMP).read_text(encoding="utf-8"))
        if state["stamp"] != stamp:
            return False
        return all((out / name).stat().st_size == size for name, size in state["files"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No stamp, or not one of ours: the replica is made anew.
        return False
