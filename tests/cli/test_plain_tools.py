"""What `add` and `classify` leave behind works with the plain tools of colleagues: pip, Poetry and uv."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from replica.build import Replica
from tests.cli.test_main_job import Job, call, installed, make_venv, reached, session, without_links
from tests.cli.world import clean_variables, home_variables
from tests.index.server import Route, Server
from tumpline.lock import IndexArtefact
from tumpline.lock.file import read_lock

pytestmark = pytest.mark.network

MAIN = ("requests", "joblib")
REST = "tabulate"
"""A package that the replica's wheelhouse does not have."""

HEAD = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
py-modules = []

"""
STANDARD = '[project]\nname = "reading-room"\nversion = "0.1"\nrequires-python = ">=3.11"\ndependencies = [{names}]\n'
POETRY = """\
[tool.poetry]
name = "reading-room"
version = "0.1"
description = "Books."
authors = ["A Reader <reader@example.org>"]
package-mode = false

[tool.poetry.dependencies]
python = ">=3.11"
"""


class Colleagues:
    """The same project, on the cluster and elsewhere; the index is one of the day on which it was locked."""

    def __init__(self, job: Job, tools: Path, old_poetry: Path, index: str, root: Path) -> None:
        self.job, self.tools, self.index, self.root = job, tools, index, root
        self.old_poetry = old_poetry
        self.public = {str(package.name): package.version for package in read_lock(job.lock).packages}
        self.text = (job.project / "pyproject.toml").read_text()
        self.source = f'\n[[tool.poetry.source]]\nname = "day"\nurl = "{index}"\npriority = "primary"\n'

    def copy(self, name: str, *, source: bool = False) -> Path:
        folder = self.root / name
        folder.mkdir()
        (folder / "pyproject.toml").write_text(self.text + (self.source if source else ""))
        return folder

    def variables(self, venv: Path | None = None) -> dict[str, str]:
        kept = {**clean_variables(), **home_variables(self.root / "home")}
        kept |= {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": self.index, "UV_DEFAULT_INDEX": self.index}
        if venv is not None:
            kept |= {"VIRTUAL_ENV": str(venv), "PATH": f"{venv}/bin{os.pathsep}{kept['PATH']}"}
        return kept

    def poetry(self, version: str) -> Path:
        """Return the program of Poetry 2 or 1.8; skips the test where that does not read the project."""
        if version == "1.8" and "[project]" in self.text:
            pytest.skip("Poetry 1.8 does not read [project]")
        return self.old_poetry if version == "1.8" else self.tools / "poetry"

    def run(self, command: list[str | Path], cwd: Path, environ: Mapping[str, str]) -> None:
        call([str(word) for word in command], cwd, environ).ok()


@pytest.fixture(scope="module", params=["standard", "poetry"])
def colleagues(
    request: pytest.FixtureRequest,
    replica: Replica,
    tools: Path,
    old_poetry: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Colleagues]:
    root = tmp_path_factory.mktemp("colleagues")
    kept = without_links(**home_variables(root / "home"), TUMPLINE_SITES=str(replica.sites))
    kept["PATH"] = f"{replica.bin}{os.pathsep}{kept['PATH']}"
    job = Job(root / "project", kept)
    job.project.mkdir()
    names = ", ".join(f'"{name}"' for name in (*MAIN, REST))
    text = HEAD + STANDARD.format(names=names)
    if request.param == "poetry":
        text = POETRY + "".join(f'{name} = "*"\n' for name in (*MAIN, REST))
    (job.project / "pyproject.toml").write_text(text)
    python = replica.pythons[0].rpartition(".")[0]
    job.run("init", "--target", f"replica:{python}", "--target", f"laptop=here:{python}").ok()
    job.run("catalogue", "scan", "replica").ok()
    reached(job.run("classify"))
    job.run("add", *MAIN, REST).ok()
    server = Server()
    try:
        _serve(server, job, root / "wheels")
        yield Colleagues(job, tools, old_poetry, server.index, root)
    finally:
        server.close()


def _serve(server: Server, job: Job, folder: Path) -> None:
    """Serve the very files that are locked for the laptop, and what builds the project."""
    pins = {"setuptools": "setuptools"}
    for package in read_lock(job.lock).packages:
        pin = package.pin("laptop")
        assert pin is not None
        assert isinstance(pin.artefact, IndexArtefact)
        pins[str(package.name)] = f"{package.name}=={pin.version}"
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), *pins.values()]
    done = subprocess.run(command, env=without_links(), capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the wheels are not to be had: {done.stderr[-300:]}")
    for wheel in folder.iterdir():
        name = canonicalize_name(wheel.name.partition("-")[0])
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        server.file(wheel)
        page = f'<a href="../../files/{wheel.name}#sha256={digest}">{wheel.name}</a>'
        server.add(f"/simple/{name}/", Route(page.encode(), "text/html"))


class TestOnTheCluster:
    """With the cluster's own pip configuration: the main section from the wheelhouse, the rest in a second step."""

    @pytest.fixture
    def venv(self, colleagues: Colleagues, tmp_path: Path) -> Path:
        make_venv(tmp_path / "venv")
        return tmp_path / "venv"

    @pytest.mark.parametrize("version", ["2", "1.8"])
    def test_pip_and_then_poetry(
        self, colleagues: Colleagues, replica: Replica, venv: Path, tmp_path: Path, version: str
    ) -> None:
        program = colleagues.poetry(version)
        folder = colleagues.copy(f"cluster-{tmp_path.name}", source=True)
        there = {**clean_variables(), **home_variables(tmp_path / "home"), **session(replica)}
        if "[project]" in colleagues.text:
            colleagues.run([venv / "bin" / "pip", "install", "-q", "-e", ".", "--no-index"], folder, there)
        else:
            # What pip can not read of Poetry's tables, tumpline writes for it.
            done = colleagues.job.run("export", "--format", "requirements", "--target", "replica").ok()
            wanted = [line for line in done.out.splitlines() if line.startswith(MAIN)]
            assert len(wanted) == len(MAIN)
            pins = [line.split()[0] for line in wanted]
            colleagues.run([venv / "bin" / "pip", "install", "-q", "--no-index", *pins], folder, there)
        before = {name: version for name, version in installed(venv).items() if name in colleagues.public}
        assert set(MAIN) <= before.keys()
        assert all(version == f"{colleagues.public[name]}+computecanada" for name, version in before.items())
        poetry: list[str | Path] = [program, "install", "--only", "pypi", "--no-root", "-n"]
        colleagues.run(poetry, folder, colleagues.variables(venv))
        after = {name: version for name, version in installed(venv).items() if name in colleagues.public}
        assert after == {**before, REST: colleagues.public[REST]}
        call([str(venv / "bin" / "python"), "-m", "pip", "check"], folder, colleagues.variables(venv)).ok()

    def test_poetry_alone_takes_the_same_public_versions(
        self, colleagues: Colleagues, replica: Replica, venv: Path, tmp_path: Path
    ) -> None:
        """Whoever types ``--with pypi`` instead gets them from the index: Poetry's lock knows no site's versions."""
        folder = colleagues.copy(f"replaced-{tmp_path.name}", source=True)
        there = {**clean_variables(), **home_variables(tmp_path / "home"), **session(replica)}
        colleagues.run([venv / "bin" / "pip", "install", "-q", "--no-index", *MAIN], folder, there)
        before = installed(venv)
        assert all(before[name] == f"{colleagues.public[name]}+computecanada" for name in MAIN)
        command: list[str | Path] = [colleagues.poetry("2"), "install", "--with", "pypi", "--no-root", "-n"]
        colleagues.run(command, folder, colleagues.variables(venv))
        after = installed(venv)
        assert {name: after.get(name) for name in colleagues.public} == colleagues.public


class TestElsewhere:
    """Where there is no wheelhouse, each of the plain tools gets the same public versions."""

    def test_pip(self, colleagues: Colleagues, tmp_path: Path, tools: Path) -> None:
        if "[project]" not in colleagues.text:
            pytest.skip("pip does not read Poetry's tables")
        folder, venv = colleagues.copy(f"pip-{tmp_path.name}"), tmp_path / "venv"
        make_venv(venv)
        pip: list[str | Path] = [tools / "python", "-m", "pip", "--python", venv / "bin" / "python", "install", "-q"]
        colleagues.run([*pip, "-e", ".", "--group", "pypi"], folder, colleagues.variables())
        self._same(colleagues, venv)

    @pytest.mark.parametrize("version", ["2", "1.8"])
    def test_poetry(self, colleagues: Colleagues, tmp_path: Path, version: str) -> None:
        program = colleagues.poetry(version)
        folder, venv = colleagues.copy(f"poetry-{tmp_path.name}", source=True), tmp_path / "venv"
        make_venv(venv)
        command: list[str | Path] = [program, "install", "--with", "pypi", "--no-root", "-n"]
        colleagues.run(command, folder, colleagues.variables(venv))
        self._same(colleagues, venv)

    def test_uv(self, colleagues: Colleagues, tmp_path: Path) -> None:
        if "[project]" not in colleagues.text:
            pytest.skip("uv does not read Poetry's tables")
        folder = colleagues.copy(f"uv-{tmp_path.name}")
        command: list[str | Path] = [colleagues.tools / "uv", "--no-config", "sync", "-q", "--group", "pypi"]
        command += ["--python", sys.executable, "--cache-dir", tmp_path / "cache"]
        colleagues.run(command, folder, colleagues.variables())
        listing = [str(colleagues.tools / "uv"), "pip", "list", "--python", f"{folder}/.venv", "--format", "json"]
        done = call(listing, folder, colleagues.variables()).ok()
        found = {canonicalize_name(row["name"]): row["version"] for row in done.data}
        assert {name: found.get(canonicalize_name(name)) for name in colleagues.public} == colleagues.public

    def _same(self, colleagues: Colleagues, venv: Path) -> None:
        found = installed(venv)
        assert {name: found.get(name) for name in colleagues.public} == colleagues.public
