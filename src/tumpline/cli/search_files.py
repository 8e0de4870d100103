"""What requirements files and projects ask for, as things to search for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tumpline.catalogue.query import Ask
from tumpline.errors import InputError
from tumpline.project import Declared
from tumpline.values import normalise

__all__ = ["read_asks"]


def read_asks(path: Path) -> tuple[Ask, ...]:
    """Return what a file asks for, each once: ``pyproject.toml`` as a project, anything else as a requirements file.

    Raises InputError with all that can not be read in it, and ``nothing-asked`` for a file that asks for nothing.
    """
    if path.name == "pyproject.toml":
        from tumpline.project.read import read_project

        declared = read_project(path.parent).requirements
    else:
        from tumpline.project.requirements import read_requirements

        declared = read_requirements(path, strict=True).requirements
    asks = tuple(dict.fromkeys(_asks(declared)))
    if not asks:
        raise InputError.of(
            "nothing-asked", "the file asks for no package", where=str(path), hint="check that it is the right file"
        )
    return asks


def _asks(declared: tuple[Declared, ...]) -> Iterator[Ask]:
    for each in declared:
        requirement = each.requirement
        # What has an address is looked for by name: perhaps it need not have one here.
        yield Ask(str(requirement), normalise(requirement.name), str(requirement.specifier))
