"""Files of real projects: each is read, or refused with file, line, reason and remedy."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tumpline.errors import InputError, Problem
from tumpline.project.read import read_project
from tumpline.project.requirements import read_requirements

EXPECTED: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "cases_expected.toml").read_text(encoding="utf-8")
)

pytestmark = pytest.mark.shared


def places(problems: tuple[Problem, ...], file: Path) -> list[list[object]]:
    """Return line and code of problems, each of which must name the file, the reason and the remedy."""
    found: list[list[object]] = []
    for problem in problems:
        name, _, number = problem.where.rpartition(":")
        assert name == str(file)
        assert problem.message
        assert problem.why
        assert problem.hint
        found.append([int(number), problem.code])
    return found


@pytest.mark.parametrize("kind", ["pyproject", "requirements"])
def test_every_file_has_an_expectation(shared: Path, kind: str) -> None:
    assert {file.stem for file in (shared / "cases" / kind).iterdir()} == EXPECTED[kind].keys()


@pytest.mark.parametrize("name", sorted(EXPECTED["pyproject"]))
def test_projects(shared: Path, tmp_path: Path, name: str) -> None:
    expected = EXPECTED["pyproject"][name]
    file = tmp_path / "pyproject.toml"
    shutil.copyfile(shared / "cases" / "pyproject" / f"{name}.toml", file)
    if "refused" in expected:
        with pytest.raises(InputError) as caught:
            read_project(tmp_path)
        assert places(caught.value.problems, file) == expected["refused"]
        return
    project = read_project(tmp_path)
    texts = [str(declared.requirement) for declared in project.requirements]
    assert len(texts) == expected["requirements"]
    assert set(expected.get("holds", ())) <= set(texts)
    assert project.requires_python == expected["python"]
    assert project.notes == ()


@pytest.mark.parametrize("name", sorted(EXPECTED["requirements"]))
def test_requirements(shared: Path, name: str) -> None:
    expected = EXPECTED["requirements"][name]
    file = shared / "cases" / "requirements" / f"{name}.txt"
    found = read_requirements(file)
    texts = [str(declared.requirement) for declared in found.requirements]
    assert places(found.problems, file) == expected.get("refused", [])
    assert len(texts) == expected["requirements"]
    assert set(expected.get("holds", ())) <= set(texts)
    assert not any("computecanada" in text for text in texts)
    assert len(found.local) == expected.get("local", 0)
    assert len(found.options.find_links) == expected.get("find-links", 0)
    codes = [note.code for note in found.notes]
    assert codes.count("site-local-dropped") == expected.get("dropped", 0)
    assert [code for code in codes if code != "site-local-dropped"] == expected.get("notes", [])
    assert all(note.where and note.hint for note in found.notes)
