"""Other installers in the place of ours: the environment's own pip, as the Alliance documents it, or uv.

They get a list of files, never names, so that they can choose nothing themselves, and no settings of the person. What
they leave out is done here: wheels are held against the lock before, installed files against RECORD after, and what
an environment says of where its packages came from is what ours says.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tumpline.environment.create import says_disk_is_full
from tumpline.environment.install import Installed, WheelJob
from tumpline.environment.layout import Layout
from tumpline.environment.storage import disk_full, storage_failure
from tumpline.errors import EnvironmentFailure, InputError, Problem, TumplineError
from tumpline.host.pip import pip_variables
from tumpline.host.process import last_lines, run
from tumpline.values import Name, normalise
from tumpline.wheels import parse_wheel_name

__all__ = ["check_wheels", "find_uv", "install_by_pip", "install_by_uv"]

_SECONDS = 7200.0
_NOTES = ("direct_url.json", "REQUESTED", "uv_cache.json")
"""What installers write of a file that was named to them; it is ours to say, since they do not know the lock."""


def check_wheels(jobs: Sequence[WheelJob]) -> None:
    """Hold wheels against the lock and look whether they are safe, as our own installer does; raises as `open_wheel`.

    The problems of all of them are told at once.
    """
    # Imported here, since it is not needed where workers of ours install.
    from tumpline.environment.wheelfile import open_wheel

    failures: list[TumplineError] = []
    for job in jobs:
        try:
            with open_wheel(job.path, sha256=job.sha256, record=job.record):
                pass
        except TumplineError as error:
            failures.append(error)
    if failures:
        raise type(failures[0])(*dict.fromkeys(problem for error in failures for problem in error.problems))


def find_uv(environ: Mapping[str, str]) -> str:
    """Return the uv on PATH; raises EnvironmentFailure ``no-uv``."""
    found = shutil.which("uv", path=environ.get("PATH", os.defpath))
    if found is None:
        raise EnvironmentFailure.of(
            "no-uv", "there is no uv on PATH", hint="install uv or load its module; or leave out --with uv"
        )
    return found


def install_by_pip(jobs: Sequence[WheelJob], layout: Layout, environ: Mapping[str, str]) -> Installed:
    """Let the environment's pip install wheels, and return what is there then.

    Raises EnvironmentFailure ``installer-failed``, ``disk-full``, ``program-hangs``; InputError ``bad-record``.
    """
    command = [
        *(layout.python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
        *("install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--no-warn-script-location"),
    ]
    variables = pip_variables(environ, layout.root, layout.scripts, offline=True)
    alone = {name: value for name, value in variables.items() if not name.startswith("PIP_")}
    return _install("pip", command, jobs, layout, {**alone, "PIP_CONFIG_FILE": os.devnull})


def install_by_uv(uv: str, jobs: Sequence[WheelJob], layout: Layout, environ: Mapping[str, str]) -> Installed:
    """Let uv install wheels, and return what is there then; raises as `install_by_pip`.

    Files are copied, since links to a cache tie an environment to it, and no cache is kept (R18).
    """
    command = [
        *(uv, "pip", "install", "--quiet", "--python", layout.python, "--no-config", "--no-cache", "--offline"),
        *("--no-index", "--no-deps", "--link-mode", "copy"),
    ]
    variables = pip_variables(environ, layout.root, layout.scripts, offline=True)
    alone = {name: value for name, value in variables.items() if not name.startswith("UV_")}
    done = _install("uv", command, jobs, layout, alone)
    # uv's lock of the environment, which holds nothing against other tools.
    (Path(layout.root) / ".lock").unlink(missing_ok=True)
    return done


def _install(
    program: str, command: list[str], jobs: Sequence[WheelJob], layout: Layout, variables: Mapping[str, str]
) -> Installed:
    if jobs:
        try:
            with tempfile.TemporaryDirectory(prefix="tumpline-list-", dir=variables.get("TMPDIR")) as folder:
                listed = Path(folder) / "wheels.txt"
                listed.write_text("".join(_line(job) for job in jobs), encoding="utf-8")
                done = run([*command, "-r", listed], environment=variables, timeout=_SECONDS)
        except OSError as error:
            raise storage_failure(error, tempfile.gettempdir()) from error
        if done.status:
            said = f"{done.stdout}\n{done.stderr}"
            if says_disk_is_full(said):
                raise disk_full(layout.root, f"{program} found the disk full")
            raise EnvironmentFailure.of(
                "installer-failed",
                f"{program} could not install the wheels",
                where=layout.root,
                why=last_lines(said),
                hint=f"try it without --with {program}",
            )
    files, size = 0, 0
    problems: list[Problem] = []
    try:
        for info in _infos(layout):
            rows = _settled(info, {_name(job): job for job in jobs})
            files, size = files + len(rows), size + _check(info, rows, problems)
    except OSError as error:
        raise storage_failure(error, layout.root) from error
    if problems:
        raise InputError(*problems)
    return Installed(files, size)


def _line(job: WheelJob) -> str:
    # Without its hash: one line that has one makes pip want them all, and `check_wheels` has looked.
    return f"{_name(job)} @ {Path(os.path.abspath(job.path)).as_uri()}\n"  # noqa: PTH100 - links are the site's own affair


def _name(job: WheelJob) -> Name:
    return parse_wheel_name(job.path.name).name


def _infos(layout: Layout) -> Iterator[Path]:
    for folder in sorted({layout.purelib, layout.platlib}):
        yield from sorted(Path(folder).glob("*.dist-info"))


def _settled(info: Path, jobs: Mapping[Name, WheelJob]) -> list[list[str]]:
    """Replace what an installer says of the origin of a package by what the lock says; return the rows of RECORD."""
    with (info / "RECORD").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if row]
    job = jobs.get(normalise(info.name.partition("-")[0]))
    if job is None:
        return rows
    rows = [row for row in rows if row[0] not in {f"{info.name}/{note}" for note in _NOTES}]
    for note in _NOTES:
        (info / note).unlink(missing_ok=True)
    said = {"direct_url.json": job.direct_url.encode()} if job.direct_url else {}
    for note, content in ({"REQUESTED": b""} | said if job.requested else said).items():
        (info / note).write_bytes(content)
        rows.append([f"{info.name}/{note}", f"sha256={_encoded(hashlib.sha256(content).digest())}", str(len(content))])
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows(sorted(rows))
    (info / "RECORD").write_bytes(written.getvalue().encode())
    return rows


def _check(info: Path, rows: list[list[str]], problems: list[Problem]) -> int:
    """Hold installed files against their RECORD (R17) and return their size; what is wrong is added to `problems`."""
    total = 0
    for row in rows:
        path = info.parent / row[0]
        total += path.stat().st_size if path.exists() else 0
        algorithm, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
        if not digest:
            continue
        try:
            with path.open("rb") as stream:
                found = _encoded(hashlib.file_digest(stream, algorithm).digest())
        except FileNotFoundError:
            found = ""
        if found != digest:
            problems.append(
                Problem(
                    "bad-record",
                    "an installed file is not what RECORD states",
                    where=info.name,
                    why=f"{row[0]!a} does not have the digest that RECORD states",
                    hint="try it with tumpline's own installer, which refuses such a wheel by name",
                )
            )
    return total


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
