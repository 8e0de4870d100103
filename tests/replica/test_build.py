"""The replica as a whole: what it refuses, that it resumes, and that real pip takes its wheels."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replica.__main__ import main
from replica.build import Replica, make_replica
from replica.contents import LAYERS, contents
from replica.interpreters import choose, interpreters_at_hand
from tests.replica.test_retag import check_record
from tumpline.errors import InputError
from tumpline.host.pythons import Interpreter
from tumpline.wheels import parse_metadata, parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Sequence

DIRECT = ["numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "requests", "pydantic", "PyYAML", "tqdm"]
OLDER = ["numpy<2.4", "scipy<1.17", "pandas<3", "scikit-learn<1.8", "matplotlib<3.10.8", "pydantic<2.13", "seaborn"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="the replica is for Linux")


def test_contents_are_consistent() -> None:
    everything = contents()
    chosen = {(choice.spelling, choice.version) for choice in everything.choices}
    assert {(row.spelling, row.version) for row in everything.rewrites} <= chosen
    assert len({name for name, _ in chosen}) < len(chosen)
    assert all(choice.layer in LAYERS for choice in everything.choices)
    provided = {name for module in everything.modules for name, _ in module.provides}
    assert provided <= {name for family in everything.dummies for name in family.names}


def test_only_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert main([str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "replica-needs-linux" in said
    assert "Linux x86_64" in said
    assert not (tmp_path / "out").exists()


@linux
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_foreign_folder_is_left_alone(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "thesis"
    if kind == "folder":
        out.mkdir()
        (out / "chapter.tex").write_text("x")
    else:
        out.write_text("x")
    assert main([str(out)]) == 2
    assert "not-a-replica" in capsys.readouterr().err
    assert (out / "chapter.tex").exists() if kind == "folder" else out.read_text() == "x"


@linux
def test_unknown_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), "--python", "2.7"]) == 2
    assert "python-not-in-replica" in capsys.readouterr().err


def interpreter(version: str) -> Interpreter:
    return Interpreter(Path("/usr/bin/python3"), version, "linux", "x86_64", Path("/usr"), "lib", "lib", "bin")


def test_python_that_is_not_here() -> None:
    at_hand = tuple(interpreter(version) for version in ("3.11.9", "3.12.1", "3.13.0"))
    assert [i.version for i in choose((), at_hand)] == ["3.11.9", "3.12.1"]
    assert [i.version for i in choose(("3.13", "3.11", "3.13"), at_hand)] == ["3.13.0", "3.11.9"]
    with pytest.raises(InputError) as caught:
        choose(("3.14",), at_hand)
    assert caught.value.code == "python-not-at-hand"
    assert "3.11.9, 3.12.1, 3.13.0" in caught.value.problems[0].why
    with pytest.raises(InputError, match="not on this machine"):
        choose((), ())


@linux
def test_launchers_without_a_python_are_passed_over(tmp_path: Path) -> None:
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    launcher, kept = tmp_path / "bin" / f"python{minor}", tmp_path / ".pyenv" / "versions" / f"{minor}.1" / "bin"
    launcher.parent.mkdir()
    launcher.write_text("#!/bin/sh\nexit 127\n")
    launcher.chmod(0o755)
    kept.mkdir(parents=True)
    (kept / f"python{minor}").symlink_to(sys.executable)
    found = interpreters_at_hand({"PATH": str(launcher.parent), "HOME": str(tmp_path)})
    assert [interpreter.minor for interpreter in found] == [minor]
    assert interpreters_at_hand({"PATH": str(launcher.parent)}) == ()


@linux
def test_index_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    out = tmp_path / "out"
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(Exception, match="could not fetch") as caught:
        make_replica(out, [running], downloads=tmp_path / "downloads")
    assert getattr(caught.value, "exit_status", None) == 4
    # What is there is marked as an unfinished replica, so the next run may go on.
    assert (out / "replica.json").is_file()


class TestReplica:
    """On the real one."""

    def test_nothing_to_do_twice(self, replica: Replica) -> None:
        again = make_replica(replica.root)
        assert again.reused
        assert again.pythons == replica.pythons

    def test_every_wheel_is_valid(self, replica: Replica) -> None:
        assert len(replica.wheels) > 60
        for path in replica.wheels:
            wheel = parse_wheel_name(path.name)
            check_record(path)
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                info = "-".join(path.name.split("-")[:2]) + ".dist-info"
                metadata = parse_metadata(archive.read(f"{info}/METADATA"))
                tags = [line[5:] for line in archive.read(f"{info}/WHEEL").decode().splitlines() if line[:4] == "Tag:"]
            assert metadata.version == wheel.version
            assert set(tags) == {f"{py}-{wheel.tags.split('-', 1)[1]}" for py in wheel.tags.split("-")[0].split(".")}

    def test_layers(self, replica: Replica) -> None:
        names = [path.relative_to(replica.wheelhouse) for path in replica.wheels]
        assert not [name for name in replica.root.rglob("*") if "manylinux" in name.name and name.suffix == ".whl"]
        for name in names:
            assert "+computecanada" in name.name or "+dummy.computecanada" in name.name
            platform = name.name.removesuffix(".whl").rpartition("-")[2]
            assert platform == ("any" if str(name.parent) == "generic" else "linux_x86_64")
        assert {str(name.parent) for name in names} == set(LAYERS)
        for python in replica.pythons:
            tag = "cp" + "".join(python.split(".")[:2])
            assert sum(f"numpy-2.4.2+computecanada-{tag}-" in name.name for name in names) == 1

    def test_pip_configuration_is_the_cluster_s(self, replica: Replica) -> None:
        parser = configparser.ConfigParser()
        parser.read(replica.pip_configuration)
        for section in ("download", "wheel", "install"):
            assert parser[section]["find-links"].split() == [(replica.wheelhouse / layer).as_uri() for layer in LAYERS]
        assert "find-links" not in parser["global"]
        assert not any("no-index" in parser[section] for section in parser)

    def test_resumes(self, replica: Replica, tmp_path: Path) -> None:
        """A run that was cut short is completed; strangers in the wheelhouse go."""
        minor = ".".join(replica.pythons[0].split(".")[:2])
        made = make_replica(tmp_path / "a place", [minor])
        before = {path: path.stat().st_size for path in made.wheels}
        lost, cut = made.wheels[0], made.wheels[-1]
        lost.unlink()
        whole = cut.read_bytes()
        cut.write_bytes(whole[:100])
        (made.wheelhouse / "generic" / ".x-1-py3-none-any.whl.part").write_bytes(b"")
        again = make_replica(tmp_path / "a place", [minor])
        assert not again.reused
        assert {path: path.stat().st_size for path in again.wheels} == before
        assert cut.read_bytes() == whole
        assert not list(made.wheelhouse.rglob("*.part"))
        shutil.rmtree(made.root)


@pytest.fixture(scope="module")
def environments(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A virtual environment for each Python, as the Alliance's documentation makes them."""
    made = {}
    for version, interpreter in zip(replica.pythons, replica.interpreters, strict=True):
        made[version] = folder = tmp_path_factory.mktemp("env") / version
        subprocess.run(
            [sys.executable, "-m", "virtualenv", "--quiet", "--no-download", "--python", interpreter, folder],
            check=True,
            timeout=120,
        )
    return made


def pip(folder: Path, environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "bin" / "python", "-m", "pip", *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("position", "wanted"), [(0, DIRECT), (1, DIRECT), (0, OLDER)], ids=["first", "second", "older versions"]
)
def test_real_pip_installs(
    replica: Replica,
    environments: dict[str, Path],
    cluster_environ: dict[str, str],
    position: int,
    wanted: Sequence[str],
) -> None:
    if position >= len(replica.pythons):
        pytest.skip("one Python is at hand")
    folder = environments[replica.pythons[position]]
    done = pip(folder, cluster_environ, "install", "--no-index", "--no-compile", *wanted)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR", "DEPRECATION"))]
    checked = pip(folder, cluster_environ, "check")
    assert (checked.returncode, checked.stdout) == (0, "No broken requirements found.\n")
    listed = pip(folder, cluster_environ, "list", "--format=freeze").stdout.splitlines()
    assert len(listed) > 20
    # What virtualenv seeds an environment with is its own.
    seeded = ("pip==", "setuptools==", "wheel==")
    assert not [line for line in listed if not line.endswith("+computecanada") and not line.startswith(seeded)]
    imported = [str(folder / "bin" / "python"), "-c", "import numpy, scipy, pandas, sklearn, matplotlib, pydantic"]
    assert subprocess.run(imported, env=cluster_environ, check=False).returncode == 0


@pytest.mark.parametrize(
    ("wanted", "module"), [("pyarrow", "arrow"), ("opencv-python-headless", "opencv"), ("mpi4py==4.0.3", "mpi4py")]
)
def test_real_pip_fails_on_dummies(
    replica: Replica, environments: dict[str, Path], cluster_environ: dict[str, str], wanted: str, module: str
) -> None:
    done = pip(environments[replica.pythons[0]], cluster_environ, "install", "--no-index", wanted)
    assert done.returncode == 1
    assert f"module load {module}" in done.stderr
    assert "noinstall" in done.stderr


def test_blocker_refuses_manylinux(
    replica: Replica, environments: dict[str, Path], cluster_environ: dict[str, str]
) -> None:
    folder = environments[replica.pythons[0]]
    assert "manylinux" not in pip(folder, cluster_environ, "debug", "--verbose").stdout
    open_environ = {name: value for name, value in cluster_environ.items() if name != "PYTHONPATH"}
    assert "manylinux" in pip(folder, open_environ, "debug", "--verbose").stdout
