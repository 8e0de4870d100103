"""Where the parts of a wheel go in an environment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumpline.host.pythons import Interpreter

__all__ = ["Layout", "first_line", "layout_of"]

_LONGEST_FIRST_LINE = 127
"""Bytes of a ``#!`` line that Linux has kept since it had any; newer kernels keep 255."""


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


def first_line(python: str) -> bytes:
    """Return the first line or lines of a script for an interpreter.

    Where the path holds a space or is longer than kernels take, ``sh`` starts the interpreter: the second line is a
    command to it, and to Python a row of string literals.
    """
    simple = f"#!{python}\n".encode()
    if " " not in python and len(simple) <= _LONGEST_FIRST_LINE:
        return simple
    quoted = python.replace("'", "'\"'\"'")
    return f'#!/bin/sh\n"exec" \'{quoted}\' "$0" "$@"\n'.encode()
