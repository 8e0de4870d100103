"""What a folder has of requirements when a project is made of it: which files are taken over, and as which group."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tumpline.cli.import_making import read_list
from tumpline.project.foreign import Foreign
from tumpline.values import Name

__all__ = ["Lists", "find_lists", "names_in"]

_MAIN = ("requirements.txt", "environment.yml", "environment.yaml")
_OTHERS = "requirements*.txt"
_GROUP = re.compile(r"requirements[-_.](?P<group>dev|tests?|docs?|lint|typing)\.txt", re.IGNORECASE)
"""Files that are for those who work on a project: each becomes the group of that name."""


class Lists(NamedTuple):
    """The lists that are taken over, read, and the names of files that look like others, which are not."""

    taken: tuple[Foreign, ...] = ()
    left: tuple[str, ...] = ()


def find_lists(root: Path, named: Sequence[Path]) -> Lists:
    """Read the lists that are `named`; where none is, those in the folder whose names say what they are.

    These are ``requirements.txt`` and ``environment.yml`` for the main dependencies, and such as
    ``requirements-dev.txt`` for a group. A single file of requirements is the main one, whatever its name. Raises what
    `read_list` raises.
    """
    if named:
        return Lists(tuple(map(read_list, named)))
    main = [root / name for name in _MAIN if (root / name).is_file()]
    others = sorted(path for path in root.glob(_OTHERS) if path not in main and path.is_file())
    if not main and len(others) == 1:
        main, others = others, []
    groups = {path: place["group"].lower() for path in others if (place := _GROUP.fullmatch(path.name)) is not None}
    taken = [*map(read_list, main), *(_in_group(read_list(path), group) for path, group in groups.items())]
    return Lists(tuple(taken), tuple(path.name for path in others if path not in groups))


def names_in(lists: Sequence[Foreign]) -> Iterator[Name]:
    """Yield the names of packages in lists."""
    for found in lists:
        for row in found.rows:
            if row.name is not None and row.kind == "package":
                yield row.name


def _in_group(found: Foreign, group: str) -> Foreign:
    return replace(found, rows=tuple(replace(row, group=row.group or group) for row in found.rows))
