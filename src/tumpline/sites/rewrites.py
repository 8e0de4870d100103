"""How a site's wheels differ in their requirements from the index's, as far as it is known (R7)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement

from tumpline.sites.companions import is_cuda_library
from tumpline.values import Name, normalise, parse_requirement

__all__ = ["Rewrite", "apply_rewrites", "rewrite_of"]

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
"""What a requirement begins with (dependency specifiers specification, "Names")."""

_IN_WHEELHOUSE = frozenset({"nvidia-cuest-cu12", "nvidia-nvcomp-cu12", "nvidia-nvimgcodec-cu12"})
"""NVIDIA's wheels of CUDA that the wheelhouse has all the same (public lists of May 2026)."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The changes to one project: `rename` maps a name to the requirement that stands there instead."""

    replace: tuple[str, ...] = ()
    rename: tuple[tuple[Name, str], ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[Name, ...] = ()


def apply_rewrites(name: Name, requires_dist: tuple[str, ...]) -> tuple[str, ...]:
    """Return the requirements of a project's wheel as the Alliance's wheel builder would have left them.

    `requires_dist` are PEP 508 lines of the index; lines that can not be read are kept as they are.
    """
    rewrite = rewrite_of(name)
    instead: dict[Name, str | None] = dict(rewrite.rename)
    instead |= {normalise(parse_requirement(line).name): line for line in rewrite.replace}
    instead |= dict.fromkeys(rewrite.remove)
    kept: list[str] = []
    for line in requires_dist:
        # Only a line that is to be changed is parsed: parsing all would take a third of the time of a resolution.
        start = _NAME.match(line)
        other = normalise(start[1]) if start else None
        if other is None or not (other in instead or _is_cuda(other)) or not _is_readable(line):
            kept.append(line)
        # As the wheel builder does it, markers and extras of a changed requirement are lost.
        elif not _is_cuda(other) and (new := instead[other]) is not None:
            kept.append(new)
    return (*kept, *rewrite.add)


def _is_cuda(name: Name) -> bool:
    return is_cuda_library(name) and name not in _IN_WHEELHOUSE


def _is_readable(line: str) -> bool:
    try:
        parse_requirement(line)
    except InvalidRequirement:
        return False
    return True


def rewrite_of(name: Name) -> Rewrite:
    """Return what is known of a project's changed requirements; empty for most."""
    return _table().get(name, Rewrite())


@cache
def _table() -> dict[Name, Rewrite]:
    text = Path(__file__).with_name("data").joinpath("alliance-rewrites.toml").read_text("utf-8")
    return {
        normalise(name): Rewrite(
            replace=tuple(row.get("set", ())),
            rename=tuple((normalise(old), new) for old, new in row.get("rename", {}).items()),
            add=tuple(row.get("add", ())),
            remove=tuple(normalise(old) for old in row.get("remove", ())),
        )
        for name, row in tomllib.loads(text).items()
    }
