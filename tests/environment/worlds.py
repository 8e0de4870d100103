"""Small locks over real tiny wheels, an index that is a folder, and an environment's layout without an environment."""

from __future__ import annotations

import csv
import hashlib
import os
import platform
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.wheelmaker import make_wheel
from tumpline.environment.layout import Layout
from tumpline.environment.sync import SyncReport, SyncSettings, sync
from tumpline.errors import EnvironmentFailure
from tumpline.index import IndexFile
from tumpline.lock import IndexArtefact, Lock, LockedPackage, LockedTarget, ModuleArtefact, Pin, WheelhouseArtefact
from tumpline.project import Project
from tumpline.values import Name, normalise
from tumpline.wheels import parse_wheel_name

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
SYSTEM = {"linux": "linux", "darwin": "macos"}.get(sys.platform, "windows")
HERE = LockedTarget("here", "linux", MINOR, SYSTEM, MACHINE, "pypi")


def variables(**more: str) -> dict[str, str]:
    """The variables of this process without those by which a machine's owner steers pip and Python."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "VIRTUALENV_", "TUMPLINE_"))}
    interpreter = Path(sys._base_executable).parent if hasattr(sys, "_base_executable") else Path(sys.executable).parent
    return {**kept, "PATH": f"{interpreter}{os.pathsep}{kept.get('PATH', '')}", **more}


class FolderIndex:
    """An index whose files are those of a folder; counts what is downloaded."""

    def __init__(self, folder: Path, *, cached: bool = True) -> None:
        self.folder = folder
        self.has_cache = cached
        self.downloads: list[str] = []

    def cached(self, sha256: str, file: str) -> Path | None:
        path = self.folder / file
        return path if self.has_cache and path.is_file() else None

    def drop_damaged(self, sha256: str, file: str) -> bool:
        return False

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        if not (self.folder / file).is_file():
            raise EnvironmentFailure.of("file-gone-from-index", f"no index has {file}", hint="lock again")
        return IndexFile(file, (self.folder / file).as_uri(), sha256=sha256)

    def download(self, file: IndexFile, *, progress: Callable[[int], None] | None = None) -> Path:
        if progress is not None:
            progress(1)
        self.downloads.append(file.file)
        return self.folder / file.file

    def prefetch(self, names: Iterable[Name]) -> None:
        pass


def tiny_pip(folder: Path) -> Path:
    """A wheel named pip, so that the real one, with its 400 files, need not be installed in every test."""
    return make_wheel(folder, "pip", "99.0")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def record_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        return archive.read(name)


def record_digest(path: Path) -> str:
    return hashlib.sha256(record_of(path)).hexdigest()


def indexed(path: Path, target: str = "here") -> LockedPackage:
    name = parse_wheel_name(path.name)
    artefact = IndexArtefact("pypi", path.name, path.stat().st_size, sha256_of(path))
    return LockedPackage(name.name, name.version, (Pin(target, name.version, artefact),))


def housed(path: Path, wheelhouse: Path, target: str = "here") -> LockedPackage:
    name = parse_wheel_name(path.name)
    layer = path.parent.relative_to(wheelhouse).as_posix()
    artefact = WheelhouseArtefact(layer, path.name, record_digest(path), path.stat().st_size)
    return LockedPackage(name.name, name.version.partition("+")[0], (Pin(target, name.version, artefact),))


def by_module(name: str, version: str, module: str, target: str = "here") -> LockedPackage:
    return LockedPackage(normalise(name), version, (Pin(target, version, ModuleArtefact(module)),))


def lock_of(*packages: LockedPackage, target: LockedTarget = HERE, roots: Iterable[str] = ()) -> Lock:
    ordered = tuple(sorted(packages, key=lambda package: package.name))
    return Lock("ab" * 32, "", (target,), tuple(map(normalise, roots)), ordered)


def make_environment(
    lock: Lock,
    place: Path,
    folder: Path,
    *,
    project: Project | None = None,
    wheelhouse: Path | None = None,
    environ: Mapping[str, str] | None = None,
    settings: SyncSettings | None = None,
) -> SyncReport:
    return sync(
        lock,
        lock.targets[0].name,
        place,
        project=project,
        wheelhouse=wheelhouse,
        index=FolderIndex(folder),
        environ=variables() if environ is None else environ,
        settings=settings or SyncSettings(jobs=2),
    )


def python_says(place: Path, code: str) -> str:
    """Run code with an environment's Python and return what it prints."""
    command = [str(place / "bin" / "python"), "-c", code]
    done = subprocess.run(command, env=variables(), check=True, capture_output=True, text=True)
    return done.stdout.strip()


def layout_in(root: Path) -> Layout:
    """A layout for wheels to be unpacked into, with no environment around it."""
    packages = f"{root}/lib/python{MINOR}/site-packages"
    headers = f"{root}/include/site/python{MINOR}"
    return Layout(str(root), packages, packages, f"{root}/bin", headers, f"{root}/bin/python")


def installed_record(info: Path) -> dict[str, tuple[str, str]]:
    with (info / "RECORD").open(newline="", encoding="utf-8") as stream:
        return {path: (digest, size) for path, digest, size in csv.reader(stream)}
