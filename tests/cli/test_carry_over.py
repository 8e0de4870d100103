"""An old environment carried over, and a new one given away: with the replica, and with the tools that others have.

The old one is made as people make it - with pip, in the wheelhouse's own versions, with modules loaded - and listed by
pip freeze.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from replica.build import Replica
from tests.cli.test_main_job import Job, call, installed, make_venv, reached, session, without_links
from tests.cli.world import clean_variables, home_variables

pytestmark = pytest.mark.network

ASKED = ("pandas", "requests", "tqdm")
BUILT = "file:///tmp/ebuser/avx2"

PROJECT = """\
[project]
name = "old-job"
version = "0.1"
requires-python = ">=3.11"
dependencies = []

[tool.tumpline.targets.cluster]
site = "replica"
python = "{python}"

[tool.tumpline.targets.laptop]
site = "here"
python = "{python}"
"""


def bring(folder: Path, name: str, version: str, built: str) -> None:
    """Put a package where a module has it, with the mark of where it was built that modules leave."""
    information = folder / f"{name}-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (information / "direct_url.json").write_text(json.dumps({"url": f"{BUILT}/{built}", "dir_info": {}}))


@pytest.fixture(scope="module")
def old(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A project that has imported what an old environment of the cluster held, and locked it."""
    root = tmp_path_factory.mktemp("carry-over")
    modules = root / "modules"
    bring(modules, "pyarrow", "17.0.0", "Arrow/17.0.0/gcccorecuda-2023a/apache-arrow-17.0.0/python")
    bring(modules, "ipython", "9.9.0", "SciPy-Stack/2026a/gofbf-2023a/ipython/ipython-9.9.0")
    shell = without_links(**home_variables(root / "home"), **session(replica, modules))
    place = root / "env"
    minor = replica.pythons[0].rpartition(".")[0]
    python = replica.bin / f"python{minor}"
    call([str(python), "-m", "venv", str(place)], root, clean_variables()).ok()
    pip = [str(place / "bin" / "python"), "-m", "pip"]
    call([*pip, "install", "-q", "--no-index", "--no-compile", *ASKED], root, shell).ok()
    kept = without_links(**home_variables(root / "home"), TUMPLINE_SITES=str(replica.sites))
    kept["PATH"] = f"{replica.bin}{os.pathsep}{kept['PATH']}"
    made = Job(root / "project", kept)
    made.project.mkdir()
    (made.project / "pyproject.toml").write_text(PROJECT.format(python=minor))
    (made.project / "freeze.txt").write_text(call([*pip, "freeze"], root, shell).ok().out)
    made.run("catalogue", "scan", "replica").ok()
    reached(made.run("import", "freeze.txt"))
    reached(made.run("lock"))
    return made


def test_what_is_imported(old: Job) -> None:
    text = (old.project / "pyproject.toml").read_text()
    for name in ("pyarrow~=17.0.0", "pandas~=", "requests~=", "tqdm~="):
        assert f'"{name}' in text
    assert 'modules = ["arrow/17.0.0"]' in text
    for name in ("numpy", "ipython", "computecanada", "setuptools"):  # needed by others; of the stack; of the site
        assert name not in text
    frozen = (old.project / "freeze.txt").read_text()
    assert f"pyarrow @ {BUILT}/Arrow" in frozen
    assert "+computecanada" in frozen


def test_the_new_environment_has_the_versions_of_the_old_one(old: Job, replica: Replica) -> None:
    same = old.run("parity", "--freeze", "freeze.txt", "--target", "cluster").ok()
    assert same.out == ""
    old.run("sync", "--target", "cluster").ok()
    old.run("parity", "--env", ".tumpline/env/cluster").ok()
    frozen = dict(line.split("==") for line in (old.project / "freeze.txt").read_text().splitlines() if "==" in line)
    found = installed(old.place("cluster"))
    found.pop("setuptools", None)
    assert found == {name.lower().replace("_", "-"): version for name, version in frozen.items()}


def test_what_differs_is_told(old: Job) -> None:
    frozen = (old.project / "freeze.txt").read_text()
    other = frozen.replace("\npandas==", "\npandas==1", 1).replace("\ntqdm==", "\nsomething-else==")
    (old.project / "other.txt").write_text(other)
    done = old.run("parity", "--freeze", "other.txt", "--target", "cluster", "--json")
    assert done.status == 1
    states = {row["name"]: row["state"] for row in done.data["packages"]}
    assert (states["pandas"], states["tqdm"], states["something-else"]) == ("major", "missing", "extra")
    assert states["numpy"] == "same"
    laptop = old.run("parity", "--freeze", "freeze.txt", "--target", "laptop", "--json").ok()
    states = {row["name"]: row["state"] for row in laptop.data["packages"]}
    assert set(states.values()) == {"local", "module"}


def reported(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    rows = [row["metadata"] for row in json.loads(done.stdout)["install"]]
    return {row["name"].lower().replace("_", "-"): row["version"].partition("+")[0] for row in rows}


def dry_run(place: Path, folder: Path, environ: dict[str, str], *words: str) -> dict[str, str]:
    """What pip would install; name -> public version."""
    command = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--dry-run", "--report", "-", *words]
    return reported(subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, replica: Replica) -> Path:
    """An environment with nothing but a pip that reports."""
    place = tmp_path_factory.mktemp("bare") / "env"
    make_venv(place, "-p", str(replica.bin / f"python{replica.pythons[0].rpartition('.')[0]}"))
    return place


def locked(old: Job, target: str) -> dict[str, str]:
    done = old.run("parity", "--target", target, "--json").ok()
    return {row["name"]: row["version"] for row in done.data["packages"]}


def test_pip_takes_requirements_and_constraints(old: Job, bare: Path) -> None:
    for name, words in {
        "anywhere.txt": ["--format", "requirements", "--anywhere"],
        "laptop.txt": ["--format", "requirements", "--target", "laptop"],
        "limits.txt": ["--format", "constraints", "--anywhere"],
    }.items():
        old.run("export", *words, "-o", name).ok()
        assert "+" not in (old.project / name).read_text()
    environ = clean_variables(index=True)
    wanted = locked(old, "laptop")
    assert dry_run(bare, old.project, environ, "-r", "anywhere.txt") == wanted
    assert "--hash=sha256:" in (old.project / "laptop.txt").read_text()
    assert dry_run(bare, old.project, environ, "-r", "laptop.txt") == wanted
    limited = dry_run(bare, old.project, environ, "-c", "limits.txt", "pandas")
    assert limited["pandas"] == wanted["pandas"]
    assert limited.items() <= wanted.items()


def test_pip_takes_the_sites_own_versions_on_the_site(old: Job, bare: Path, replica: Replica) -> None:
    old.run("export", "--format", "requirements", "--target", "cluster", "--local", "-o", "site.txt").ok()
    text = (old.project / "site.txt").read_text()
    assert text.splitlines()[1].startswith("# For that target only: ")
    assert "+computecanada" in text
    environ = without_links(**session(replica))
    found = dry_run(bare, old.project, environ, "--no-index", "-r", "site.txt")
    wanted = locked(old, "cluster")
    wanted.pop("pyarrow")
    assert found == wanted


def test_poetry_accepts_its_view(old: Job, tmp_path: Path, tools: Path, old_poetry: Path) -> None:
    old.run("export", "--format", "poetry", "--anywhere", "-o", str(tmp_path / "pyproject.toml")).ok()
    for poetry in (tools / "poetry", old_poetry):
        done = call([str(poetry), "check"], tmp_path, clean_variables() | home_variables(tmp_path / "home"))
        assert done.status == 0, done.out + done.err
