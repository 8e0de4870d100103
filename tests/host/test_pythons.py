"""Finding interpreters on a PATH made for the test."""

from __future__ import annotations

import json
import os
import platform
import stat
import sys
import sysconfig
from pathlib import Path

import pytest

from tumpline.errors import EnvironmentFailure
from tumpline.host import pythons
from tumpline.host.pythons import Interpreter, find_python, probe_python, without_python_variables

FULL = platform.python_version().rstrip("+")
MINOR = ".".join(FULL.split(".")[:2])
REAL = Path(getattr(sys, "_base_executable", sys.executable))

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes shell scripts")


def script(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def answering(version: str, implementation: str = "cpython") -> str:
    """A stand-in for an interpreter: it answers the probe with a version."""
    answer = {
        "version": version,
        "implementation": implementation,
        "platform": "linux",
        "machine": "x86_64",
        "executable": f"/opt/{version}/bin/python3",
        "prefix": f"/opt/{version}",
        "purelib": "lib/p",
        "platlib": "lib/p",
        "scripts": "bin",
    }
    return f"echo 'a greeting'; echo '{json.dumps(answer)}'"


def environ(*folders: Path | str) -> dict[str, str]:
    return {"PATH": ":".join(map(str, folders))}


@pytest.mark.parametrize("wanted", [MINOR, FULL])
@pytest.mark.parametrize("name", [f"python{MINOR}", "python3", "python"])
def test_a_real_one(tmp_path: Path, wanted: str, name: str) -> None:
    script(tmp_path, name, f'exec "{REAL}" "$@"')
    found = find_python(wanted, environ(tmp_path))
    assert found.version == FULL
    assert found.minor == MINOR
    assert found.path.samefile(REAL)
    assert (found.platform, found.machine) == (sys.platform, platform.machine())
    assert found.prefix == Path(sys.base_prefix)
    expected = sysconfig.get_path("purelib", "venv", vars={"base": "/x", "installed_base": "/x"})
    assert f"/x/{found.purelib}" == expected
    assert found.scripts == "bin"


def test_a_virtual_environment_leads_to_what_it_stands_on(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(REAL)
    (tmp_path / "pyvenv.cfg").write_text(f"home = {REAL.parent}\n")
    found = find_python(MINOR, environ(tmp_path / "bin"))
    assert found.path.parent != tmp_path / "bin"
    assert found.path.samefile(REAL)


def test_the_first_folder_wins_and_what_is_wrong_is_passed_over(tmp_path: Path) -> None:
    a, b, c, d = (tmp_path / name for name in "abcd")
    script(a, "python3.11", "echo 'pyenv: python3.11: command not found' >&2; exit 127")  # a shim without a version
    script(a, "python3", answering("3.9.1"))
    script(b, "python3.11", answering("3.11.2", "pypy"))
    script(b, "python", "exit 3")
    script(c, "python3", answering("3.11.4"))
    script(d, "python3.11", answering("3.11.9"))
    where = environ("", "relative", "/no/such/folder", a, a, b, c, d)
    assert find_python("3.11", where).version == "3.11.4"
    assert find_python("3.11.9", where).version == "3.11.9"
    with pytest.raises(EnvironmentFailure) as caught:
        find_python("3.11.5", where)
    problem = caught.value.problems[0]
    assert problem.code == "no-python"
    assert problem.message == "there is no Python 3.11.5 on PATH"
    assert problem.why.splitlines() == [
        f"{a}/python3.11: does not start: pyenv: python3.11: command not found",
        f"{a}/python3: is 3.9.1",
        f"{b}/python3.11: is pypy, not CPython",
        f"{b}/python: does not start (status 3)",
        f"{c}/python3: is 3.11.4",
        f"{d}/python3.11: is 3.11.9",
    ]
    assert "module load python/3.11.5" in problem.hint


def test_a_minor_version_is_no_prefix_of_another(tmp_path: Path) -> None:
    script(tmp_path, "python3", answering("3.10.1"))
    with pytest.raises(EnvironmentFailure):
        find_python("3.1", environ(tmp_path))


@pytest.mark.parametrize("path", ["", "/no/such/folder"])
def test_nothing_on_path(path: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        find_python("3.11", {"PATH": path})
    assert "no folder of PATH has a python3.11" in caught.value.problems[0].why


@pytest.mark.parametrize("said", ["", "hello", "{}", '{"version": "3.11.1"}', "[1]"])
def test_odd_answers(tmp_path: Path, said: str) -> None:
    path = script(tmp_path, "python3", f"echo '{said}'")
    assert probe_python(path, {}) == "does not answer as Python does"


def test_one_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "_PROBE_SECONDS", 0.2)
    assert "gave no answer" in str(
        probe_python(script(tmp_path, "python3", "exec sleep 20"), {"PATH": "/bin:/usr/bin"})
    )


def test_one_that_may_not_be_run(tmp_path: Path) -> None:
    path = tmp_path / "python3"
    path.write_text("")
    assert isinstance(probe_python(path, {}), str)


def test_variables_do_not_mislead(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "json.py").write_text("raise SystemExit('trapped')")
    found = probe_python(REAL, {"PYTHONPATH": str(trap), "PYTHONHOME": "/nowhere", "PATH": "/bin"})
    assert isinstance(found, Interpreter)
    assert without_python_variables({"PYTHONPATH": "a", "__PYVENV_LAUNCHER__": "b", "HOME": "c"}) == {"HOME": "c"}
