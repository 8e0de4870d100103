"""The project itself in its environment, built by backends that need no network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment.worlds import indexed, lock_of, make_environment, python_says, variables
from tests.wheelmaker import make_wheel
from tumpline.environment.sync import SyncSettings
from tumpline.errors import EnvironmentFailure
from tumpline.project import Project, Settings
from tumpline.values import Name

BACKEND = """\
import base64, hashlib, os, zipfile
def row(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"{{path}},sha256={{digest}},{{len(text)}}\\n"
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    {trouble}
    root = os.path.join(os.getcwd(), "src")
    info = "mine-1.0.dist-info"
    files = {{
        "mine.pth": root + "\\n",
        f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\nRequires-Dist: not-to-be-had\\n",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{{info}}/entry_points.txt": "[console_scripts]\\nmine = mine:main\\n",
    }}
    name = "mine-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        rows = "".join(row(path, text) for path, text in files.items())
        archive.writestr(f"{{info}}/RECORD", rows + f"{{info}}/RECORD,,\\n")
    return name
def build_wheel(*args, **words): raise SystemExit("not this one")
"""


def project_in(root: Path, *, buildable: bool = True, trouble: str = "", requires: tuple[str, ...] = ()) -> Project:
    """A project with a build backend in its own folder; `trouble` is a statement that the backend begins with."""
    (root / "src").mkdir(parents=True)
    (root / "src" / "mine.py").write_text("def main(): print('mine runs')\n")
    (root / "backend.py").write_text(BACKEND.format(trouble=trouble))
    text = '[project]\nname = "mine"\nversion = "1.0"\n'
    if buildable:
        text += f'[build-system]\nrequires = {json.dumps(requires)}\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    (root / "pyproject.toml").write_text(text)
    return Project(root, Name("mine"), "1.0", "", (), Settings(), buildable, "ab" * 32)


def make(tmp_path: Path, project: Project, *, offline: bool = True, **environ: str) -> Path:
    wheels, place = tmp_path / "wheels", tmp_path / "there" / "env"
    make_environment(
        lock_of(indexed(make_wheel(wheels, "alpha", "1"))),
        place,
        wheels,
        project=project,
        settings=SyncSettings(offline=offline, jobs=2),
        environ=variables(**environ),
    )
    return place


def test_editable(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    place = make(tmp_path, project, PIP_TARGET=str(tmp_path / "astray"), PIP_USER="1", PIP_PREFIX=str(tmp_path))
    assert python_says(place, "import mine; print(mine.__file__)") == str(project.root / "src" / "mine.py")
    done = subprocess.run([place / "bin" / "mine"], check=True, capture_output=True, text=True)
    assert done.stdout == "mine runs\n"
    infos = {
        path.parent.name: json.loads(path.read_text()) for path in place.glob("lib/*/site-packages/*/direct_url.json")
    }
    assert infos == {"mine-1.0.dist-info": {"dir_info": {"editable": True}, "url": project.root.as_uri()}}
    assert not list(place.glob("lib/*/site-packages/__pycache__"))
    assert not (tmp_path / "astray").exists()


def test_a_change_of_the_project_table_is_taken_up(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project")
    first = make(tmp_path, project).resolve()
    assert make(tmp_path, project).resolve() == first
    with (project.root / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    assert make(tmp_path, project).resolve() != first


def test_a_failing_build_leaves_nothing(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", trouble='raise SystemExit("the compiler is missing")')
    with pytest.raises(EnvironmentFailure) as caught:
        make(tmp_path, project, offline=False, PIP_NO_INDEX="1")
    problem = caught.value.problems[0]
    assert problem.code == "project-build-failed"
    assert "the compiler is missing" in problem.why
    assert "try it by hand" in problem.hint
    assert list((tmp_path / "there").iterdir()) == []


@pytest.mark.parametrize("links", ["", "http://127.0.0.1:9/links", "file:///nowhere https://127.0.0.1:9/x"])
def test_a_backend_that_is_not_at_hand_offline(tmp_path: Path, links: str) -> None:
    project = project_in(tmp_path / "project", requires=("backend-to-fetch>=1",))
    with pytest.raises(EnvironmentFailure) as caught:
        make(tmp_path, project, PIP_FIND_LINKS=links, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    problem = caught.value.problems[0]
    assert problem.code == "project-build-failed"
    assert "backend-to-fetch>=1" in problem.message
    assert "--offline" in problem.hint
    assert "127.0.0.1" not in problem.why


def test_a_backend_from_a_local_folder_offline(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    make_wheel(tools, "helper", "1")
    project = project_in(tmp_path / "project", requires=("helper",), trouble="import helper")
    place = make(tmp_path, project, PIP_FIND_LINKS=str(tools))
    assert python_says(place, "import mine; print('yes')") == "yes"


@pytest.mark.parametrize("said", ["No space left on device", "Disk quota exceeded"])
def test_a_disk_that_the_build_fills(tmp_path: Path, said: str) -> None:
    project = project_in(tmp_path / "project", trouble=f'raise OSError("{said}")')
    with pytest.raises(EnvironmentFailure) as caught:
        make(tmp_path, project)
    assert caught.value.code == "disk-full"


def test_the_interpreter_is_that_of_the_environment(tmp_path: Path) -> None:
    project = project_in(tmp_path / "project", trouble="import sys; print(sys.version_info)")
    place = make(tmp_path, project)
    assert python_says(place, "import sys; print(sys.version_info[:2])") == str(tuple(sys.version_info[:2]))
