from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.conftest import Read, Refuse, Write, line, shown
from tumpline.project.read import read_project

HEAD = '[project]\nname = "x"\ndependencies = ["lib[a]>=1 ; python_version > \'3\'"]\n[tool.uv.sources]\n'


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ('{ git = "https://example.org/lib" }', "git+https://example.org/lib"),
        ('{ git = "https://example.org/lib", tag = "v1" }', "git+https://example.org/lib@v1"),
        ('{ git = "https://example.org/lib", branch = "a/b" }', "git+https://example.org/lib@a/b"),
        (
            '{ git = "ssh://git@example.org/lib", rev = "abc", subdirectory = "s" }',
            "git+ssh://git@example.org/lib@abc#subdirectory=s",
        ),
        ('{ git = "git@example.org:me/lib.git" }', "git+ssh://git@example.org/me/lib.git"),
        ('{ url = "https://example.org/lib-1.whl" }', "https://example.org/lib-1.whl"),
        ('{ url = "https://example.org/l.zip", subdirectory = "s" }', "https://example.org/l.zip#subdirectory=s"),
        ('[{ git = "https://example.org/lib" }]', "git+https://example.org/lib"),
    ],
)
def test_git_and_url_become_the_address(read: Read, source: str, address: str) -> None:
    project = read(f"{HEAD}LIB = {source}")
    # What the requirement says of the version holds for what is at the address.
    assert shown(project) == [f'lib[a] @ {address} ; python_version > "3"', 'lib[a]>=1; python_version > "3"']
    assert project.notes == ()


def test_a_path_becomes_a_file_address_and_the_inputs_do_not_depend_on_the_checkout(tmp_path: Path) -> None:
    projects = []
    for name in ("one", "another"):
        root = tmp_path / name
        root.mkdir()
        (root / "pyproject.toml").write_text(f'{HEAD}lib = {{ path = "../my lib/", editable = true }}')
        projects.append(read_project(root))
    assert projects[0].requirements[0].requirement.url == (tmp_path / "my lib").as_uri()
    assert projects[0].inputs == projects[1].inputs
    (tmp_path / "one" / "pyproject.toml").write_text(f'{HEAD}lib = {{ path = "../other" }}')
    assert read_project(tmp_path / "one").inputs != projects[1].inputs


def test_an_index_is_noted(read: Read) -> None:
    project = read(f'{HEAD}lib = [{{ index = "cpu", marker = "os_name == \'nt\'" }}, {{ index = "gpu" }}]')
    assert shown(project) == ['lib[a]>=1; python_version > "3"']
    assert [note.code for note in project.notes] == ["index-not-followed"] * 2


def test_a_source_for_one_extra_or_group_holds_there_only(read: Read) -> None:
    project = read(
        """
[project]
name = "x"
dependencies = ["lib"]
optional-dependencies.gpu = ["lib"]
[tool.tumpline]
groups = ["gpu"]
[tool.uv.sources]
lib = { git = "https://example.org/lib", extra = "GPU" }
"""
    )
    assert shown(project) == ["lib", "lib @ git+https://example.org/lib"]


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("{ workspace = true }", "bad-source", "a member of a uv workspace"),
        ('{ url = "<URL>" }', "bad-address", "'<URL>' is not an address"),
        ('{ url = "https://example.org/a b" }', "bad-address", "is not an address"),
        ('{ git = "ext::sh -c x" }', "bad-source", "not the address of a Git repository"),
        ('{ git = "https://example.org/lib", rev = "--upload-pack=x" }', "bad-source", "is not a revision"),
        ('{ git = "https://example.org/lib", rev = "a", tag = "b" }', "bad-source", "more than one revision"),
        ('{ git = "https://example.org/lib", path = "x" }', "bad-source", "must have one of"),
        ("{ editable = true }", "bad-source", "must have one of"),
        ('{ git = "https://example.org/lib", marker = "os_name == \'nt\'" }', "bad-source", "some machines only"),
        ('{ gti = "https://example.org/lib", index = "x" }', "unknown-key", "lib.gti is not a known key"),
        ("{ git = 1 }", "wrong-type", "lib.git is a number"),
        ('"https://example.org"', "wrong-type", "lib is a string, not a table"),
    ],
)
def test_what_can_not_be_said_is_refused(refuse: Refuse, source: str, code: str, message: str) -> None:
    problems = refuse(f"{HEAD}lib = {source}")
    assert [(problem.code, line(problem)) for problem in problems] == [(code, 5)]
    assert message in problems[0].message


def test_two_addresses_for_one_requirement_are_refused(write: Write, refuse: Refuse) -> None:
    text = '[project]\nname = "x"\ndependencies = ["lib @ https://a.example/l.zip"]\n[tool.uv.sources]\n'
    problems = refuse(text + 'lib = { url = "https://b.example/l.zip" }')
    assert "has an address already" in problems[0].message
