"""The standard tables: ``[project]``, extras, dependency groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.conftest import Read, Refuse, line, shown
from tumpline.project.read import read_project

WANTS = '[tool.tumpline]\ngroups = ["{}"]\n'


def test_main_dependencies_come_with_origin_and_markers(read: Read) -> None:
    project = read(
        """
[build-system]
requires = ["hatchling"]

[project]
name = "My.Project"
version = "1.0"
requires-python = ">=3.11, <3.14"
dependencies = ["NumPy>=1.26", "tomli ; python_version < '3.11'", "lib @ git+https://example.org/lib@v1", "a[b,c]~=1.2"]
"""
    )
    assert (project.name, project.version, project.requires_python) == ("my-project", "1.0", "<3.14,>=3.11")
    assert project.buildable
    assert [declared.origin for declared in project.requirements] == [f"project.dependencies[{at}]" for at in range(4)]
    assert shown(project) == [
        "NumPy>=1.26",
        'tomli; python_version < "3.11"',
        "lib @ git+https://example.org/lib@v1",
        "a[b,c]~=1.2",
    ]
    assert project.notes == ()


def test_groups_nobody_asked_for_are_not_looked_at(read: Read) -> None:
    project = read('[project]\nname = "x"\noptional-dependencies.a = ["!!"]\n[dependency-groups]\nb = ["??"]')
    assert project.requirements == ()


def test_a_group_includes_others_once(read: Read) -> None:
    project = read(
        WANTS.format("ALL")
        + """
[dependency-groups]
all = [{include-group = "Test_One"}, "ruff", {include-group = "typing"}, {include-group = "test-one"}]
test-one = ["pytest", {include-group = "typing"}]
typing = ["mypy"]
"""
    )
    assert project.name is None
    assert not project.buildable
    assert [(d.group, d.origin) for d in project.requirements] == [
        ("test-one", "dependency-groups.test-one[0]"),
        ("typing", "dependency-groups.typing[0]"),
        ("all", "dependency-groups.all[1]"),
    ]


def test_the_pypi_group_is_included_where_there_is_one(read: Read) -> None:
    assert shown(read('[dependency-groups]\npypi = ["sae-lens"]')) == ["sae-lens"]
    assert shown(read('[project]\nname = "x"\n[project.optional-dependencies]\nPyPI = ["sae-lens"]')) == ["sae-lens"]
    assert shown(read('[dependency-groups]\nother = ["sae-lens"]')) == []


def test_a_name_that_is_group_and_extra_means_both(read: Read) -> None:
    text = '[project]\nname = "x"\noptional-dependencies.dev = ["a"]\n[dependency-groups]\ndev = ["b"]\n'
    assert shown(read(text + WANTS.format("dev"))) == ["b", "a"]


def test_the_old_development_group_of_uv_is_the_group_dev(read: Read) -> None:
    text = '[tool.uv]\ndev-dependencies = ["a"]\n' + WANTS.format("dev")
    assert shown(read(text)) == ["a"]
    assert shown(read(text + '[dependency-groups]\ndev = ["b"]')) == ["b", "a"]


@pytest.mark.parametrize(
    ("groups", "code", "number", "message", "hint"),
    [
        ('dev = [{include-group = "dev"}]', "group-cycle", 2, "dev[0] includes dev", "remove"),
        (
            'dev = [{include-group = "b"}]\nb = ["x", {include-group = "dev"}]',
            "group-cycle",
            3,
            "b[1] includes dev, which includes this group in turn",
            "remove",
        ),
        ('dev = [{include-group = "tets"}]\ntest = []', "unknown-group", 2, "includes 'tets'", "mean test?"),
        ("dev = [{include-group = 1}]", "wrong-type", 2, "include-group is a number", "string"),
        ('dev = ["a", {other = "x"}]', "wrong-type", 2, "dev[1] is neither", "PEP 735"),
        ("dev = [1]", "wrong-type", 2, "dev[0] is neither", "PEP 735"),
        ('dev = "pytest"', "wrong-type", 2, "dev is a string", "array"),
        ('dev = []\nDEV = ["x"]', "ambiguous-group", 3, "dev, DEV all mean dev", "rename"),
        ('dve = ["x"]', "unknown-group", 4, "groups[0] is 'dev'", "mean dve?"),
    ],
)
def test_mistakes_in_groups(refuse: Refuse, groups: str, code: str, number: int, message: str, hint: str) -> None:
    problems = refuse(f"[dependency-groups]\n{groups}\n{WANTS.format('dev')}")
    assert [problem.code for problem in problems] == [code]
    assert line(problems[0]) == number
    assert message in problems[0].message
    assert hint in problems[0].hint


def test_an_extra_may_ask_for_the_project_itself(read: Read) -> None:
    project = read(
        WANTS.format("all")
        + """
[project]
name = "My-Lab"
dependencies = ["my_lab", "my.lab[plot]"]
[project.optional-dependencies]
all = ["my-lab[plot,gpu]; python_version >= '3.12'", "extra"]
Plot = ["matplotlib", "my-lab[gpu]"]
gpu = ["cupy>=13 ; sys_platform == 'linux'", "my-lab[plot]"]
"""
    )
    assert [(declared.group, str(declared.requirement)) for declared in project.requirements] == [
        ("plot", "matplotlib"),
        ("gpu", 'cupy>=13; sys_platform == "linux"'),
        ("gpu", 'cupy>=13; sys_platform == "linux" and python_version >= "3.12"'),
        ("plot", 'matplotlib; python_version >= "3.12"'),
        ("all", "extra"),
    ]


def test_an_unknown_extra_of_the_project_itself_is_refused(refuse: Refuse) -> None:
    problems = refuse('[project]\nname = "lab"\ndependencies = ["a", "lab[plots]"]\noptional-dependencies.plot = []')
    assert [(p.code, line(p), p.hint) for p in problems] == [("unknown-extra", 3, "did you mean plot?")]


@pytest.mark.parametrize(
    ("text", "code", "message", "hint"),
    [
        ('[project]\nversion = "1"', "missing-key", "project has no name", "name ="),
        ('[project]\nname = "a b"', "bad-value", "project.name is 'a b'", "letters"),
        ("[project]\nname = 5", "wrong-type", "project.name is a number (5)", "string"),
        ('project = "x"', "wrong-type", "project is a string, not a table", "table"),
        ('[project]\nname = "x"\ndependencies = "numpy"', "wrong-type", "dependencies is a string", "array"),
        ('[project]\nname = "x"\ndependencies = [["numpy"]]', "wrong-type", "dependencies[0] is an array", "string"),
        (
            '[project]\nname = "x"\nrequires-python = "3.11"',
            "bad-requires-python",
            "is '3.11'",
            '">=3.11" or "==3.11.*"',
        ),
        (
            '[project]\nname = "x"\nrequires-python = ">=' + "9" * 5000 + '"',
            "bad-requires-python",
            "is '>=999",
            ">=3.11",
        ),
        ('[project]\nname = "x"\nrequires-python = "^3.11"', "bad-requires-python", "is '^3.11'", ">=3.11"),
        ('[project]\nname = "x"\nversion = 1.0', "wrong-type", "version is a number (1.0)", "string"),
        ('[project]\nname = "x"\ndependencies = ["a=1"]', "bad-requirement", "dependencies[0]: 'a=1' is not", "a==1"),
        (
            '[project]\nname = "x"\ndependencies = ["a @ nowhere"]',
            "bad-address",
            "'nowhere' is not an address",
            "full address",
        ),
        (
            '[project]\nname = "x"\ndependencies = ["a @ git+ext::sh%20x"]',
            "bad-address",
            "'git+ext::sh%20x' is not an address",
            "git+https",
        ),
        (
            '[project]\nname = "x"\ndependencies = ["a ; ' + "(" * 3500 + '"]',
            "bad-requirement",
            "is not a requirement",
            "write NAME",
        ),
        ('[project]\nname = "x"\ndependencies = ["' + "a" * 6_000 + '"]', "bad-requirement", "is not a", "right file"),
    ],
)
def test_mistakes_in_the_project_table(refuse: Refuse, text: str, code: str, message: str, hint: str) -> None:
    problems = refuse(text)
    assert [problem.code for problem in problems] == [code]
    assert message in problems[0].message
    assert hint in problems[0].hint


def test_messages_hold_no_control_characters(refuse: Refuse) -> None:
    problems = refuse('[project]\nname = "x"\ndependencies = ["\\u001b[31mred\\u0007"]\n"\\u001b" = 1')
    assert all(character.isprintable() for problem in problems for character in problem.message + problem.why)


def test_site_local_versions_are_read_as_public_ones_and_noted(read: Read) -> None:
    project = read(
        """
[project]
name = "x"
dependencies = [
  "numpy==1.26.4+computecanada",
  "scipy>=1.10+computecanada,<2",
  "torchvision==0.24.0+torch29.computecanada",
  "torch==2.8.0+cu118",
  "x1 @ https://example.org/x1-1.0+computecanada.zip",
]
"""
    )
    assert shown(project) == [
        "numpy==1.26.4",
        "scipy<2,>=1.10",
        "torchvision==0.24.0",
        "torch==2.8.0+cu118",
        "x1 @ https://example.org/x1-1.0+computecanada.zip",
    ]
    assert [(note.code, line(note)) for note in project.notes] == [("site-local-dropped", at) for at in (5, 6, 7)]
    assert "1.26.4+computecanada, which is read as 1.26.4" in project.notes[0].message
    assert "torch29" in project.notes[2].hint


def test_a_relative_path_counts_from_the_project_and_holds_in_every_checkout(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\ndependencies = ["lib[a] @ ../my-lib ; os_name == \'nt\'", "b @ ./vendor/b-1.zip"]'
    projects = []
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
        projects.append(read_project(tmp_path / name))
    assert shown(projects[0]) == [
        f'lib[a] @ {(tmp_path / "my-lib").as_uri()} ; os_name == "nt"',
        f"b @ {(tmp_path / 'one' / 'vendor' / 'b-1.zip').as_uri()}",
    ]
    assert projects[0].inputs == projects[1].inputs
