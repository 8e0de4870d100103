"""The project as a whole: files that can not be read, dynamic dependencies, notes, the digest of the inputs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.project.conftest import Read, Refuse, Write, line, shown
from tumpline.errors import InputError
from tumpline.project.read import read_project


@pytest.mark.parametrize(
    ("content", "code", "where", "why"),
    [
        (b"[project\n", "not-toml", ":1", "line 1"),
        (b'[project]\nname = "a"\nname = "b"\n', "not-toml", ":3", "overwrite"),
        (b"a = 1\nb = \xff\n", "not-utf-8", ":2", "0xff"),
        (b"a = " + b"[" * 100_000, "not-toml", "", ""),
        (b"a = " + b"9" * 10_000, "not-toml", "", "digits"),
        (b"#" * (4 * 2**20 + 1), "too-large", "", ""),
    ],
)
def test_a_file_that_can_not_be_read(tmp_path: Path, content: bytes, code: str, where: str, why: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_project(tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.where == f"{tmp_path / 'pyproject.toml'}{where}"
    assert why in problem.why
    assert problem.hint


def test_no_file_a_folder_and_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no pyproject") as caught:
        read_project(tmp_path)
    assert caught.value.code == "no-pyproject"
    os.mkfifo(tmp_path / "pyproject.toml")
    with pytest.raises(InputError, match="is not a file"):
        read_project(tmp_path)
    with pytest.raises(InputError) as caught:
        read_project(tmp_path / "pyproject.toml")
    assert caught.value.code == "cannot-read"


def test_a_byte_order_mark_and_windows_line_ends_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'\xef\xbb\xbf[project]\r\nname = "x"\r\ndependencies = ["a"]\r\n')
    assert shown(read_project(tmp_path)) == ["a"]


def test_an_empty_project_asks_for_nothing(read: Read) -> None:
    project = read("")
    assert (project.name, project.version, project.requirements, project.buildable) == (None, "", (), False)
    assert project.notes == ()


def test_all_problems_are_reported_at_once(refuse: Refuse) -> None:
    problems = refuse('[project]\ndependencies = ["a b", "c d"]\nrequires-python = "x"\n[tool.tumpline]\nx = 1')
    assert sorted(problem.code for problem in problems) == [
        "bad-requirement",
        "bad-requirement",
        "bad-requires-python",
        "missing-key",
        "unknown-key",
    ]


def test_thousands_of_problems_are_cut_short(refuse: Refuse) -> None:
    many = ",".join(['"a b"'] * 5000)
    assert len(refuse(f'[project]\nname = "x"\ndependencies = [\n{many}]')) <= 100


DYNAMIC = """[build-system]
requires = []
build-backend = "setuptools.build_meta"
[project]
name = "x"
dynamic = ["version", "{}"]
"""


def test_dynamic_dependencies_are_refused_with_a_way_out(refuse: Refuse) -> None:
    (problem,) = refuse(DYNAMIC.format("dependencies"))
    assert (problem.code, line(problem)) == ("dynamic-dependencies", 6)
    assert "project.dynamic[1] leaves the dependencies to the build" in problem.message
    assert "setuptools.build_meta" in problem.why
    assert "project.dependencies" in problem.hint
    (problem,) = refuse(DYNAMIC.format("optional-dependencies") + '[tool.tumpline]\ngroups = ["dev"]')
    assert problem.code == "dynamic-dependencies"
    assert "project.optional-dependencies.dev" in problem.hint


def test_requirements_files_of_setuptools_are_read(write: Write) -> None:
    root = write(
        DYNAMIC.format("dependencies").replace('"version"', '"optional-dependencies"')
        + """
[tool.setuptools.dynamic]
dependencies = { file = ["requirements.txt"] }
optional-dependencies.dev = { file = "dev.txt" }
[tool.tumpline]
groups = ["dev"]
"""
    )
    (root / "requirements.txt").write_text("# main\nnumpy==1.26.4+computecanada\n--no-index\n")
    (root / "dev.txt").write_text("pytest\n")
    project = read_project(root)
    assert [(d.origin, d.group, str(d.requirement)) for d in project.requirements] == [
        ("requirements.txt:2", "", "numpy==1.26.4"),
        ("dev.txt:1", "dev", "pytest"),
    ]
    assert [note.code for note in project.notes] == ["site-local-dropped", "option-not-used"]
    (root / "requirements.txt").write_text("numpy=1.26\n")
    with pytest.raises(InputError) as caught:
        read_project(root)
    assert caught.value.problems[0].where == f"{root / 'requirements.txt'}:1"


@pytest.mark.parametrize("name", ["../secrets.txt", "/etc/passwd"])
def test_requirements_files_outside_of_the_project_are_refused(refuse: Refuse, name: str) -> None:
    text = DYNAMIC.format("dependencies") + f'[tool.setuptools.dynamic]\ndependencies.file = "{name}"'
    assert [problem.code for problem in refuse(text)] == ["bad-value"]


def test_an_unknown_dynamic_extra_is_an_unknown_group(refuse: Refuse) -> None:
    text = DYNAMIC.format("optional-dependencies") + (
        '[tool.setuptools.dynamic.optional-dependencies]\na = { file = "a.txt" }\n[tool.tumpline]\ngroups = ["b"]'
    )
    assert [problem.code for problem in refuse(text)] == ["unknown-group"]


@pytest.mark.parametrize(
    ("text", "buildable"),
    [
        ('[project]\nname = "x"\n[build-system]\nrequires = []', True),
        ('[project]\nname = "x"', False),
        ("[build-system]\nrequires = []", True),
        ('[tool.poetry]\nname = "x"', True),
        ('[tool.poetry]\npackage-mode = false\n[build-system]\nrequires = ["poetry-core"]', False),
        ('[project]\nname = "x"\n[build-system]\nrequires = []\n[tool.uv]\npackage = false', False),
    ],
)
def test_what_can_be_built(read: Read, text: str, buildable: bool) -> None:
    assert read(text).buildable is buildable


def test_requirements_that_only_setup_py_knows_are_noted(write: Write) -> None:
    root = write("[build-system]\nrequires = []")
    (root / "setup.py").write_text("raise SystemExit('never run')")
    assert [note.code for note in read_project(root).notes] == ["dependencies-not-read"]


def test_constraints_of_uv_are_noted(read: Read) -> None:
    project = read('[tool.uv]\nconstraint-dependencies = ["numpy<2"]')
    assert [(note.code, note.message) for note in project.notes] == [
        ("option-not-used", "tool.uv.constraint-dependencies is not followed")
    ]


BASE = """
[project]
name = "x"
version = "1"
requires-python = ">=3.11,<3.14"
dependencies = ["numpy>=1.26,<2", "Torch_Geometric[a,b]==2.6", "tomli ; python_version < '3.11'"]
[dependency-groups]
dev = ["pytest"]
[tool.tumpline]
groups = ["dev"]
[tool.tumpline.targets.a]
site = "narval"
[tool.tumpline.targets.b]
site = "here"
[tool.tumpline.packages]
numpy = { source = "pypi" }
torch = { build = true }
"""

SAME = [
    ("comments", "[project]", "# hello\n[project] # there"),
    (
        "order of requirements",
        '"numpy>=1.26,<2", "Torch_Geometric[a,b]==2.6"',
        '"torch-geometric[b,a] == 2.6", "NumPy<2, >=1.26"',
    ),
    ("quotes of a marker", "python_version < '3.11'", 'python_version < \\"3.11\\"'),
    ("order of specifiers", ">=3.11,<3.14", "<3.14, >=3.11"),
    ("a site's spelling", "==2.6", "==2.6+computecanada"),
    ("version of the project", 'version = "1"', 'version = "2"'),
    ("order of keys", 'name = "x"\nversion = "1"', 'version = "1"\nname = "x"'),
    ("a group nobody asked for", "dev = [", 'docs = ["sphinx"]\ndev = ['),
    ("spelling of a group", 'groups = ["dev"]', 'groups = ["DEV", "dev"]'),
    (
        "order of packages",
        'numpy = { source = "pypi" }\ntorch = { build = true }',
        "torch = {build = true}\nnumpy = {source = 'pypi'}",
    ),
    ("a default", "[tool.tumpline]\n", '[tool.tumpline]\npolicy = "mixed"\nparity = "prefer"\n'),
    ("no constraints", "[tool.tumpline]\n", "[tool.tumpline]\nconstraints = []\n"),
    ("what a lock states by itself", "[tool.tumpline]\n", '[tool.tumpline]\nresolution = "lowest"\n'),
]

DIFFERENT = [
    ("a requirement", "numpy>=1.26", "numpy>=1.25"),
    ("a marker", "< '3.11'", "< '3.12'"),
    ("an extra", "[a,b]", "[a]"),
    ("the Pythons", "<3.14", "<3.15"),
    ("the groups", 'groups = ["dev"]', "groups = []"),
    ("a group", '["pytest"]', '["pytest", "ruff"]'),
    ("the policy", "[tool.tumpline]\n", '[tool.tumpline]\npolicy = "pypi"\n'),
    ("parity", "[tool.tumpline]\n", '[tool.tumpline]\nparity = "strict"\n'),
    ("a constraint", "[tool.tumpline]\n", '[tool.tumpline]\nconstraints = ["scipy<2"]\n'),
    ("an override", "[tool.tumpline]\n", '[tool.tumpline]\noverrides = ["scipy<2"]\n'),
    ("a target's policy", 'site = "here"', 'site = "here"\npolicy = "pypi"'),
    ("a target's modules", 'site = "narval"', 'site = "narval"\nmodules = ["arrow/17.0.0"]'),
    ("a package's rule", "build = true", "build = false"),
    (
        "the order of targets",
        '[tool.tumpline.targets.a]\nsite = "narval"\n[tool.tumpline.targets.b]\nsite = "here"',
        '[tool.tumpline.targets.b]\nsite = "here"\n[tool.tumpline.targets.a]\nsite = "narval"',
    ),
]


@pytest.mark.parametrize(("what", "old", "new"), SAME)
def test_the_inputs_do_not_change_with(read: Read, what: str, old: str, new: str) -> None:
    assert old in BASE
    assert read(BASE.replace(old, new)).inputs == read(BASE).inputs, what


@pytest.mark.parametrize(("what", "old", "new"), DIFFERENT)
def test_the_inputs_change_with(read: Read, what: str, old: str, new: str) -> None:
    assert old in BASE
    assert read(BASE.replace(old, new)).inputs != read(BASE).inputs, what
