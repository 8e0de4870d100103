"""The main job on the replica of a cluster: one project, two targets, one lock, two environments that work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from replica.build import Replica
from tests.cli.world import MINOR, TUMPLINE, Done, clean_variables, home_variables, snapshot
from tests.measured import measured
from tumpline.lock import IndexArtefact, Lock, ModuleArtefact, WheelhouseArtefact
from tumpline.lock.file import read_lock

pytestmark = pytest.mark.network

DIRECT = (
    "numpy>=2",
    "scipy>=1.12",
    "pandas>=2.2",
    "scikit-learn>=1.5",
    "matplotlib>=3.8",
    "requests",
    "pydantic>=2.7",
    "PyYAML>=6",
    "tqdm",
    "seaborn",
    "pyarrow>=15",
)
ONLY_ON_THE_INDEX = "windrose"
FROM_THE_MODULE = "pyarrow"

PROJECT = """\
[project]
name = "reading-room"
version = "0.1"
requires-python = ">=3.11"
dependencies = {direct}

[dependency-groups]
pypi = ["{only}>=1.9"]

[tool.tumpline.targets.cluster]
site = "replica"
python = "{python}"
modules = ["arrow/17.0.0"]

[tool.tumpline.targets.laptop]
site = "here"
python = "{python}"
"""

SCRIPT = """\
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

X, y = make_classification(120, random_state=0)
print(cross_val_score(RandomForestClassifier(10, random_state=0), X, y, cv=3).tolist())
"""

NOT_REACHED = ("index-unreachable", "index-timeout", "certificate-not-trusted", "index-refuses")


@dataclass(frozen=True)
class Job:
    """A person's home and project."""

    project: Path
    environ: Mapping[str, str]

    def run(
        self, *words: str, cut_off: bool = False, cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Done:
        """Run a command of tumpline; `cut_off` takes the network away."""
        command = [*(["unshare", "-n"] if cut_off else []), *TUMPLINE, *words]
        return call(command, cwd or self.project, {**self.environ, **measured(), **(environ or {})})

    @property
    def lock(self) -> Path:
        return self.project / "tumpline.lock"

    def place(self, target: str) -> Path:
        return self.project / ".tumpline" / "env" / target

    def copied(self, folder: Path) -> Path:
        """Copy the project without its environments."""
        shutil.copytree(self.project, folder, ignore=shutil.ignore_patterns(".tumpline"))
        return folder


def call(command: list[str], cwd: Path, environ: Mapping[str, str]) -> Done:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def reached(done: Done) -> Done:
    """Return what was done; the test is skipped where the index is not to be had."""
    if any(f"error[{code}]" in done.err for code in NOT_REACHED):
        pytest.skip(f"the index is not to be had: {done.err}")
    return done.ok()


def without_links(**more: str) -> dict[str, str]:
    """The machine's way to its index, without a folder of wheels that would come before a cluster's configuration."""
    kept = clean_variables(index=True)
    for name in ("PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        kept.pop(name, None)
    return {**kept, **more}


@pytest.fixture(scope="module")
def job(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """The project, locked against a catalogue that was scanned."""
    root = tmp_path_factory.mktemp("main-job")
    kept = without_links(**home_variables(root / "home"), TUMPLINE_SITES=str(replica.sites))
    kept["PATH"] = f"{replica.bin}{os.pathsep}{kept['PATH']}"
    made = Job(root / "project", kept)
    made.project.mkdir()
    python = replica.pythons[0].rpartition(".")[0]
    text = PROJECT.format(direct=json.dumps(DIRECT), only=ONLY_ON_THE_INDEX, python=python)
    (made.project / "pyproject.toml").write_text(text)
    made.run("catalogue", "scan", "replica").ok()
    reached(made.run("lock"))
    return made


@pytest.fixture(scope="module")
def lock(job: Job) -> Lock:
    return read_lock(job.lock)


@pytest.fixture(scope="module")
def environments(job: Job) -> Job:
    """The same, with both environments made."""
    for target in ("cluster", "laptop"):
        job.run("sync", "--target", target).ok()
    return job


@pytest.fixture(scope="module")
def arrow(environments: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the module arrow/17.0.0 puts on PYTHONPATH: the real thing, borrowed from the other environment."""
    folder = tmp_path_factory.mktemp("arrow")
    for path in environments.place("laptop").glob("lib/python3*/site-packages/pyarrow*"):
        (folder / path.name).symlink_to(path)
    assert (folder / "pyarrow-17.0.0.dist-info").is_dir()
    return folder


def make_venv(place: Path, *options: str) -> Path:
    """Make a virtual environment that holds nothing but pip, and return its Python."""
    command = [sys.executable, "-m", "virtualenv", "-q", "--no-download", "--no-setuptools", *options, str(place)]
    call(command, place.parent, clean_variables()).ok()
    return place / "bin" / "python"


def session(replica: Replica, *paths: Path) -> dict[str, str]:
    """What a shell on the cluster has set, with the target's modules loaded."""
    return {
        "CC_CLUSTER": "replica",
        "RSNT_ARCH": "avx2",
        "EBVERSIONGENTOO": "2023",
        "EBVERSIONPYTHON": replica.pythons[0],
        "LOADEDMODULES": f"StdEnv/2023:python/{replica.pythons[0]}:arrow/17.0.0",
        **replica.variables(),
        "PYTHONPATH": os.pathsep.join(map(str, (replica.site_packages, *paths))),
    }


def installed(place: Path, *options: str) -> dict[str, str]:
    """What pip lists in an environment, but itself: canonical name -> version."""
    command = [str(place / "bin" / "python"), "-I", "-m", "pip", "list", "--format", "json", *options]
    done = call(command, place, clean_variables()).ok()
    found = {canonicalize_name(row["name"]): row["version"] for row in json.loads(done.out)}
    found.pop(canonicalize_name("pip"))
    return {str(name): version for name, version in found.items()}


class TestLock:
    """What is locked for whom."""

    def test_every_file_is_pinned(self, lock: Lock) -> None:
        for package in lock.packages:
            for pin in package.pins:
                match pin.artefact:
                    case WheelhouseArtefact(record=digest) | IndexArtefact(sha256=digest):
                        assert re.fullmatch("[0-9a-f]{64}", digest)

    def test_from_where(self, lock: Lock) -> None:
        sources: dict[str, dict[str, list[str]]] = {"cluster": {}, "laptop": {}}
        for package in lock.packages:
            for pin in package.pins:
                sources[pin.target].setdefault(pin.source, []).append(package.name)
        assert sources["cluster"]["pypi"] == [ONLY_ON_THE_INDEX]
        assert sources["cluster"]["module"] == [FROM_THE_MODULE]
        assert len(sources["cluster"]["wheelhouse"]) >= 25
        assert sources["laptop"].keys() == {"pypi"}
        for named in sources.values():
            assert sorted(chain.from_iterable(named.values())) == [package.name for package in lock.packages]

    def test_no_file_of_the_cluster_is_manylinux(self, lock: Lock) -> None:
        for package in lock.packages:
            pin = package.pin("cluster")
            assert pin is not None
            match pin.artefact:
                case WheelhouseArtefact(file=file):
                    assert re.search(r"\+computecanada-.*-(linux_x86_64|none-any)\.whl$", file), file
                    assert pin.version == f"{package.version}+computecanada"
                case IndexArtefact(file=file):
                    assert file.endswith("-none-any.whl"), file
                case ModuleArtefact(module=module):
                    assert module == "arrow/17.0.0"

    def test_versions_are_public(self, lock: Lock) -> None:
        assert not [package.version for package in lock.packages if "+" in package.version]

    def test_parity(self, job: Job, lock: Lock) -> None:
        summary = job.run("parity", "--json").ok().data["summary"]
        assert (summary["packages"], summary["same"], summary["diverging"]) == (len(lock.packages),) * 2 + (0,)

    def test_no_path_and_no_address(self, job: Job) -> None:
        text = job.lock.read_text()
        assert "://" not in text
        assert str(job.project.parent) not in text
        assert str(Path.home()) not in text

    @pytest.mark.parametrize("seed", ["0", "1", "4242"])
    def test_same_bytes(self, job: Job, tmp_path: Path, seed: str) -> None:
        folder = job.copied(tmp_path / "elsewhere")
        for again in range(2):
            if again:
                (folder / "tumpline.lock").unlink()
            job.run("lock", cwd=folder, environ={"PYTHONHASHSEED": seed}).ok()
            assert (folder / "tumpline.lock").read_bytes() == job.lock.read_bytes()

    def test_same_bytes_with_the_clusters_pip_configuration(self, job: Job, replica: Replica, tmp_path: Path) -> None:
        """There pip's configuration names the wheelhouse as folders of links, which is no index."""
        folder = job.copied(tmp_path / "elsewhere")
        (folder / "tumpline.lock").unlink()
        job.run("lock", cwd=folder, environ={"PIP_CONFIG_FILE": str(replica.pip_configuration)}).ok()
        assert (folder / "tumpline.lock").read_bytes() == job.lock.read_bytes()

    def test_check(self, job: Job, tmp_path: Path) -> None:
        folder = job.copied(tmp_path / "elsewhere")
        pyproject = folder / "pyproject.toml"
        text = pyproject.read_text()
        job.run("lock", "--check", cwd=folder).ok()
        for changed in (
            text.replace('"tqdm"', '"tqdm>=4"'),
            text.replace("arrow/17.0.0", "arrow/23.0.1"),
            text.replace("targets.laptop", "targets.desk"),
        ):
            assert changed != text
            pyproject.write_text(changed)
            before = snapshot(folder)
            job.run("lock", "--check", cwd=folder).refuses("lock-outdated", 1, "tumpline lock")
            assert snapshot(folder) == before
        pyproject.write_text(f"# a remark\n{text}")
        job.run("lock", "--check", cwd=folder).ok()


class TestOffline:
    """``--offline`` once all is in the cache, and before."""

    @pytest.fixture
    def cut_off(self) -> None:
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            pytest.skip("needs root, to take the network away")
        if subprocess.run(["unshare", "-n", "true"], check=False).returncode:
            pytest.skip("the network can not be taken away here")

    @pytest.mark.usefixtures("cut_off")
    def test_lock(self, job: Job, tmp_path: Path) -> None:
        folder = job.copied(tmp_path / "elsewhere")
        for _ in range(2):
            job.run("lock", "--offline", cwd=folder, cut_off=True).ok()
            assert (folder / "tumpline.lock").read_bytes() == job.lock.read_bytes()
            (folder / "tumpline.lock").unlink()

    @pytest.mark.usefixtures("cut_off")
    def test_without_the_network_and_without_the_flag(self, job: Job, tmp_path: Path) -> None:
        """What is fresh in the cache needs no network; with ``--refresh`` the index has to be asked."""
        folder = job.copied(tmp_path / "elsewhere")
        before = snapshot(folder)
        words = ("lock", "--refresh")
        done = job.run(*words, cwd=folder, cut_off=True, environ={"PIP_RETRIES": "0", "PIP_TIMEOUT": "2"})
        done.refuses("index-unreachable", 4, "--offline")
        assert snapshot(folder) == before

    def test_an_empty_cache(self, job: Job, tmp_path: Path) -> None:
        folder = job.copied(tmp_path / "elsewhere")
        before = snapshot(folder)
        catalogue = Path(job.environ["XDG_CACHE_HOME"]) / "tumpline" / "catalogues" / "replica.sqlite"
        environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TUMPLINE_CATALOGUE": str(catalogue)}
        done = job.run("lock", "--offline", cwd=folder, environ=environ)
        done.refuses("offline-not-cached", 4, "not in the cache", "without --offline")
        assert snapshot(folder) == before
        done = job.run("sync", "--offline", "--target", "laptop", cwd=folder, environ=environ)
        done.refuses("not-staged", 4, "neither in the stage nor in the cache", "tumpline stage")


class TestEnvironments:
    """Both environments, on this machine."""

    def test_same_public_versions(self, environments: Job, lock: Lock) -> None:
        cluster, laptop = (installed(environments.place(target)) for target in ("cluster", "laptop"))
        assert laptop == {str(package.name): package.version for package in lock.packages}
        assert {name: version.partition("+")[0] for name, version in cluster.items()} == {
            name: version for name, version in laptop.items() if name != FROM_THE_MODULE
        }

    def test_only_wheels_of_the_cluster(self, environments: Job) -> None:
        cluster = installed(environments.place("cluster"))
        assert [name for name, version in cluster.items() if not version.endswith("+computecanada")] == [
            ONLY_ON_THE_INDEX
        ]

    def test_no_manylinux_file_was_touched(self, environments: Job) -> None:
        platforms: dict[str, set[str]] = {}
        for file in environments.place("cluster").glob("lib/python3*/site-packages/*.dist-info/WHEEL"):
            tags = re.findall(r"^Tag: (\S+)$", file.read_text(), re.MULTILINE)
            assert tags
            platforms[file.parent.name] = {tag.rpartition("-")[2] for tag in tags}
        assert len(platforms) >= 28
        assert set().union(*platforms.values()) == {"linux_x86_64", "any"}

    def test_the_modules_package_is_not_installed(self, environments: Job) -> None:
        place = environments.place("cluster")
        assert not list(place.glob("lib/python3*/site-packages/pyarrow*"))
        assert list(environments.place("laptop").glob("lib/python3*/site-packages/pyarrow*"))

    def test_a_script_in_both(self, environments: Job, replica: Replica, tmp_path: Path, arrow: Path) -> None:
        script = tmp_path / "forest.py"
        script.write_text(f"import pyarrow\nassert pyarrow.__version__ == '17.0.0'\n{SCRIPT}")
        words = ("run", "--", "python", str(script))
        there = environments.run(*words, environ=session(replica, arrow)).ok()
        here = environments.run("run", "--target", "laptop", "--", "python", "-c", SCRIPT).ok()
        assert there.out == here.out
        assert len(json.loads(here.out)) == 3

    def test_not_without_the_module(self, environments: Job) -> None:
        done = environments.run("run", "--target", "cluster", "--", "python", "-c", "")
        done.refuses("module-not-loaded", 1, "arrow/17.0.0", "pyarrow 17.0.0", "module load arrow/17.0.0")

    def test_pip_has_no_complaint(self, environments: Job) -> None:
        for target in ("cluster", "laptop"):
            command = [str(environments.place(target) / "bin" / "python"), "-I", "-m", "pip", "check"]
            assert call(command, environments.project, clean_variables()).ok().out == "No broken requirements found.\n"

    def test_nothing_to_do_the_second_time(self, environments: Job) -> None:
        for target in ("cluster", "laptop"):
            report = environments.run("sync", "--json", "--offline", "--target", target).ok().data
            assert (report["changed"], report["changes"]) == (False, [])

    def test_real_pip_agrees(self, environments: Job, replica: Replica, tmp_path: Path) -> None:
        """The closure, given to pip as the cluster configures it, is what pip installs, and all that it installs."""
        words = ("export", "--format", "requirements", "--local", "--target", "cluster")
        requirements = tmp_path / "requirements.txt"
        requirements.write_text(environments.run(*words).ok().out)
        place = tmp_path / "theirs"
        python = make_venv(place, "-p", str(replica.interpreters[0]))
        environ = without_links(**home_variables(tmp_path / "home"), **replica.variables())
        pip = [str(python), "-m", "pip"]
        done = call([*pip, "install", "--no-compile", "-r", str(requirements)], tmp_path, environ).ok()
        assert "error" not in done.err.lower()
        assert "conflict" not in (done.out + done.err).lower()
        assert installed(place) == installed(environments.place("cluster"))
        assert call([*pip, "check"], tmp_path, environ).ok().out == "No broken requirements found.\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Job:
    root = tmp_path_factory.mktemp("small-job")
    made = Job(root / "project", without_links(**home_variables(root / "home")))
    made.project.mkdir()
    (made.project / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "0.1"\ndependencies = ["requests", "PyYAML"]\n'
    )
    reached(made.run("lock"))
    made.run("export", "--format", "pylock", "-o", "pylock.here.toml").ok()
    return made


@pytest.fixture(scope="module")
def tools(small: Job) -> Path:
    """A virtual environment with a pip that reads PEP 751, and uv."""
    python = make_venv(small.project.parent / "tools")
    words = ["-m", "pip", "install", "--quiet", "pip>=26.1", "uv>=0.9"]
    done = call([str(python), *words], small.project, small.environ)
    if done.status != 0:
        pytest.skip(f"pip and uv are not to be had: {done.err[-300:]}")
    return python.parent


class TestPylock:
    """A small project, exported for the installers of others."""

    @pytest.fixture
    def theirs(self, small: Job, tmp_path: Path) -> Path:
        make_venv(tmp_path / "theirs")
        return tmp_path / "theirs"

    def expected(self, small: Job) -> dict[str, str]:
        packages = read_lock(small.lock).packages
        assert len(packages) >= 6
        return {str(package.name): package.version for package in packages}

    def test_pip_installs_it(self, small: Job, tools: Path, theirs: Path) -> None:
        pip = [str(tools / "python"), "-m", "pip", "--python", str(theirs / "bin" / "python")]
        call([*pip, "install", "--no-compile", "-r", "pylock.here.toml"], small.project, small.environ).ok()
        assert installed(theirs) == self.expected(small)
        call([*pip, "check"], small.project, small.environ).ok()

    def test_uv_syncs_it(self, small: Job, tools: Path, theirs: Path) -> None:
        # uv has its own names for a certificate store; pip's configuration is not its business.
        uv = [
            str(tools / "uv"),
            "--no-config",
            "--native-tls",
            "pip",
            "sync",
            "--python",
            str(theirs / "bin" / "python"),
        ]
        call([*uv, "pylock.here.toml"], small.project, small.environ).ok()
        packages = theirs.glob("lib/python3*/site-packages/*.dist-info/METADATA")
        texts = [path.read_text() for path in packages]
        found = {
            str(canonicalize_name(re.findall(r"(?m)^Name: (.+)$", text)[0])): re.findall(r"(?m)^Version: (.+)$", text)[
                0
            ]
            for text in texts
        }
        assert found == self.expected(small) | {"pip": found["pip"]}

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to take the network away")
    def test_sync_from_the_cache_alone(self, small: Job, tmp_path: Path) -> None:
        small.run("sync", "--env", str(tmp_path / "first")).ok()
        small.run("sync", "--offline", "--env", str(tmp_path / "second"), cut_off=True).ok()
        assert installed(tmp_path / "second") == self.expected(small)
        assert MINOR in str(next((tmp_path / "second").glob("lib/python3*")))
