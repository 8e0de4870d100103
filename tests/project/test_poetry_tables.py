from __future__ import annotations

import pytest

from tests.project.conftest import Read, Refuse, line, shown

HEAD = '[tool.poetry]\nname = "lab"\nversion = "0.1"\n[tool.poetry.dependencies]\npython = "^3.10"\n'
WANTS = '\n[tool.tumpline]\ngroups = ["{}"]\n'

# Each is a value under tool.poetry.dependencies, and the requirement it stands for.
DEPENDENCIES = [
    ('"^1.2"', "a<2.0,>=1.2"),
    ('"*"', "a"),
    ('"1.2.3"', "a==1.2.3"),
    ('{ version = "~2.0", extras = ["y", "x"] }', "a[x,y]<2.1,>=2.0"),
    ('{ version = "*", python = "<3.11" }', 'a; python_version < "3.11"'),
    ('{ version = "*", platform = "linux" }', 'a; sys_platform == "linux"'),
    (
        '{ version = "^1", python = "<3.9 || >=3.11", markers = "os_name == \'nt\'" }',
        'a<2,>=1; (python_version < "3.9" or python_version >= "3.11") and os_name == "nt"',
    ),
    ('{ git = "https://example.org/a.git", branch = "main" }', "a @ git+https://example.org/a.git@main"),
    ('{ git = "git@example.org:me/a.git", tag = "v1" }', "a @ git+ssh://git@example.org/me/a.git@v1"),
    (
        '{ git = "https://example.org/a.git", rev = "ab", subdirectory = "s", develop = true, extras = ["e"] }',
        "a[e] @ git+https://example.org/a.git@ab#subdirectory=s",
    ),
    ('{ url = "https://example.org/a-1.zip" }', "a @ https://example.org/a-1.zip"),
    ('"1.0+computecanada"', "a==1.0"),
    ('">=1.0+torch29.computecanada"', "a>=1.0"),
]


@pytest.mark.parametrize(("value", "requirement"), DEPENDENCIES)
def test_a_dependency_becomes_a_requirement(read: Read, value: str, requirement: str) -> None:
    project = read(f"{HEAD}a = {value}")
    assert shown(project) == [requirement]
    assert project.requirements[0].origin == "tool.poetry.dependencies.a"
    assert [note.code for note in project.notes] == (["site-local-dropped"] if "computecanada" in value else [])


def test_a_dependency_may_be_given_several_times(read: Read) -> None:
    project = read(f'{HEAD}a = [\n {{version = "<2", python = "<3.11"}},\n {{version = "^2", python = ">=3.11"}},\n]')
    assert [(declared.origin, str(declared.requirement)) for declared in project.requirements] == [
        ("tool.poetry.dependencies.a[0]", 'a<2; python_version < "3.11"'),
        ("tool.poetry.dependencies.a[1]", 'a<3,>=2; python_version >= "3.11"'),
    ]


def test_a_path_is_relative_to_the_project(read: Read) -> None:
    project = read(f'{HEAD}a = {{ path = "../a", develop = true }}\nb = {{ file = "b-1.zip" }}')
    first, second = (declared.requirement.url for declared in project.requirements)
    assert first == (project.root.parent / "a").as_uri()
    assert second == (project.root / "b-1.zip").as_uri()


def test_prereleases_and_sources_have_no_word_in_a_requirement(read: Read) -> None:
    plain = read(f'{HEAD}a = "^1"\nb = "*"')
    project = read(f'{HEAD}a = {{ version = "^1", allow-prereleases = true }}\nb = {{ version = "*", source = "cpu" }}')
    assert [declared.requirement.specifier.prereleases for declared in project.requirements] == [True, None]
    assert [note.code for note in project.notes] == ["index-not-followed"]
    assert project.inputs != plain.inputs
    # The parsed requirement is shared between callers: the flag must not stick to it.
    assert read(f'{HEAD}a = "^1"').requirements[0].requirement.specifier.prereleases is None


def test_the_project_itself(read: Read) -> None:
    project = read(f'{HEAD}a = "*"')
    assert (project.name, project.version, project.requires_python) == ("lab", "0.1", "<4.0,>=3.10")
    assert project.buildable
    project = read('[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\nPython = "~3.10.6"\n')
    assert (project.name, project.buildable, project.requires_python) == (None, False, "<3.11.0,>=3.10.6")


def test_optional_dependencies_come_with_their_extra_only(read: Read) -> None:
    text = HEAD + 'a = "*"\nb = { version = "^1", optional = true }\n[tool.poetry.extras]\nGPU = ["B", "a"]\n'
    assert shown(read(text)) == ["a"]
    project = read(text + WANTS.format("gpu"))
    assert [(declared.group, str(declared.requirement)) for declared in project.requirements] == [
        ("", "a"),
        ("gpu", "b<2,>=1"),
        ("gpu", "a"),
    ]


def test_groups_of_both_ages(read: Read) -> None:
    text = (
        HEAD
        + """
[tool.poetry.dev-dependencies]
old = "*"
[tool.poetry.group.Dev]
include-groups = ["test"]
[tool.poetry.group.Dev.dependencies]
new = "^1"
python = "^3.10"
[tool.poetry.group.test.dependencies]
pytest = "*"
"""
    )
    project = read(text + WANTS.format("dev"))
    assert [(declared.group, declared.origin) for declared in project.requirements] == [
        ("dev", "tool.poetry.group.Dev.dependencies.new"),
        ("test", "tool.poetry.group.test.dependencies.pytest"),
        ("dev", "tool.poetry.dev-dependencies.old"),
    ]
    assert shown(read(HEAD + "[tool.poetry.dev-dependencies]\nold = '*'" + WANTS.format("dev"))) == ["old"]


PROJECT = """
[project]
name = "lab"
requires-python = ">=3.10"
dependencies = ["a[x]>=1", "b", "c ; os_name == 'posix'"]
optional-dependencies.gpu = ["d"]
"""


def test_next_to_the_project_table_poetry_adds_to_what_is_listed_there(read: Read) -> None:
    project = read(
        PROJECT
        + """
[tool.poetry.dependencies]
python = "<3.13"
a = { version = "<2", extras = ["ignored"] }
b = { git = "https://example.org/b" }
c = [{ version = "<3", python = "<3.11" }, { version = ">=3", python = ">=3.11" }]
d = { version = "^4", optional = true }
e = "*"
"""
        + WANTS.format("gpu")
    )
    assert project.requires_python == "<3.13,>=3.10"
    assert shown(project) == [
        "a[x]<2,>=1",
        "b @ git+https://example.org/b",
        'c<3; os_name == "posix" and python_version < "3.11"',
        'c>=3; os_name == "posix" and python_version >= "3.11"',
        "d<5,>=4",
    ]
    assert [(note.code, note.message.split()[0]) for note in project.notes] == [
        ("dependency-left-out", "tool.poetry.dependencies.e")
    ]


def test_without_listed_dependencies_poetry_stands_alone(read: Read) -> None:
    text = '[project]\nname = "lab"\ndynamic = ["dependencies"]\n[tool.poetry.dependencies]\na = "^1"\n'
    assert shown(read(text)) == ["a<2,>=1"]


def test_poetry_groups_add_to_dependency_groups(read: Read) -> None:
    text = '[dependency-groups]\ndev = ["a", "b"]\n[tool.poetry.group.dev.dependencies]\na = { path = "../a" }\n'
    project = read(text + WANTS.format("dev"))
    assert [declared.requirement.url for declared in project.requirements] == [
        (project.root.parent / "a").as_uri(),
        None,
    ]


# (text after HEAD, code, line, words of the message)
MISTAKES = [
    ('a = "^x"', "bad-constraint", 6, "dependencies.a: '^x' is not a constraint"),
    ('a = "^1.3 || ^2.1.1"', "constraint-union", 6, "dependencies.a: '^1.3 || ^2.1.1' can not be said"),
    ("a = 1.2", "wrong-type", 6, "dependencies.a is a number (1.2), not a table"),
    ("a = [1]", "wrong-type", 6, "dependencies.a[0] is a number (1)"),
    ("a = {}", "missing-key", 6, "dependencies.a has neither version nor place"),
    ('a = { version = "1", optinal = true }', "unknown-key", 6, "a.optinal is not a known key"),
    ('a = { version = "1", optional = "yes" }', "wrong-type", 6, "a.optional is a string"),
    ('a = { version = "1", markers = "os == 1" }', "bad-requirement", 6, "'os == 1' is not a marker"),
    ('a = { version = "1", python = "^x" }', "bad-constraint", 6, "'^x' is not a constraint"),
    ('a = { version = "1", platform = "a b" }', "bad-constraint", 6, "'a b' is not a constraint"),
    ('a = { version = "1", extras = ["!"] }', "bad-requirement", 6, "a: 'a[!]==1' is not a requirement"),
    ('"a b" = "1"', "bad-requirement", 6, "'a b==1' is not a requirement"),
    ('a = { git = "https://x.example/a", path = "x" }', "bad-source", 6, "git and path exclude one another"),
    ('a = { git = "nowhere" }', "bad-source", 6, "'nowhere' is not the address"),
    ('a = { url = "nowhere" }', "bad-address", 6, "'nowhere' is not an address"),
    ("a = { git = 1 }", "wrong-type", 6, "a.git is a number"),
    ('[tool.poetry.extras]\ngpu = ["b"]' + WANTS.format("gpu"), "unknown-package", 7, "extras.gpu[0] names 'b'"),
    ("[tool.poetry.group.dev]\ninclude-groups = ['dev']" + WANTS.format("dev"), "group-cycle", 7, "includes dev"),
    ("[tool.poetry.group.dev]\ninclude-groups = ['tst']" + WANTS.format("dev"), "unknown-group", 7, "includes 'tst'"),
    ("[tool.poetry.group.dve]" + WANTS.format("dev"), "unknown-group", 8, "groups[0] is 'dev'"),
]


@pytest.mark.parametrize(("text", "code", "number", "message"), MISTAKES)
def test_mistakes(refuse: Refuse, text: str, code: str, number: int, message: str) -> None:
    problems = refuse(HEAD + text)
    assert (problems[0].code, line(problems[0])) == (code, number)
    assert message in problems[0].message


def test_a_bad_python_is_refused(refuse: Refuse) -> None:
    problems = refuse('[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "three"\na = "^"')
    assert [(problem.code, line(problem)) for problem in problems] == [("bad-constraint", 4), ("bad-constraint", 5)]


def test_two_addresses_are_refused(refuse: Refuse) -> None:
    problems = refuse(
        '[project]\nname = "x"\ndependencies = ["a @ https://x.example/a.zip"]\n'
        '[tool.poetry.dependencies]\na = { url = "https://y.example/a.zip" }'
    )
    assert [(problem.code, line(problem)) for problem in problems] == [("bad-source", 5)]
