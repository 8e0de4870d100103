"""Known bonds between packages that metadata does not always state."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from tumpline.values import Name, normalise

__all__ = ["uses_numpy_api"]


def uses_numpy_api(name: Name) -> bool:
    """Say whether a project's wheels are compiled against numpy's C interface (R9)."""
    return name in _numpy_api()


@cache
def _numpy_api() -> frozenset[Name]:
    text = Path(__file__).with_name("data").joinpath("numpy-api.toml").read_text("utf-8")
    return frozenset(normalise(name) for name in tomllib.loads(text)["projects"])
