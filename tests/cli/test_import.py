"""``tumpline import`` as a person calls it: the project file, the account, and what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.test_add_modules import module
from tests.cli.world import MINOR, World
from tests.wheelmaker import make_wheel

PROJECT = f"""\
# A project. Every comment stays.
[project]
name = "toy-project"
version = "0.1"
dependencies = [
    "alpha",  # the first
]

[tool.tumpline.targets.lake]
site = "lake"
python = "{MINOR}"

[tool.tumpline.targets.laptop]
site = "here"
python = "{MINOR}"
"""

NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight")


@pytest.fixture
def shore(world: World) -> World:
    """A world whose wheelhouse has a chain of packages, and whose modules bring pyarrow and a stack."""
    profile = world.sites / "lake.toml"
    head, _, rest = profile.read_text().partition('cpu-levels = ["x86-64-v3"]\n')
    profile.write_text(f'{head}cpu-levels = ["x86-64-v3"]\nmodule-tables = ["modules.toml"]\n{rest}')
    with profile.open("a") as stream:
        stream.write('\n[dummies]\npyarrow = "arrow"\n')
    (world.sites / "modules.toml").write_text(
        module("arrow", "15.0.1", "pyarrow")
        + module("arrow", "17.0.0", "pyarrow")
        + module("scipy-stack", "2026", "ipython")
    )
    for name, needed in zip(NAMES, (*NAMES[1:], None), strict=True):
        make_wheel(world.layer, name, "1.5.2+computecanada", requires=[needed] if needed else [])
    world.pyproject.write_text(PROJECT)
    world.run("catalogue", "scan", "lake").ok()
    return world


def write(world: World, text: str, name: str = "old.txt") -> str:
    (world.project / name).write_text(text)
    return name


FREEZE = "".join(f"{name}==1.5.2+computecanada\n" for name in sorted(NAMES)) + (
    "ipython @ file:///tmp/ebuser/avx2/scipystack/2026/x/ipython-1.0\n"
    "pyarrow @ file:///tmp/ebuser/avx2/Arrow/15.0.1/x/python\n"
)


def test_a_freeze_becomes_a_project(shore: World) -> None:
    done = shore.run("import", write(shore, FREEZE)).ok()
    assert done.out == "one~=1.5.2\npyarrow~=15.0.1\n"
    assert "10 lines: 2 kept, 7 transitive, 1 padding\n" in done.err
    assert "pyarrow~=15.0.1  (old.txt:10): arrow/15.0.1 on lake\n" in done.err
    assert "the module scipy-stack/2026 had brought it: ipython\n" in done.err
    assert shore.pyproject.read_text() == PROJECT.replace(
        '    "alpha",  # the first\n', '    "alpha",  # the first\n    "one~=1.5.2",\n    "pyarrow~=15.0.1",\n'
    ).replace(
        f'site = "lake"\npython = "{MINOR}"\n', f'site = "lake"\npython = "{MINOR}"\nmodules = ["arrow/15.0.1"]\n'
    )
    again = shore.run("import", "old.txt").ok()
    assert again.out == ""
    assert "asked for already (2)\n  one, pyarrow\n" in again.err
    assert "nothing was written" in again.err


def test_all_keeps_the_versions_of_the_rest(shore: World) -> None:
    shore.run("import", write(shore, FREEZE), "--all", "--pins", "exact").ok()
    text = shore.pyproject.read_text()
    assert '    "one==1.5.2",\n    "pyarrow==15.0.1",\n' in text
    assert "constraints = [\n" in text
    for name in NAMES[1:]:
        assert f'"{name}==1.5.2",\n' in text
    assert "computecanada" not in text


def test_dry_run_and_json(shore: World) -> None:
    name = write(shore, "alpha==1.0+computecanada\nbeta-1.0+computecanada\n-f /x\n-r more.txt\n><\n")
    done = shore.run("import", name, "--dry-run", "--json")
    assert done.status == 1
    data = done.data
    assert (data["schema"], data["written"]) == ("tumpline.import/1", False)
    (file,) = data["files"]
    assert (file["form"], file["made-by"]) == ("requirements", "person")
    assert file["counts"] == {"kept": 1, "present": 1, "option": 1, "refused": 2}
    assert [(row["origin"], row["verdict"]) for row in file["rows"]] == [
        ("old.txt:1", "present"),
        ("old.txt:2", "kept"),
        ("old.txt:3", "option"),
        ("old.txt:4", "refused"),
        ("old.txt:5", "refused"),
    ]
    assert data["requirements"] == [{"requirement": "beta~=1.0.0", "origin": "old.txt:2", "group": None, "modules": {}}]
    assert [problem["code"] for problem in data["problems"]] == ["missing-file", "bad-requirement"]
    assert shore.pyproject.read_text() == PROJECT


def test_what_can_be_read_is_taken_and_the_rest_is_told(shore: World) -> None:
    done = shore.run("import", write(shore, "beta\n><\n"))
    assert done.status == 1
    assert "error[bad-requirement]: old.txt:2: " in done.err
    assert '    "beta",\n' in shore.pyproject.read_text()


def test_a_file_that_is_not_read_to_its_end_is_not_taken(shore: World) -> None:
    done = shore.run("import", write(shore, "beta\n" + "><\n" * 200))
    assert done.status == 1
    assert "nothing was written, since not every line was read" in done.err
    assert shore.pyproject.read_text() == PROJECT


def test_needs_come_with_extras_and_from_the_nearest_version(shore: World) -> None:
    make_wheel(shore.layer, "host", "0.5+computecanada")
    make_wheel(shore.layer, "host", "1.0+computecanada", requires=["guest[plus]", "before"])
    make_wheel(shore.layer, "host", "2.0+computecanada", requires=["after"])
    make_wheel(shore.layer, "guest", "1.0+computecanada", requires=["helper ; extra == 'plus'"], extras=["plus"])
    for name in ("helper", "before", "after"):
        make_wheel(shore.layer, name, "1.0+computecanada")
    shore.run("catalogue", "scan", "lake").ok()
    freeze = "after==1.0\nbefore==1.0\nguest==1.0\nhelper==1.0\nhost==1.5\n"
    done = shore.run("import", write(shore, freeze), "--as", "freeze", "--dry-run").ok()
    assert done.out == "after~=1.0.0\nhost~=1.5.0\n"


def test_groups_of_other_tools_stay_groups(shore: World) -> None:
    write(
        shore,
        '[[package]]\nname = "toy-project"\nsource = { editable = "." }\ndependencies = [{ name = "beta" }]\n'
        '[package.dev-dependencies]\ndev = [{ name = "gamma" }]\n'
        '[[package]]\nname = "beta"\nversion = "1.0"\nsource = { registry = "x" }\n'
        '[[package]]\nname = "gamma"\nversion = "1.0"\nsource = { registry = "x" }\n',
        "uv.lock",
    )
    shore.run("import", "uv.lock").ok()
    text = shore.pyproject.read_text()
    assert '"beta~=1.0.0",\n' in text
    assert '[dependency-groups]\ndev = [\n    "gamma~=1.0.0",\n]' in text


def test_several_files(shore: World) -> None:
    write(shore, "beta\none==1.5.2\n", "a.txt")
    write(shore, "Beta\ngamma\n", "b.txt")
    done = shore.run("import", "a.txt", "b.txt").ok()
    assert done.out == "beta\none~=1.5.2\ngamma\n"
    assert "asked for already (1)" in done.err


def test_poetry_gets_its_own_spelling(shore: World) -> None:
    shore.pyproject.write_text('[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]\npython = "^3.11"\n')
    shore.run("import", write(shore, "beta==1.0.3+computecanada\ngamma>=1,<2\n")).ok()
    assert shore.pyproject.read_text().endswith('python = "^3.11"\nbeta = "~1.0.3"\ngamma = ">=1,<2"\n')


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_mark_stay(shore: World, mark: str) -> None:
    text = mark + PROJECT.replace("\n", "\r\n")
    shore.pyproject.write_bytes(text.encode())
    shore.run("import", write(shore, "beta\n")).ok()
    added = text.replace("# the first\r\n", '# the first\r\n    "beta",\r\n')
    assert shore.pyproject.read_bytes() == added.encode()


def test_without_a_project(shore: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "old.txt").write_text("beta==1.0+computecanada\n")
    shore.run("import", "old.txt", cwd=elsewhere).refuses("no-project", 2)
    done = shore.run("import", "old.txt", "--dry-run", "--offline", cwd=elsewhere).ok()
    assert done.out == "beta~=1.0.0\n"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("gone.txt", None, "missing-file"),
        ("pyproject.toml", None, "not-a-list"),
        ("many.txt", "".join(f"p{number}\n" for number in range(3001)), "too-many-packages"),
        ("empty.txt", "\n", "empty-list"),
        ("environment.yml", "dependencies:\n  - *x\n", "bad-yaml"),
    ],
)
def test_what_is_refused(shore: World, name: str, text: str | None, code: str) -> None:
    if text is not None:
        write(shore, text, name)
    shore.run("import", name).refuses(code, 2)
    assert shore.pyproject.read_text() == PROJECT


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everywhere")
def test_a_project_that_can_not_be_written(shore: World) -> None:
    write(shore, "beta\n")
    shore.project.chmod(0o500)
    try:
        shore.run("import", "old.txt").refuses("cannot-write", 4)
    finally:
        shore.project.chmod(0o700)
