"""Which wheels an interpreter takes, and which it likes best (PEP 425), and what ``Requires-Python`` admits.

Imports nothing of `packaging`: a search over a catalogue must answer in the time that its import would take.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.tags import Tag

__all__ = ["TagRanking", "admits_some", "fits_python"]

_PATCHES = 100
"""How many patch releases of a minor version are tried; CPython has had at most 20 of one."""

_USUAL = re.compile(r"\s*(?:(>=|<)\s*([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})|!=\s*([0-9]{1,3}\.[0-9]{1,3})\.\*)\s*")
"""The clauses that nearly every ``Requires-Python`` is made of."""


class TagRanking:
    """The tags an interpreter accepts, best first.

    A compressed tag set such as ``py2.py3-none-any`` is accepted when one of its combinations is; its rank is
    that of the best one (0 is the most specific). Answers are remembered, since few distinct tag sets exist.
    """

    def __init__(self, tags: Iterable[Tag]) -> None:
        self._order: dict[str, int] = {}
        for tag in tags:
            self._order.setdefault(str(tag), len(self._order))
        self._seen: dict[str, int | None] = {}

    def rank(self, tags: str) -> int | None:
        """Return the rank of a compressed tag set, or None where it is not accepted."""
        try:
            return self._seen[tags]
        except KeyError:
            ranks = [
                self._order[tag]
                for tag in map("-".join, product(*(part.split(".") for part in tags.lower().split("-"))))
                if tag in self._order
            ]
            self._seen[tags] = best = min(ranks, default=None)
            return best


@cache
def fits_python(tags: str, minor: str) -> bool:
    """Say whether CPython of a minor version takes a wheel with this compressed tag set on the system it is built for.

    Only interpreter and ABI are looked at: which systems a site's wheels are for, the site knows. Wheels of the stable
    ABI serve their own and all later minor versions.
    """
    major, _, rest = minor.partition(".")
    if not (major.isdecimal() and rest.isdecimal()):
        return False
    own = int(rest)
    interpreters, abis, _ = tags.lower().split("-")
    return any(
        _fits(interpreter, abi, major, own) for interpreter, abi in product(interpreters.split("."), abis.split("."))
    )


def _fits(interpreter: str, abi: str, major: str, own: int) -> bool:
    kind, version = interpreter[:2], interpreter[2:]
    if kind not in ("cp", "py") or not version.isdecimal() or version[0] != major:
        return False
    built = int(version[1:]) if version[1:] else None
    if kind == "py":
        return abi == "none" and (built is None or built <= own)
    if built == own:
        # Before 3.8 the ABI had a letter for how memory is managed, before 3.3 another for the width of characters.
        letters = ("",) if major == "3" and own >= 8 else ("m", "mu")
        return abi in ("none", "abi3") or abi in (interpreter + letter for letter in letters)
    return abi == "abi3" and built is not None and 2 <= built < own


@cache
def admits_some(requires_python: str, minor: str) -> bool:
    """Say whether ``Requires-Python`` admits some patch release of a minor version; an empty one admits all.

    Raises ValueError where it can not be read.
    """
    if not requires_python.strip():
        return True
    usual = _admits_usual(requires_python, minor)
    if usual is not None:
        return usual
    from tumpline.values import parse_specifier

    specifier = parse_specifier(requires_python)
    return any(specifier.contains(f"{minor}.{patch}", prereleases=True) for patch in range(_PATCHES))


def _admits_usual(requires_python: str, minor: str) -> bool | None:
    """Answer as `admits_some` where it needs no more than comparing minor versions; None where it does."""
    major, _, rest = minor.partition(".")
    if not (major.isdecimal() and rest.isdecimal()):
        return None
    wanted = [int(major), int(rest)]
    admitted = True
    for clause in requires_python.split(","):
        match = _USUAL.fullmatch(clause)
        if match is None:
            return None
        operator, bound, excluded = match.groups()
        numbers = [int(number) for number in (bound or excluded).split(".")]
        if numbers[2:] and numbers[:2] == wanted:
            # Here the patch release decides.
            return None
        if operator is None:
            admitted &= wanted != numbers
        else:
            admitted &= (wanted >= numbers) == (operator == ">=")
    return admitted
