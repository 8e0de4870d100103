"""Where the parts of a wheel go in an environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumpline.host.pythons import Interpreter

__all__ = ["Layout", "layout_of"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Absolute folders of one environment, as text, since eleven thousand paths are made from them.

    `headers` lacks the package's name, which is its last part. `python` is the environment's own interpreter: it goes
    into the first line of scripts.
    """

    root: str
    purelib: str
    platlib: str
    scripts: str
    headers: str
    python: str


def layout_of(root: Path, interpreter: Interpreter) -> Layout:
    """Return the layout of an environment made with an interpreter; headers go where pip puts them in environments."""
    base = str(root)
    suffix = ".exe" if interpreter.platform == "win32" else ""
    return Layout(
        root=base,
        purelib=f"{base}/{interpreter.purelib}",
        platlib=f"{base}/{interpreter.platlib}",
        scripts=f"{base}/{interpreter.scripts}",
        headers=f"{base}/include/site/python{interpreter.minor}",
        python=f"{base}/{interpreter.scripts}/python{suffix}",
    )
