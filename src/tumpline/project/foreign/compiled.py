"""What compiled requirements files say in comments: ``# via pandas``, as pip-compile and uv write it."""

from __future__ import annotations

import re

from tumpline.values import Name, normalise

__all__ = ["is_asked", "read_sources"]

_REQUIREMENT = re.compile(r"[A-Za-z0-9][^#]*")
_VIA = re.compile(r"(?:^|.*\s)# via\b[ \t]*(.*)")
_MORE = re.compile(r"\s+#\s{2,}(\S.*)")

_MOST = 0.8
"""The share of requirements that have such a comment in a file that was compiled; in others one may be by accident."""


def read_sources(text: str) -> dict[int, tuple[str, ...]]:
    """Return for each requirement, by its line, what it is there for; empty for a file that was not compiled."""
    found: dict[int, list[str]] = {}
    current, listing = 0, False
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        if _REQUIREMENT.match(line):
            current, listing = number, False
            found[current] = []
        if current and (via := _VIA.fullmatch(line)) is not None:
            found[current] += [word.strip() for word in via[1].split(",") if word.strip()]
            listing = True
        elif listing and (more := _MORE.fullmatch(line)) is not None:
            found[current].append(more[1].strip())
        else:
            listing = False
    annotated = sum(bool(sources) for sources in found.values())
    if not annotated or annotated < _MOST * len(found):
        return {}
    return {number: tuple(sources) for number, sources in found.items()}


def is_asked(sources: tuple[str, ...], packages: frozenset[Name]) -> bool:
    """Whether something that is no package of the file is among the sources: a file, or the project itself."""
    return not sources or any(normalise(source) not in packages for source in sources)
