"""``tumpline sync`` against the documented way, pip without bytecode, and uv: the same wheels, in the same run.

    python -m bench.sync [--large] [--runs 3] [--folder DIR] [--json]

The wheels are fetched once with pip (a few hundred MB) into ``.work/bench``; after that no network is used. With
`--large` they are those of a whole laboratory, PyTorch, JAX and Jupyter among them. Times are those of whole processes,
page cache warm, and medians; the order of the ways alternates between runs. Beside them stand the first import of
numpy, scipy, pandas, scikit-learn and matplotlib (and PyTorch), since an environment without bytecode pays for it then,
and both together. The image was packed beforehand, with bytecode, from what ``tumpline sync`` made.

Every environment is made in a folder of its own, and all are removed at the end: ext4 makes files several times slower
for minutes after others were removed, which would be measured in whatever comes next. On a memory disk each is removed
at once, for they would fill it.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from bench._report import Row, tell
from bench._timing import Run, clean_variables, peak_memory, run_once
from tests.wheelmaker import make_wheel
from tumpline.lock import IndexArtefact, Lock, LockedPackage, LockedTarget, Pin
from tumpline.lock.file import write_lock
from tumpline.project.read import read_project
from tumpline.wheels import parse_wheel_name

ROOT = Path(__file__).resolve().parent.parent
_WORK = ROOT / ".work" / "bench" / "sync"
_MEMORY = Path("/dev/shm")  # noqa: S108 - the memory disk itself
_WANTED = (
    *("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "pyarrow", "seaborn", "statsmodels", "networkx"),
    *("sympy", "requests", "pydantic", "PyYAML", "pillow", "jinja2", "pytest", "sqlalchemy"),
)
_LARGE = (
    *_WANTED,
    *("torch==2.13.0", "jax", "polars", "jupyterlab", "transformers", "datasets", "xarray", "dask", "distributed"),
    *("numba", "opencv-python-headless", "scikit-image", "plotly", "bokeh", "lightgbm", "h5py", "nltk", "gensim"),
    *("mlflow-skinny", "optuna", "pytorch-lightning"),
)
_IMPORTS = "import numpy, scipy, pandas, sklearn, matplotlib"
_MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
_DOCUMENTED, _NO_BYTECODE, _OURS = "virtualenv, pip install", "the same, --no-compile", "tumpline sync"
_IMAGE = "tumpline unpack"
_AGAIN, _COMPILED, _PASS, _UNCHANGED = "sync, one package less", "sync --compile", "python -c pass", "sync, unchanged"
_UNCHANGED_RUNS = 15
_HERE = ("--target", "here", "--offline")

_TUMPLINE = Path(sys.executable).with_name("tumpline")

Way = Callable[[Path], list[list[str | Path]]]
"""Given the folder of an environment, the commands that make it."""


def main() -> int:
    """Measure and print the figures; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true", help="some 215 wheels that fill gigabytes")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=_WORK / "places", help="where the environments are made")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    wheels = fetch_wheels(large=options.large)
    imports = f"{_IMPORTS}, torch" if options.large else _IMPORTS
    project = make_project(sorted(wheels.iterdir()), _WORK / "project")
    less = make_project(sorted(wheels.iterdir())[1:], _WORK / "less")
    many = make_project(_tiny_wheels(100), _WORK / "many")
    folder = options.folder.resolve() / "bench-sync"
    image = folder / "image.tar.zst"
    ways = _ways(wheels, project, image)
    variables = clean_variables(
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=f"{wheels} {_WORK / 'tiny'}",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        VIRTUALENV_OVERRIDE_APP_DATA=str(_WORK / "app-data"),
        TUMPLINE_CACHE=str(_WORK / "cache"),
    )
    shutil.rmtree(folder, ignore_errors=True)
    env = _new_folder(folder) / "env"
    run_once(ours(project, env), variables)
    run_once([_TUMPLINE, "pack", "-q", "--env", env, "-o", image], variables)
    made: dict[str, list[Run]] = {name: [] for name in ways}
    used: dict[str, list[Run]] = {name: [] for name in ways}
    again: list[Run] = []
    for turn in range(options.runs):
        for name in [*ways][turn % len(ways) :] + [*ways][: turn % len(ways)]:
            env = _new_folder(folder) / "env"
            made[name].append(_together([run_once(command, variables) for command in ways[name](env)]))
            used[name].append(run_once([env / "bin" / "python", "-c", imports], clean_variables()))
            if name == _OURS:
                again.append(run_once(ours(less, env), variables))
            if env.is_relative_to(_MEMORY):
                shutil.rmtree(env.parent)
    memory = peak_memory(ours(project, _new_folder(folder) / "env"), variables)
    env = _new_folder(folder) / "env"
    started: dict[str, list[Run]] = {_PASS: [], _UNCHANGED: []}
    # The first two make it and take away what the first one may have found; the third remembers.
    for _ in range(3):
        run_once(ours(many, env), variables)
    for _ in range(_UNCHANGED_RUNS):
        started[_PASS].append(run_once([sys.executable, "-c", "pass"], variables))
        started[_UNCHANGED].append(run_once([*ours(many, env)], variables))
    shutil.rmtree(folder)
    if not options.json:
        _tell_what(wheels)
    # The workers count: what all processes hold together, not the most that one of them does.
    sync = tuple(replace(run, mib=memory) for run in made[_OURS])
    both = {name: tuple(map(_together, zip(made[name], used[name], strict=True))) for name in ways}
    # What the import holds is not ours to keep small.
    for name in (_OURS, _IMAGE):
        both[name] = tuple(replace(run, mib=own.mib) for run, own in zip(both[name], made[name], strict=True))
    rows = [
        *(Row(name, tuple(made[name])) for name in ways if name not in (_OURS, _COMPILED, _IMAGE)),
        Row(_OURS, sync, _DOCUMENTED, 1 / 4 if options.large else 1 / 6),
        Row(f"{_OURS}, the same runs", sync, _NO_BYTECODE, 1 / 1.2),
        Row(f"{_OURS}, once more", sync, "uv", 1.5),
        Row(_COMPILED, tuple(made[_COMPILED]), _DOCUMENTED),
        Row(_IMAGE, tuple(made[_IMAGE]), _DOCUMENTED),
        Row(_AGAIN, tuple(again), _OURS),
        *(Row(f"first import after {name}", tuple(used[name])) for name in ways),
        *(Row(f"{name} and first import", both[name]) for name in ways if name not in (_OURS, _IMAGE)),
        Row(f"{_OURS} and first import", both[_OURS], f"{_DOCUMENTED} and first import", 1 / 4),
        Row(f"{_IMAGE} and first import", both[_IMAGE], f"{_DOCUMENTED} and first import", 1 / 8),
        Row(_PASS, tuple(started[_PASS])),
        Row(_UNCHANGED, tuple(started[_UNCHANGED]), _PASS, 4.0),
    ]
    return tell(rows, as_json=options.json)


def _together(runs: Iterable[Run]) -> Run:
    """Return several processes that ran one after the other as one."""
    runs = tuple(runs)
    seconds, processor = sum(run.seconds for run in runs), sum(run.processor for run in runs)
    return Run(seconds, processor, max(run.mib for run in runs), "")


def _new_folder(folder: Path) -> Path:
    made = folder / f"{len(list(folder.iterdir())) if folder.is_dir() else 0:03}"
    made.mkdir(parents=True)
    return made


def _tell_what(wheels: Path) -> None:
    entries = [entry for path in wheels.iterdir() for entry in zipfile.ZipFile(path).infolist()]
    size = sum(entry.file_size for entry in entries) / 1e6
    print(f"{len(list(wheels.iterdir()))} wheels, {len(entries)} files, {size:.0f} MB unpacked")


def _ways(wheels: Path, project: Path, image: Path) -> dict[str, Way]:
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

    return {
        _DOCUMENTED: pip(),
        _NO_BYTECODE: pip("--no-compile"),
        "uv": with_uv,
        _OURS: lambda env: [ours(project, env)],
        _COMPILED: lambda env: [[*ours(project, env), "--compile"]],
        _IMAGE: lambda env: [[_TUMPLINE, "unpack", "-q", image, env]],
    }


def ours(project: Path, env: Path) -> list[str | Path]:
    """Return the command that makes an environment."""
    return [_TUMPLINE, "sync", "-q", "--project", project, "--env", env, *_HERE]


def fetch_wheels(*, large: bool = False) -> Path:
    """Fetch the wheels, once."""
    folder = _WORK / f"wheels{'-large' if large else ''}-{_MINOR}"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        options = ["-q", "--only-binary", ":all:", "-d", str(part)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, *(_LARGE if large else _WANTED)], check=True)
        part.rename(folder)
    return folder


def _tiny_wheels(count: int) -> list[Path]:
    """Make wheels of one module each, into the folder of the others' index."""
    folder = _WORK / "tiny"
    return [make_wheel(folder, f"tiny{number:03}", "1.0") for number in range(count)]


def _uv() -> Path | str:
    if found := shutil.which("uv"):
        return found
    tools = _WORK / "tools"
    if not (tools / "bin" / "uv").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", tools], check=True)
        subprocess.run([tools / "bin" / "pip", "install", "-q", "uv"], check=True)
    return tools / "bin" / "uv"


def make_project(wheels: list[Path], folder: Path) -> Path:
    """Write a project into `folder`: its requirements, and a lock that pins exactly these wheels."""
    folder.mkdir(parents=True, exist_ok=True)
    packages = []
    for path in wheels:
        wheel = parse_wheel_name(path.name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        artefact = IndexArtefact("find-links-1", path.name, path.stat().st_size, digest)
        packages.append(LockedPackage(wheel.name, wheel.version, (Pin("here", wheel.version, artefact),)))
    target = LockedTarget("here", "linux", _MINOR, "linux", "x86_64", "pypi")
    (folder / "pyproject.toml").write_text('[project]\nname = "bench"\nversion = "1"\n')
    ordered = tuple(sorted(packages, key=lambda package: package.name))
    lock = Lock(read_project(folder).inputs, "", (target,), (), ordered)
    (folder / "requirements.txt").write_text("".join(f"{p.name}=={p.version}\n" for p in lock.packages))
    write_lock(folder / "tumpline.lock", lock)
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
