"""The project itself as a wheel that was built ahead: editable, so that a job runs the code as it is that day.

An editable installation (PEP 660) puts a few small files into an environment that say where the project's code is.
Those are what the wheel holds. It is made where there is internet, since a build may fetch what it needs; where the
project is in another folder than it was then, that folder's name is replaced in them.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tumpline.addresses.files import digest_of
from tumpline.environment.install import WheelJob
from tumpline.environment.origin import editable_url
from tumpline.environment.plan import Plan
from tumpline.environment.stage import project_key
from tumpline.environment.storage import storage_failure
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import EnvironmentFailure, InputError

__all__ = ["project_job", "wheel_of_editable"]

_OURS = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
"""Files that say how it was installed there, and not what it is."""

_PLAIN = re.compile(r"[^\x00-\x1f\x7f'\"\\]+")
"""Names of folders that can stand in a string of Python and in a line of a ``.pth`` as they are."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_SHEBANG = re.compile(rb"#!.*python[^\n]*")


def wheel_of_editable(packages: Path, folder: Path) -> Path:
    """Make the wheel of what is installed editable in a folder of packages, and return it; it is in `folder`.

    Raises EnvironmentFailure ``project-build-failed`` where nothing is installed so, or it can not be read.
    """
    try:
        info = next(
            path.parent
            for path in packages.glob("*.dist-info/direct_url.json")
            if b'"editable": true' in path.read_bytes()
        )
        with (info / "RECORD").open(newline="", encoding="utf-8") as stream:
            recorded = [row[0] for row in csv.reader(stream) if row]
        tag = re.search(r"^Tag: *([\w.]+-[\w.]+-[\w.]+)\s*$", (info / "WHEEL").read_text("utf-8"), re.MULTILINE)
        files = dict(_files(packages, info, recorded))
    except (StopIteration, OSError, ValueError) as error:
        raise EnvironmentFailure.of(
            "project-build-failed",
            "the project can not be staged: what its build backend installs is not an editable wheel (PEP 660)",
            where="pyproject.toml",
            why=str(error),
            hint="choose a build backend that makes editable wheels, such as setuptools 64 or newer, hatchling, flit",
        ) from error
    name = f"{info.name.removesuffix('.dist-info')}-0.editable-{tag[1] if tag else 'py3-none-any'}.whl"
    return _write(folder / name, files, info.name)


def project_job(plan: Plan, stage: WheelStore, scratch: Callable[[], Path]) -> WheelJob | None:
    """Return what installs the project from a stage; None where there is nothing that can serve for its folder.

    `scratch` gives a folder for the wheel with the names of folders replaced. Raises InputError ``wrong-hash``;
    EnvironmentFailure ``cannot-write``, ``disk-full``.
    """
    if plan.project is None:
        return None
    wheel = stage.built(project_key(plan.target, plan.project, plan.project_name))
    if wheel is None:
        return None
    root = os.path.realpath(plan.project)
    said = editable_url(plan.project)
    if wheel.origin == root:
        return WheelJob(wheel.path, sha256=wheel.sha256, size=wheel.size, direct_url=said)
    if not (_PLAIN.fullmatch(root) and _PLAIN.fullmatch(wheel.origin)):
        return None
    if digest_of(wheel.path)[0] != wheel.sha256:
        raise InputError.of(
            "wrong-hash",
            "the project's wheel in the stage is damaged",
            where=str(wheel.path),
            hint="where there is internet, run: tumpline stage",
        )
    # Not what only begins like it: /home/me/project is no part of /home/me/project2.
    old = re.compile(re.escape(wheel.origin.encode()) + rb"(?![\w.+-])")
    with zipfile.ZipFile(wheel.path) as archive:
        names = [name for name in archive.namelist() if not name.endswith(".dist-info/RECORD")]
        files = {name: old.sub(lambda _: root.encode(), archive.read(name)) for name in names}
        info = next(name.partition("/")[0] for name in names if name.partition("/")[0].endswith(".dist-info"))
    path = _write(scratch() / wheel.path.name, files, info)
    return WheelJob(path, size=path.stat().st_size, direct_url=said)


def _files(packages: Path, info: Path, recorded: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of all that belongs into the wheel."""
    entries = configparser.ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    entries.optionxform = str  # type: ignore[assignment,method-assign]
    entries.read(info / "entry_points.txt", encoding="utf-8")
    made = {name for kind in ("console_scripts", "gui_scripts") if entries.has_section(kind) for name in entries[kind]}
    data = info.name.replace(".dist-info", ".data")
    for path in recorded:
        content_of = packages / path
        if path.startswith(f"{info.name}/"):
            if path.removeprefix(f"{info.name}/") not in _OURS:
                yield path, content_of.read_bytes()
        elif path.startswith("../"):
            # A script; those of entry points are made again wherever the wheel is installed.
            name = path.rpartition("/")[2]
            if name.removesuffix(".exe") not in made:
                yield f"{data}/scripts/{name}", _SHEBANG.sub(b"#!python", content_of.read_bytes(), count=1)
        elif "__pycache__" not in path:
            yield path, content_of.read_bytes()


def _write(path: Path, files: dict[str, bytes], info: str) -> Path:
    """Write a wheel, the same bytes for the same files."""
    rows: list[str] = []
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(files.items()):
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
                rows.append(f'"{name}",sha256={digest},{len(content)}\n')
                archive.writestr(_entry(name), content)
            archive.writestr(_entry(f"{info}/RECORD"), "".join([*rows, f"{info}/RECORD,,\n"]))
    except OSError as error:
        raise storage_failure(error, path) from error
    return path


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (stat.S_IFREG | (0o755 if ".data/scripts/" in name else 0o644)) << 16
    return entry
