"""What the replica holds, read from ``data/contents.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tumpline.values import normalise

__all__ = [
    "DATA",
    "LAYERS",
    "LOCAL_TAG",
    "SUPPORTED",
    "Choice",
    "Contents",
    "DummyFamily",
    "Module",
    "Rewrite",
    "contents",
]

DATA = Path(__file__).resolve().parent / "data"
LOCAL_TAG = "computecanada"
LAYERS = ("gentoo2023/x86-64-v3", "gentoo2023/generic", "generic")
"""The layers in the order of the site's pip configuration, best first."""
SUPPORTED = ("3.11", "3.12", "3.13", "3.14")
"""The Python minor versions that the chosen wheels exist for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One version of one project: `spelling` is the name in the file name, `round` its place among the chosen versions.

    No two choices of a round are of one project, so that one call of pip can fetch a round.
    """

    spelling: str
    version: str
    layer: str
    round: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """How the METADATA of one wheel differs from the index's: requirements replaced (or added), and names removed."""

    spelling: str
    version: str
    update: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DummyFamily:
    """Dummy wheels that stand for one module; each requires `refuses`, an sdist that can not be built."""

    names: tuple[str, ...]
    refuses: str
    module: str
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the replica: `provides` are (name, version) pairs, `pythons` minor versions."""

    name: str
    version: str
    provides: tuple[tuple[str, str], ...]
    pythons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """The whole of ``contents.toml``."""

    choices: tuple[Choice, ...]
    rewrites: tuple[Rewrite, ...]
    dummies: tuple[DummyFamily, ...]
    modules: tuple[Module, ...]

    def rewrite(self, choice: Choice) -> Rewrite | None:
        """Return how the requirements of a chosen wheel are changed, or None."""
        wanted = (normalise(choice.spelling), choice.version)
        return next((row for row in self.rewrites if (normalise(row.spelling), row.version) == wanted), None)


@cache
def contents() -> Contents:
    """Read the data file; it is part of this package, so a mistake in it is a programming error."""
    table = tomllib.loads((DATA / "contents.toml").read_text(encoding="utf-8"))
    missing = {(row["wheel"], row["version"]): tuple(row["pythons"]) for row in table["missing"]}
    return Contents(
        choices=tuple(
            Choice(spelling, version, layer, position, missing.get((spelling, version), ()))
            for layer in LAYERS
            for spelling, versions in table["wheels"][layer].items()
            for position, version in enumerate(versions)
        ),
        rewrites=tuple(
            Rewrite(row["wheel"], row["version"], tuple(row.get("update", ())), tuple(row.get("remove", ())))
            for row in table["rewrite"]
        ),
        dummies=tuple(
            DummyFamily(tuple(row["names"]), row["refuses"], row["module"], tuple(row["versions"]))
            for row in table["dummy"]
        ),
        modules=tuple(
            Module(row["name"], row["version"], tuple(row["provides"].items()), tuple(row["pythons"]))
            for row in table["module"]
        ),
    )
