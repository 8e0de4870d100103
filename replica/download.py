"""Fetching the real wheels with pip, as pip is configured here; what was fetched before is not fetched again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from replica.contents import Choice
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.process import run
from tumpline.values import Name, normalise, parse_version
from tumpline.wheels import WheelName, parse_wheel_name

__all__ = ["fetch_wheels"]

_OLDEST_GLIBC, _NEWEST_GLIBC = 17, 28
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)),
    "manylinux2014_x86_64",
    "linux_x86_64",
)
"""The wheels that a cluster's nodes (glibc 2.28 and newer) could run if they took manylinux."""


def fetch_wheels(
    choices: Sequence[Choice], minor: str, downloads: Path, say: Callable[[str], None]
) -> dict[Choice, Path]:
    """Return the file of every choice for one Python; missing ones are fetched, one call of pip for each round.

    Files are kept in ``downloads/X.Y``. pip checks each against the index's hash. Raises EnvironmentFailure
    ``index-not-reached`` with pip's own last words.
    """
    folder = downloads / minor
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [choice for choice in choices if minor not in choice.missing]
    have = _find(folder)
    missing = [choice for choice in wanted if _key(choice) not in have]
    if missing:
        say(f"fetching {len(missing)} wheels for Python {minor} with pip")
    for position in sorted({choice.round for choice in missing}):
        _fetch([choice for choice in missing if choice.round == position], minor, folder)
    have = _find(folder)
    return {choice: have[_key(choice)] for choice in wanted}


def _fetch(choices: Sequence[Choice], minor: str, folder: Path) -> None:
    done = run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary", ":all:", "--implementation", "cp", "--python-version", minor),
            *(word for platform in _PLATFORMS for word in ("--platform", platform)),
            *("--dest", folder),
            *(f"{choice.spelling}=={choice.version}" for choice in choices),
        ],
        timeout=900,
    )
    if done.status != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise EnvironmentFailure.of(
            "index-not-reached",
            f"pip could not fetch the wheels for Python {minor}",
            why="\n".join(said[-3:]),
            hint="check pip's index settings with `pip config list` and run again: what was fetched is kept",
        )
    lacking = [choice for choice in choices if _key(choice) not in _find(folder)]
    if lacking:
        raise InputError.of(
            "wheel-not-for-replica",
            f"pip fetched no wheel of {lacking[0].spelling} {lacking[0].version} that names that version",
            where=str(folder),
            hint="remove the folder and run again",
        )


def _key(choice: Choice) -> tuple[Name, str]:
    return normalise(choice.spelling), str(parse_version(choice.version))


def _find(folder: Path) -> dict[tuple[Name, str], Path]:
    found: dict[tuple[Name, str], Path] = {}
    for path in sorted(folder.glob("*.whl")):
        wheel: WheelName = parse_wheel_name(path.name)
        found[wheel.name, str(parse_version(wheel.version))] = path
    return found
