"""The environment that a job has of its own: on the node's disk, and made there for the first command that needs it."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.cli.chosen_environment import Usable, ask, job_folder, usable_environment
from tumpline.cli.module_loading import load_modules
from tumpline.cli.wiring import choose_target, here, load_site_named, read_lock_of
from tumpline.environment.activation import lacking_modules
from tumpline.environment.check import check_target
from tumpline.errors import NotSo
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.cli.terminal import Terminal
    from tumpline.environment.check import Surroundings
    from tumpline.lock import Lock, LockedTarget

__all__ = ["usable_or_made"]

_LONGEST_WAIT = 900.0
"""Seconds: an environment of thousands of files on a slow disk takes minutes."""


def usable_or_made(options: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> Usable:
    """Return what `usable_environment` does; where there is none yet, in a job, make it first on the node's own disk.

    That is done for a target of this site, where the site's profile says that environments are built in jobs and
    nothing was said with ``--env``. The target's modules that are lacking are loaded for that. An image of
    what is locked that lies in the project's folder is unpacked, else the lock is installed. Raises what those raise
    as well.
    """
    try:
        return usable_environment(options, surroundings)
    except NotSo as error:
        folder = job_folder(variables())
        if error.code != "no-environment" or options.env is not None or folder is None:
            raise
        root, lock = read_lock_of(options)
        target = choose_target(lock, options)
        if here().site_name != target.site or load_site_named(target.site).build_in != "in-job":
            raise
    place = folder / target.name
    with _one_at_a_time(place):
        if not place.is_symlink():
            if not check_target(target, surroundings):
                lacking = lacking_modules(target.environment, target.python, target.modules, surroundings)
                surroundings = load_modules(lacking, surroundings, terminal)
            if (image := _image(root, lock, target)) is not None:
                _unpack(image, place, surroundings, terminal)
            else:
                _sync(options, place, root, terminal)
    return usable_environment(options, surroundings)


@contextlib.contextmanager
def _one_at_a_time(place: Path) -> Iterator[None]:
    """Let the tasks of a job on one node wait for the one that makes the environment; after a while, no longer.

    The lock is on the node's own disk, and the system frees it when its holder ends, however that happens.
    """
    import fcntl

    end = time.monotonic() + _LONGEST_WAIT
    with place.with_name(f".{place.name}.lock").open("a") as stream:
        while time.monotonic() < end:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.1)
            except OSError:
                break  # no locks on this disk: several may make it at once, and none harms another
        yield


def _unpack(image: Path, place: Path, surroundings: Surroundings, terminal: Terminal) -> None:
    from tumpline.cli.sync_progress import SyncProgress
    from tumpline.environment.unpack import unpack

    terminal.say(f"unpacking {image.name} into {place}")
    unpack(image, place, environ=variables(), here=surroundings, reporter=SyncProgress(terminal))


def _sync(options: argparse.Namespace, place: Path, root: Path, terminal: Terminal) -> None:
    from tumpline.cli.sync_command import configure
    from tumpline.cli.sync_making import make

    terminal.say(f"making the environment {place}")
    parser = argparse.ArgumentParser()
    configure(parser)
    words = [f"--target={place.name}", f"--env={place}", f"--project={root}"]
    make(parser.parse_args(words), terminal, ask(options))


def _image(root: Path, lock: Lock, target: LockedTarget) -> Path | None:
    """Return an image of what is locked, in the project's folder and named as ``tumpline pack`` names it."""
    names = sorted(name for name in os.listdir(root) if name.startswith(f"{target.name}-") and ".tar" in name)  # noqa: PTH208
    if not names:
        return None
    from tumpline.environment.image import read_image
    from tumpline.environment.plan import plan_environment
    from tumpline.errors import TumplineError
    from tumpline.project.read import read_project

    key = plan_environment(lock, target.name, read_project(root)).key
    for name in names:
        try:
            found = read_image(root / name).head.record.key
        except TumplineError:
            continue  # another file with such a name
        if found == key:
            return root / name
    return None
