"""Metadata that only a build tells: by backends in the source itself, and by those that most projects use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.addresses.conftest import GitRepository, Reading, variables
from tests.addresses.test_files import sdist, sha256
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index import IndexFile
from tumpline.values import Name

LIB = Name("lib")
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
BACKEND = """\
import os, sys
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    {work}
    info = os.path.join(folder, "lib-{version}.dist-info")
    os.mkdir(info)
    with open(os.path.join(info, "METADATA"), "w") as stream:
        stream.write("Metadata-Version: 2.1\\nName: lib\\nVersion: {version}\\nRequires-Python: >=99\\n"
                     "Provides-Extra: x\\nRequires-Dist: dep\\nRequires-Dist: more; extra == 'x'\\n")
    with open(os.path.join(info, "WHEEL"), "w") as stream:
        stream.write("Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    return os.path.basename(info)
def build_wheel(folder, config_settings=None, metadata_directory=None): raise SystemExit("no wheel is asked for")
"""
BUILT = "dependencies as a build told them on the machine that made the lock"


def source(work: str = "pass", version: str = "1.5") -> dict[str, str]:
    return {"pyproject.toml": PYPROJECT, "backend.py": BACKEND.format(work=work, version=version)}


def test_a_folder(reading: Reading, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    for name, content in source().items():
        (tmp_path / "lib" / name).write_text(content)
    address = (tmp_path / "lib").as_uri()
    with pytest.raises(InputError) as caught:
        reading("other").addressed(LIB, address)
    (problem,) = caught.value.problems
    assert problem.code == "build-not-allowed"
    assert problem.where == "../lib"
    assert "lib = { build = true } under [tool.tumpline.packages]" in problem.hint
    found = reading("lib", offline=True).addressed(LIB, address)
    assert found.metadata.core.version == "1.5"
    assert found.metadata.core.requires_dist == ("dep", "more; extra == 'x'")
    assert (found.metadata.core.requires_python, found.metadata.core.extras) == (">=99", ("x",))
    assert found.metadata.approximate == BUILT


def test_what_was_built_is_kept_in_mind_while_building_is_allowed(
    repository: GitRepository, reading: Reading, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    work = f"open({str(count)!r}, 'a').write('x')"
    repository.commit(source(work))
    reader = reading("lib", offline=True)
    assert reader.addressed(LIB, repository.address).metadata.approximate == BUILT
    found = reading("lib", offline=True).addressed(LIB, repository.address)
    assert count.read_text() == "x"
    assert found.metadata.core.version == "1.5"
    with pytest.raises(InputError) as caught:
        reading().addressed(LIB, repository.address)
    assert caught.value.code == "build-not-allowed"


def test_versions_that_come_from_tags(repository: GitRepository, reading: Reading) -> None:
    """A build sees the history and the tags, which setuptools-scm and its kin read."""
    repository.commit({"x": ""})
    repository.git("tag", "v7")
    work = "import subprocess; version = subprocess.check_output(['git', 'describe', '--tags'], text=True)"
    work += "; assert version.startswith('v7-1-g'), version"
    commit = repository.commit({f"pkg/{name}": content for name, content in source(work, "7.1").items()})
    repository.commit({"pkg/pyproject.toml": "[project]"})
    address = f"{repository.address}@{commit}#subdirectory=pkg"
    assert reading("lib", offline=True).addressed(LIB, address).metadata.core.version == "7.1"


def test_an_sdist_of_an_index(reading: Reading, tmp_path: Path) -> None:
    file = sdist(tmp_path / "links", source())
    found = reading("lib", offline=True).sdist(LIB, IndexFile(file.name, file.as_uri(), sha256=sha256(file)))
    assert (found.core.requires_dist, found.approximate) == (("dep", "more; extra == 'x'"), BUILT)


def test_a_build_that_fails(reading: Reading, root: Path) -> None:
    file = sdist(root, source("raise SystemExit('no compiler here')"))
    with pytest.raises(EnvironmentFailure) as caught:
        reading("lib", offline=True).addressed(LIB, file.as_uri())
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("build-failed", file.name)
    assert "no compiler here" in problem.why
    assert "without --offline" in problem.hint


def test_a_person_s_settings_do_not_send_a_build_astray(reading: Reading, root: Path, tmp_path: Path) -> None:
    work = f"assert {str(tmp_path / 'stray')!r} not in sys.path"
    file = sdist(root, source(work))
    environ = variables(
        PIP_TARGET=str(tmp_path / "astray"),
        PIP_USER="1",
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_NO_DEPS="0",
        PYTHONPATH=str(tmp_path / "stray"),
        TMPDIR=str(tmp_path),
    )
    assert reading("lib", offline=True, environ=environ).addressed(LIB, file.as_uri()).metadata.core.version == "1.5"
    assert not (tmp_path / "astray").exists()


def test_nothing_is_left_behind(reading: Reading, root: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    file = sdist(root, source("import tempfile; tempfile.mkdtemp()"))
    reading("lib", offline=True, environ=variables(TMPDIR=str(scratch))).addressed(LIB, file.as_uri())
    for each in reading.open:
        each.close()
    assert list(scratch.iterdir()) == []
    assert sorted(path.name for path in root.iterdir()) == [file.name]


@pytest.mark.network
@pytest.mark.parametrize(
    ("backend", "files", "version"),
    [
        (
            "hatchling",
            {
                "pyproject.toml": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
                '[project]\nname = "lib"\ndynamic = ["version"]\ndependencies = ["dep"]\n'
                '[tool.hatch.version]\npath = "lib/__init__.py"\n',
                "lib/__init__.py": '__version__ = "2.5"\n',
            },
            "2.5",
        ),
        (
            "setuptools",
            {
                "setup.py": "from setuptools import setup\n"
                "setup(name='lib', version='3.5', install_requires=open('requirements.txt').read().split())\n",
                "requirements.txt": "dep\n",
            },
            "3.5",
        ),
    ],
    ids=["hatchling", "setuptools"],
)
def test_real_backends(reading: Reading, root: Path, backend: str, files: dict[str, str], version: str) -> None:
    environ = variables()
    if not environ.get("PIP_INDEX_URL") and os.environ.get("PIP_NO_INDEX"):
        pytest.skip("pip is told to use no index")
    file = sdist(root, files)
    found = reading("lib", environ=environ).addressed(LIB, file.as_uri())
    assert (found.metadata.core.version, found.metadata.core.requires_dist) == (version, ("dep",))
