"""Which Pythons are at hand: on PATH, and those that pyenv keeps beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from replica.contents import SUPPORTED
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.pythons import Interpreter, find_python

__all__ = ["choose", "interpreters_at_hand"]


def interpreters_at_hand(environ: Mapping[str, str]) -> tuple[Interpreter, ...]:
    """Return one CPython for each supported minor version that is here, oldest first.

    PATH comes first; a launcher on PATH which has no such version to launch is passed over.
    """
    found = [_ask(minor, environ) for minor in SUPPORTED]
    return tuple(interpreter for interpreter in found if interpreter is not None)


def choose(wanted: tuple[str, ...], at_hand: tuple[Interpreter, ...]) -> tuple[Interpreter, ...]:
    """Return the wanted Pythons; with none wanted, the two oldest at hand, since clusters are not the first to move.

    Raises InputError ``python-not-at-hand`` and ``python-not-in-replica``.
    """
    by_minor = {interpreter.minor: interpreter for interpreter in at_hand}
    for minor in wanted:
        if minor not in SUPPORTED:
            raise InputError.of(
                "python-not-in-replica",
                f"the replica has no wheels for Python {minor}",
                hint=f"choose among {', '.join(SUPPORTED)}",
            )
    if lacking := [minor for minor in wanted if minor not in by_minor] or ([] if by_minor else list(SUPPORTED)):
        raise InputError.of(
            "python-not-at-hand",
            f"Python {' or '.join(lacking)} is not on this machine",
            why=f"found: {', '.join(i.version for i in at_hand) or 'none'}",
            hint="install it, or choose another with --python",
        )
    return tuple(by_minor[minor] for minor in dict.fromkeys(wanted)) if wanted else at_hand[:2]


def _ask(minor: str, environ: Mapping[str, str]) -> Interpreter | None:
    root = environ.get("PYENV_ROOT") or (f"{environ['HOME']}/.pyenv" if environ.get("HOME") else "")
    kept = sorted(Path(root, "versions").glob(f"{minor}.*/bin"), reverse=True) if root else []
    try:
        return find_python(minor, {**environ, "PATH": ":".join([environ.get("PATH", ""), *map(str, kept)])})
    except EnvironmentFailure:
        # No such Python: that is an answer here, not a failure.
        return None
