"""Projects in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tumpline.errors import InputError, Problem
from tumpline.project import Project
from tumpline.project.read import read_project

Write = Callable[[str], Path]
Read = Callable[[str], Project]
Refuse = Callable[[str], tuple[Problem, ...]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a pyproject.toml and return its folder."""

    def writing(text: str) -> Path:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return writing


@pytest.fixture
def read(write: Write) -> Read:
    """Read a project from the text of its pyproject.toml."""
    return lambda text: read_project(write(text))


@pytest.fixture
def refuse(write: Write) -> Refuse:
    """Return the problems of a project that can not be read; `where` is shortened to the file's name and line."""

    def refusing(text: str) -> tuple[Problem, ...]:
        root = write(text)
        with pytest.raises(InputError) as caught:
            read_project(root)
        for problem in caught.value.problems:
            assert problem.where.startswith(str(root / "pyproject.toml"))
            assert problem.hint
            assert not problem.message.endswith(".")
        return caught.value.problems

    return refusing


def shown(project: Project) -> list[str]:
    """Return the requirements as text, in order."""
    return [str(declared.requirement) for declared in project.requirements]


def line(problem: Problem) -> int:
    """Return the line that a problem names."""
    return int(problem.where.rpartition(":")[2])
