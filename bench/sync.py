"""``tumpline sync`` against the documented way, pip without bytecode, and uv: the same wheels, in the same run.

    python -m bench.sync [--runs 3] [--folder DIR] [--json]

The wheels are fetched once with pip (a few hundred MB) into ``.work/bench/sync``; after that no network is used. Times
are those of whole processes, page cache warm, and medians; the order of the ways alternates between runs. Beside them
stand the first import of numpy, scipy, pandas, scikit-learn and matplotlib, since an environment without bytecode
pays for it then.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from bench._timing import clean_variables, peak_memory, seconds_of
from tumpline.lock import IndexArtefact, Lock, LockedPackage, LockedTarget, Pin
from tumpline.lock.file import write_lock
from tumpline.project.read import read_project
from tumpline.wheels import parse_wheel_name

_ROOT = Path(__file__).resolve().parent.parent
_WORK = _ROOT / ".work" / "bench" / "sync"
_WANTED = (
    *("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pyarrow", "seaborn", "statsmodels", "networkx"),
    *("sympy", "requests", "pydantic", "PyYAML", "tqdm", "pillow", "jinja2", "pytest", "rich", "sqlalchemy"),
)
_IMPORTS = "import numpy, scipy, pandas, sklearn, matplotlib"
_MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
_HERE = ("--target", "here", "--offline")

Way = Callable[[Path], list[list[str | Path]]]
"""Given the folder of an environment, the commands that make it."""


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=_WORK / "places", help="where the environments are made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wheels = _wheels()
    project = _project(wheels)
    ways = _ways(wheels, project)
    folder = options.folder.resolve() / "bench-sync"
    variables = clean_variables(
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        VIRTUALENV_OVERRIDE_APP_DATA=str(_WORK / "app-data"),
        TUMPLINE_CACHE=str(_WORK / "cache"),
    )
    times: dict[str, list[float]] = {name: [] for name in ways}
    imports: dict[str, list[float]] = {name: [] for name in ways}
    for run in range(options.runs):
        order = list(ways)[run % len(ways) :] + list(ways)[: run % len(ways)]
        for name in order:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            times[name].append(sum(seconds_of(command, variables) for command in ways[name](folder / "env")))
            imports[name].append(seconds_of([folder / "env" / "bin" / "python", "-c", _IMPORTS], clean_variables()))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    memory = peak_memory(ways["tumpline sync"](folder / "env")[0], variables)
    shutil.rmtree(folder, ignore_errors=True)
    _print(wheels, times, imports, memory, as_json=options.json)


def _ways(wheels: Path, project: Path) -> dict[str, Way]:
    virtualenv: list[str | Path] = [sys.executable, "-m", "virtualenv", "-q", "--no-download", "-p", sys.executable]
    names: list[str | Path] = ["--no-index", "--find-links", wheels, "-r", project / "requirements.txt"]
    uv = _uv()

    def pip(*more: str) -> Way:
        return lambda env: [[*virtualenv, env], [env / "bin" / "pip", "install", "-q", *more, *names]]

    def with_uv(env: Path) -> list[list[str | Path]]:
        install: list[str | Path] = [
            uv,
            "pip",
            "install",
            "-q",
            "--python",
            env / "bin" / "python",
            "--link-mode",
            "copy",
            "--no-cache",
        ]
        return [[uv, "venv", "-q", "--no-cache", "-p", sys.executable, env], [*install, *names]]

    def ours(env: Path) -> list[list[str | Path]]:
        return [[sys.executable, "-m", "tumpline", "sync", "-q", "--project", project, "--env", env, *_HERE]]

    return {"documented": pip(), "pip --no-compile": pip("--no-compile"), "uv": with_uv, "tumpline sync": ours}


def _wheels() -> Path:
    """Fetch the wheels, once."""
    folder = _WORK / f"wheels-{_MINOR}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        options = ["-q", "--only-binary", ":all:", "-d", str(part)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, *_WANTED], check=True)
        part.rename(folder)
    return folder


def _uv() -> Path | str:
    if found := shutil.which("uv"):
        return found
    tools = _WORK / "tools"
    if not (tools / "bin" / "uv").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", tools], check=True)
        subprocess.run([tools / "bin" / "pip", "install", "-q", "uv"], check=True)
    return tools / "bin" / "uv"


def _project(wheels: Path) -> Path:
    """Write a project, its requirements and a lock that pins exactly these wheels."""
    folder = _WORK / "project"
    folder.mkdir(parents=True, exist_ok=True)
    packages = []
    for path in sorted(wheels.iterdir()):
        name = parse_wheel_name(path.name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        artefact = IndexArtefact("find-links-1", path.name, path.stat().st_size, digest)
        packages.append(LockedPackage(name.name, name.version, (Pin("here", name.version, artefact),)))
    target = LockedTarget("here", "linux", _MINOR, "linux", "x86_64", "pypi")
    (folder / "pyproject.toml").write_text('[project]\nname = "bench"\nversion = "1"\n')
    ordered = tuple(sorted(packages, key=lambda package: package.name))
    lock = Lock(read_project(folder).inputs, "", (target,), (), ordered)
    (folder / "requirements.txt").write_text("".join(f"{p.name}=={p.version}\n" for p in lock.packages))
    write_lock(folder / "tumpline.lock", lock)
    return folder


def _print(
    wheels: Path, times: dict[str, list[float]], imports: dict[str, list[float]], memory: float, *, as_json: bool
) -> None:
    files = sum(len(zipfile.ZipFile(path).namelist()) for path in wheels.iterdir())
    size = sum(entry.file_size for path in wheels.iterdir() for entry in zipfile.ZipFile(path).infolist())
    count = len(list(wheels.iterdir()))
    ours = statistics.median(times["tumpline sync"])
    rows = [
        {
            "way": name,
            "seconds": round(statistics.median(values), 2),
            "runs": [round(value, 2) for value in values],
            "ratio": round(statistics.median(values) / ours, 2),
            "first_import_seconds": round(statistics.median(imports[name]), 2),
        }
        for name, values in times.items()
    ]
    if as_json:
        print(json.dumps({"wheels": count, "files": files, "bytes": size, "peak_mib": round(memory), "rows": rows}))
        return
    print(f"{count} wheels, {files} files, {size / 1e6:.0f} MB unpacked; peak memory of tumpline sync {memory:.0f} MiB")
    for row in rows:
        print(
            f"{row['way']:<18} {row['seconds']:>7} s   {row['ratio']:>6} x ours"
            f"   first import {row['first_import_seconds']:>6} s   runs {row['runs']}"
        )


if __name__ == "__main__":
    main()
