"""PEP 751: what is written, and that `packaging`, pip and uv take it."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs, Pylock, is_valid_pylock_path
from packaging.tags import Tag

from tests.addresses.conftest import GitRepository
from tests.lock.samples import BY_ADDRESS, LAPTOP, NARVAL, SAMPLE, indexed, package, pin, wheelhouse
from tests.wheelmaker import make_wheel
from tumpline.errors import InputError
from tumpline.lock import IndexArtefact, Lock, LockedTarget, PathArtefact, VcsArtefact, WheelhouseArtefact
from tumpline.lock.export import LeftOut
from tumpline.lock.locate import Location
from tumpline.lock.pylock import check_pylock_name, export_pylock, pylock_name
from tumpline.values import Name


def locate(name: Name, artefact: IndexArtefact | WheelhouseArtefact) -> Location:
    if isinstance(artefact, IndexArtefact):
        return Location(artefact.sha256, url=f"https://files.example/{artefact.file}", size=artefact.size)
    return Location("ee" * 32, path=f"/wheelhouse/{artefact.layer}/{artefact.file}", size=artefact.size)


def scanned() -> Lock:
    """The sample, with every wheel of narval known."""
    file = "torch-2.6.0+computecanada-cp311-cp311-linux_x86_64.whl"
    torch = package(
        "torch", "2.6.0", pin("narval", "2.6.0+computecanada", wheelhouse("generic", file, "a7"), "numpy pyarrow")
    )
    return replace(SAMPLE, packages=(*SAMPLE.packages[:-1], torch))


def test_a_cluster() -> None:
    export = export_pylock(scanned(), "narval", locate, Path())
    assert export.left_out == (LeftOut(Name("pyarrow"), "17.0.0", "arrow/17.0.0"),)
    assert "# Load these modules first: arrow/17.0.0\n" in export.text
    data = tomllib.loads(export.text)
    assert (data["lock-version"], data["created-by"], data["requires-python"]) == ("1.0", "tumpline", ">=3.11")
    assert data["environments"] == [
        'python_version == "3.11" and sys_platform == "linux" and platform_machine == "x86_64"'
    ]
    assert data["tool"]["tumpline"]["left-out"] == [{"name": "pyarrow", "version": "17.0.0", "module": "arrow/17.0.0"}]
    assert [row["name"] for row in data["packages"]] == ["numpy", "requests", "torch"]
    numpy, requests, torch = data["packages"]
    assert numpy["version"] == "2.2.2+computecanada"
    assert numpy["wheels"][0]["path"].startswith("/wheelhouse/gentoo2023/x86-64-v3/numpy-2.2.2+computecanada-")
    assert requests["wheels"] == [
        {
            "name": "requests-2.32.3-py3-none-any.whl",
            "url": "https://files.example/requests-2.32.3-py3-none-any.whl",
            "size": 64_928,
            "hashes": {"sha256": "c3" * 32},
        }
    ]
    # PEP 751: dependencies are other entries of the file, and pyarrow is none.
    assert torch["dependencies"] == [{"name": "numpy"}]


def test_packaging_selects_from_it() -> None:
    pylock = Pylock.from_dict(tomllib.loads(export_pylock(SAMPLE, "laptop", locate, Path()).text))
    environment = {
        "implementation_name": "cpython",
        "implementation_version": "3.11.9",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": "3.11.9",
        "python_version": "3.11",
        "sys_platform": "linux",
    }
    tags = [Tag("cp311", "cp311", "manylinux_2_28_x86_64"), Tag("cp311", "cp311", "manylinux_2_17_x86_64")]
    tags.append(Tag("py3", "none", "any"))
    chosen = list(pylock.select(environment=environment, tags=tags))  # type: ignore[arg-type]  # a TypedDict there
    assert [str(found.version) for found, _ in chosen] == ["0.4.6", "2.2.2", "17.0.0", "2.32.3", "2.7.1"]


@pytest.mark.parametrize(
    ("system", "machine", "python", "marker"),
    [
        (
            "macos",
            "arm64",
            "3.12",
            'python_version == "3.12" and sys_platform == "darwin" and platform_machine == "arm64"',
        ),
        (
            "windows",
            "x86_64",
            "3.13.2",
            'python_version == "3.13" and sys_platform == "win32" and platform_machine == "AMD64"',
        ),
    ],
)
def test_environments(system: str, machine: str, python: str, marker: str) -> None:
    target = replace(LAPTOP, os=system, machine=machine, python=python)
    data = tomllib.loads(export_pylock(replace(SAMPLE, targets=(target,)), "laptop", locate, Path()).text)
    assert data["environments"] == [marker]
    assert "tool" in data
    assert "modules" not in data["tool"]["tumpline"]


def test_an_sdist() -> None:
    lock = Lock(
        "ab", "", (LAPTOP,), (), (package("toy", "1.0", pin("laptop", "1.0", indexed("toy-1.0.tar.gz", "a1"))),)
    )
    (row,) = tomllib.loads(export_pylock(lock, "laptop", locate, Path()).text)["packages"]
    assert row["sdist"]["url"] == "https://files.example/toy-1.0.tar.gz"
    assert "wheels" not in row


def test_what_pep_751_can_not_hold() -> None:
    wheel = indexed("toy-2.0-py3-none-any.whl", "a1")
    lock = Lock("ab", "", (LAPTOP,), (), (package("toy", "1.0", pin("laptop", "1.0", wheel)),))
    with pytest.raises(InputError) as caught:
        export_pylock(lock, "laptop", locate, Path())
    assert caught.value.code == "not-for-pylock"
    assert "toy-2.0-py3-none-any.whl" in caught.value.problems[0].why


def test_unknown_target() -> None:
    with pytest.raises(InputError) as caught:
        export_pylock(SAMPLE, "nibi", locate, Path())
    assert caught.value.code == "unknown-target"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("narval", "pylock.narval.toml"),
        ("Narval.GPU", "pylock.narval-gpu.toml"),
        ("my laptop", "pylock.my-laptop.toml"),
    ],
)
def test_names(target: str, expected: str) -> None:
    assert pylock_name(target) == expected
    assert is_valid_pylock_path(Path(expected))
    check_pylock_name(Path("somewhere") / expected, target)


@pytest.mark.parametrize("name", ["narval.toml", "pylock.a.b.toml", "pylock.narval.lock", "requirements.txt"])
def test_bad_names(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_pylock_name(Path("out") / name, "narval")
    assert caught.value.code == "bad-pylock-name"
    assert caught.value.problems[0].hint == f"write to {Path('out') / 'pylock.narval.toml'}"


def test_what_is_taken_by_address(tmp_path: Path) -> None:
    project = tmp_path / "project"
    pylock = Pylock.from_dict(tomllib.loads(export_pylock(BY_ADDRESS, "laptop", locate, project).text))
    a, b, c, d, e = pylock.packages
    assert a.archive == PackageArchive(
        path=str(project / "vendor" / "a-1.0-py3-none-any.whl"), size=7, hashes={"sha256": "a1" * 32}
    )
    assert b.directory == PackageDirectory(path=str(tmp_path / "b"), subdirectory="inner")
    assert b.dependencies == [{"name": "a"}]
    assert c.archive == PackageArchive(
        url="https://example.org/c.zip", size=9, hashes={"sha256": "a2" * 32}, subdirectory="s"
    )
    assert d.vcs == PackageVcs(
        type="git", url="https://example.org/d", requested_revision="main", commit_id="ab" * 20, subdirectory="s"
    )
    assert e.vcs == PackageVcs(type="git", path=str(tmp_path / "e"), commit_id="cd" * 20)
    # A source tree may build another version than it did when it was locked (PEP 751).
    assert [str(row.version) for row in pylock.packages] == ["1.0", "None", "1.0", "None", "None"]


# --- the real tools -----------------------------------------------------------------------------------------------


def _run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_FIND", "UV_", "VIRTUAL_"))}
    return subprocess.run(
        [str(word) for word in command],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    folder = tmp_path / "environment"
    assert _run(sys.executable, "-m", "virtualenv", "--no-download", folder).returncode == 0
    return folder


@pytest.fixture
def here() -> LockedTarget:
    """The machine that the tests run on, as a site with a wheelhouse."""
    system = {"linux": "linux", "darwin": "macos"}.get(sys.platform)
    if system is None:
        pytest.skip("made for Linux and macOS")
    python = ".".join(map(str, sys.version_info[:2]))
    return replace(NARVAL, name="here", os=system, machine=platform.machine(), python=python)


def _exported(folder: Path, here: LockedTarget) -> tuple[Path, Path]:
    """Write a pylock of two local wheels, one of which carries a local version and needs the other."""
    leaf = make_wheel(folder / "wheels", "toy-leaf", "0.3", comment=b"as locked")
    root = make_wheel(folder / "wheels", "toy.root", "1.0+computecanada", requires=["toy-leaf>=0.2"])

    def found(name: Name, artefact: IndexArtefact | WheelhouseArtefact) -> Location:
        path = folder / "wheels" / artefact.file
        return Location(hashlib.sha256(path.read_bytes()).hexdigest(), path=str(path), size=path.stat().st_size)

    lock = Lock(
        "ab",
        "",
        (here,),
        (Name("toy-root"),),
        (
            package("toy-leaf", "0.3", pin("here", "0.3", indexed(leaf.name, "a1"))),
            package("toy-root", "1.0", pin("here", "1.0+computecanada", wheelhouse("g", root.name, "a2"), "toy-leaf")),
        ),
    )
    path = folder / pylock_name("here")
    path.write_text(export_pylock(lock, "here", found, Path()).text, encoding="utf-8")
    return path, leaf


def _installed(environment: Path) -> dict[str, str]:
    code = "from importlib.metadata import distributions as d; [print(x.name, x.version) for x in d()]"
    rows = _run(environment / "bin" / "python", "-I", "-c", code).stdout.splitlines()
    return {name: version for name, _, version in (row.partition(" ") for row in rows) if name.startswith("toy")}


@pytest.mark.network
def test_pip_installs_it(tmp_path: Path, tools: Path, environment: Path, here: LockedTarget) -> None:
    path, leaf = _exported(tmp_path, here)
    pip = (tools / "python", "-m", "pip", "--python", environment / "bin" / "python", "install", "--no-index")
    done = _run(*pip, "-r", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _installed(environment) == {"toy-leaf": "0.3", "toy.root": "1.0+computecanada"}
    leaf.write_bytes(leaf.read_bytes().replace(b"as locked", b"as forged"))
    refused = _run(*pip, "--force-reinstall", "-r", path)
    assert refused.returncode != 0
    assert "hash" in (refused.stdout + refused.stderr).lower()


@pytest.mark.network
def test_uv_installs_what_is_taken_by_address(
    tmp_path: Path, tools: Path, environment: Path, here: LockedTarget
) -> None:
    """A wheel by path, a folder and a commit, as uv reads PEP 751; the sources are built by a real backend.

    pip takes no folder and no commit beside files that have a hash.
    """
    project = tmp_path / "project"
    wheel = make_wheel(project / "vendor", "toy-wheel", "1.0")
    sources = {}
    for name in ("toy-folder", "toy-commit"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{name}"\nversion = "2.0"\n[tool.hatch.build.targets.wheel]\nbypass-selection = true\n'
        )
        sources[name] = folder
    repository = GitRepository(sources["toy-commit"])
    repository.git("init", "--quiet")
    commit = repository.commit({})
    repository.commit({"pyproject.toml": "[broken"})
    file = PathArtefact(f"vendor/{wheel.name}", hashlib.sha256(wheel.read_bytes()).hexdigest(), record="00" * 32)
    lock = Lock(
        "ab",
        "",
        (here,),
        (),
        (
            package("toy-commit", "2.0", pin("here", "2.0", VcsArtefact(commit, path="../toy-commit"))),
            package("toy-folder", "2.0", pin("here", "2.0", PathArtefact("../toy-folder"))),
            package("toy-wheel", "1.0", pin("here", "1.0", file)),
        ),
    )
    path = tmp_path / pylock_name("here")
    path.write_text(export_pylock(lock, "here", locate, project).text, encoding="utf-8")
    uv = (tools / "uv", "--cache-dir", tmp_path / "cache", "pip", "sync", "--python", environment / "bin" / "python")
    done = _run(*uv, path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = _installed(environment)
    assert {name.replace("_", "-"): version for name, version in found.items()} == {
        "toy-commit": "2.0",
        "toy-folder": "2.0",
        "toy-wheel": "1.0",
    }


@pytest.mark.network
def test_uv_syncs_it(tmp_path: Path, tools: Path, environment: Path, here: LockedTarget) -> None:
    path, leaf = _exported(tmp_path, here)
    python = environment / "bin" / "python"
    uv = (
        tools / "uv",
        "--no-config",
        "--cache-dir",
        tmp_path / "cache",
        "pip",
        "sync",
        "--offline",
        "--python",
        python,
    )
    done = _run(*uv, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert _installed(environment) == {"toy-leaf": "0.3", "toy.root": "1.0+computecanada"}
    leaf.write_bytes(leaf.read_bytes().replace(b"as locked", b"as forged"))
    refused = _run(*uv, "--reinstall", path)
    assert refused.returncode != 0
    assert "hash" in (refused.stdout + refused.stderr).lower()


@pytest.mark.network
def test_both_refuse_another_machine(tmp_path: Path, tools: Path, environment: Path, here: LockedTarget) -> None:
    path, _ = _exported(tmp_path, replace(here, machine="riscv64"))
    python = environment / "bin" / "python"
    pip = _run(tools / "python", "-m", "pip", "--python", python, "install", "--no-index", "-r", path)
    assert pip.returncode != 0
    assert "environment" in pip.stderr
    assert _installed(environment) == {}
