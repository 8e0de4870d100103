"""Where things are kept: what a purge takes, what a quota stops, what answers no more."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tumpline.doctor.model import Finding, Situation
from tumpline.errors import Problem

__all__ = ["storage_findings"]

_ENOUGH_FILES = 45_000
"""The files of a large environment: 162 packages with torch, jax and jupyter have 43,800."""

_ENOUGH_SPACE = 3 * 10**9
"""Its bytes: 2.5 GB."""


def storage_findings(seen: Situation) -> Iterator[Finding]:
    """Yield what is wrong with folders and file systems."""
    checks = (_silent, _on_scratch, _little_room, _seeds)
    yield from (finding for check in checks if (finding := check(seen)) is not None)


def _silent(seen: Situation) -> Finding | None:
    """Something did not answer in time, and was not looked at."""
    if not seen.scene.silent:
        return None
    return Finding(
        "warning",
        Problem(
            "no-answer",
            f"no answer in time from {', '.join(seen.scene.silent)}: not looked at",
            hint="a file system is slow or gone: try again; if it stays so, see the cluster's status page",
        ),
    )


def _on_scratch(seen: Situation) -> Finding | None:
    """The environment is where old files are removed: parts of it go, one by one, while others are in use."""
    active, project = seen.scene.active, seen.project
    places = [project.folder if project is not None else "", active.path if active is not None else ""]
    inside = [place for place in places if place and seen.scratch and f"{place}/".startswith(f"{seen.scratch}/")]
    if not inside or not seen.on_cluster:
        return None
    name = project.target.name if project is not None and project.target is not None else "env"
    better = f'"$SLURM_TMPDIR"/{shlex.quote(name)}' if seen.in_job else shlex.quote(f"{seen.scene.home}/envs/{name}")
    return Finding(
        "warning",
        Problem(
            "environment-on-scratch",
            "the environment is in scratch, where files go that were not used for some weeks",
            where=inside[0],
            hint="make it on the node's own disk in each job, or in home or project space",
        ),
        (f"SCRATCH={seen.scratch}",),
        f"tumpline sync --env {better}",
    )


def _little_room(seen: Situation) -> Finding | None:
    """Home has less room than one large environment takes, by space or by files."""
    short = []
    for room in seen.scene.rooms:
        if room.files is not None and room.files < _ENOUGH_FILES:
            short.append(f"{room.of} has room for {room.files:,} more files")
        if room.space is not None and room.space < _ENOUGH_SPACE:
            short.append(f"{room.of} has room for {room.space / 10**9:.1f} GB more")
    if not short:
        return None
    return Finding(
        "warning",
        Problem(
            "home-nearly-full",
            f"home is nearly full: {'; '.join(short)}",
            where=seen.scene.home,
            why="an environment with torch and its companions has some 44,000 files and 2.5 GB",
            hint="remove what can be had again: caches of pip, uv and conda, old environments, packages in ~/.local",
        ),
        tuple(short),
        "du --inodes -d2 ~ 2>/dev/null | sort -n | tail",
    )


def _seeds(seen: Situation) -> Finding | None:
    """What virtualenv keeps of pip is not whole: every environment made by hand gets a broken pip."""
    seeds = seen.scene.seeds
    if seeds is None or not seeds.broken:
        return None
    return Finding(
        "warning",
        Problem(
            "seed-cache-broken",
            "virtualenv's cache is damaged: environments that it makes get a pip that does not work",
            where=seeds.folder,
            hint="remove it, it is made again; tumpline's environments do not use it",
        ),
        seeds.broken[:5],
        f"rm -r {shlex.quote(f'{seeds.folder}/wheel')}",
    )
