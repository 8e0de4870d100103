"""How a site's wheels differ in their requirements from the index's, as far as it is known (R7)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from packaging.requirements import InvalidRequirement

from tumpline.values import Name, normalise, parse_requirement

__all__ = ["Rewrite", "apply_rewrites", "rewrite_of"]

_NVIDIA = re.compile(r"nvidia-[a-z0-9-]*-cu\d+")
"""NVIDIA's own wheels are taken out of all requirements: the site's CUDA modules stand for them (facts 2.5)."""


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
    replaced = {normalise(parse_requirement(line).name): line for line in rewrite.replace}
    renamed = dict(rewrite.rename)
    kept: list[str] = []
    for line in requires_dist:
        try:
            other = normalise(parse_requirement(line).name)
        except InvalidRequirement:
            kept.append(line)
            continue
        if other in rewrite.remove or _NVIDIA.fullmatch(other):
            continue
        # As the wheel builder does it, markers and extras of a changed requirement are lost.
        kept.append(replaced.get(other) or renamed.get(other) or line)
    return (*kept, *rewrite.add)


def rewrite_of(name: Name) -> Rewrite:
    """Return what is known of a project's changed requirements; empty for most."""
    return _table().get(name, Rewrite())


@cache
def _table() -> dict[Name, Rewrite]:
    text = files("tumpline.sites").joinpath("data", "alliance-rewrites.toml").read_text("utf-8")
    return {
        normalise(name): Rewrite(
            replace=tuple(row.get("set", ())),
            rename=tuple((normalise(old), new) for old, new in row.get("rename", {}).items()),
            add=tuple(row.get("add", ())),
            remove=tuple(normalise(old) for old in row.get("remove", ())),
        )
        for name, row in tomllib.loads(text).items()
    }
