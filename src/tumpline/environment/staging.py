"""Filling a stage: what a target's nodes can not reach is fetched, or built, while there is internet."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tumpline.addresses.files import digest_of
from tumpline.environment.building import BuildSettings, WheelMaker, web_address
from tumpline.environment.check import Surroundings, check_target
from tumpline.environment.plan import WheelStep
from tumpline.environment.project_wheel import wheel_of_editable
from tumpline.environment.reporting import SyncReporter
from tumpline.environment.sources import WheelIndex, fetch_files
from tumpline.environment.stage import Need, Survey, staged
from tumpline.environment.sync import check_machine
from tumpline.environment.wheelstore import BuiltWheel, WheelStore
from tumpline.errors import EnvironmentFailure, InputError, Problem
from tumpline.host.pythons import Interpreter, find_python
from tumpline.host.room import Room
from tumpline.index.parts import sweep
from tumpline.lock import IndexArtefact, LockedTarget, UrlArtefact
from tumpline.values import Name
from tumpline.wheels import parse_wheel_name

__all__ = ["Load", "Stager", "check_room", "load_of", "without_damaged"]

_ENTRIES = {"file": 3, "built": 6, "project": 6}
"""Files and folders for each need, as quotas count them: a wheel in two folders, and a note of what it is built of."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a stage gets more: `wheels`, of which `built` are built; `size` in bytes, of those whose size is known;
    `entries` is the most files and folders that this can be.
    """

    wheels: int
    built: int
    size: int
    entries: int


def load_of(surveys: Iterable[Survey]) -> Load:
    """Return what is lacking on any target, each wheel once."""
    needs = {need.sha256 or need.key: need for survey in surveys for need in survey.lacking}.values()
    return Load(
        wheels=len(needs),
        built=sum(need.kind != "file" for need in needs),
        size=sum(need.size or 0 for need in needs),
        entries=sum(_ENTRIES[need.kind] for need in needs),
    )


def check_room(load: Load, rooms: Iterable[Room], folder: Path) -> None:
    """Raise EnvironmentFailure ``no-room`` where what is lacking does not fit into the folder of a stage."""
    for room in rooms:
        space, files = room.space, room.files
        if (space is not None and space < load.size) or (files is not None and files < load.entries):
            raise EnvironmentFailure.of(
                "no-room",
                "the stage does not fit",
                where=str(folder),
                why=f"{load.size / 1e6:,.0f} MB in {load.entries:,} files and folders are needed; {room}",
                hint="free some (tumpline stage prune, tumpline cache prune), or name another folder with --stage",
            )


def without_damaged(survey: Survey, stage: WheelStore) -> tuple[Survey, int]:
    """Read everything that a stage has of a target; what is not what it should be is removed, and counts as lacking.

    Returns what there is then, and how much was removed.
    """
    sound: list[tuple[Need, BuiltWheel]] = []
    lacking = list(survey.lacking)
    for need, wheel in survey.here:
        if _is_sound(wheel):
            sound.append((need, wheel))
        else:
            lacking.append(need)
    removed = len(lacking) - len(survey.lacking)
    for need in survey.lacking:
        # Of another size than it should have, or a link: it would be in the way of what is fetched.
        noted = stage.noted(need.key) if need.key else None
        path = noted.path if noted is not None else stage.place(need.sha256, need.file)
        if path is not None and _is_in_the_way(path, noted.size if noted is not None else need.size):
            with suppress(OSError):
                path.unlink()
                removed += 1
    return replace(survey, here=tuple(sound), lacking=tuple(lacking)), removed


class Stager:
    """Fills one stage. Use as a context manager.

    `index` keeps what it fetches in the cache, `into` in the stage; `here` is where this runs.
    """

    def __init__(
        self, stage: WheelStore, index: WheelIndex, into: WheelIndex, here: Surroundings, reporter: SyncReporter
    ) -> None:
        self._stage = stage
        self._index = index
        self._into = into
        self._here = here
        self._reporter = reporter
        sweep(stage.folder / "files" / "partial")

    def __enter__(self) -> Stager:
        return self

    def __exit__(self, *_: object) -> None:
        self._reporter.finish()

    def fill(self, survey: Survey, builds: BuildSettings) -> tuple[BuiltWheel, ...]:
        """Bring what is lacking, files first, and return it.

        What is there stays when something else can not be had. Raises what the index and `WheelMaker.wheel` raise;
        InputError ``must-be-built-there``; EnvironmentFailure ``no-python``, ``stage-not-writable``.
        """
        # What another target lacked as well, or another process brought, is here by now.
        survey = replace(survey, lacking=tuple(need for need in survey.lacking if staged(need, self._stage) is None))
        try:
            self._stage.folder.mkdir(parents=True, exist_ok=True)
            return (*self._fetch(survey, builds.addresses), *self._build(survey, builds))
        except OSError as error:
            raise _stage_failure(error, self._stage.folder) from error

    def _fetch(self, survey: Survey, addresses: Mapping[Name, str]) -> list[BuiltWheel]:
        brought: list[BuiltWheel] = []
        wanted: list[tuple[WheelStep, IndexArtefact | UrlArtefact]] = []
        needs = {need.name: need for need in survey.lacking if need.kind == "file"}
        for need in needs.values():
            if (kept := self._from_cache(need)) is not None:
                brought.append(kept)
            elif need.step is not None and isinstance(need.step.artefact, IndexArtefact | UrlArtefact):
                wanted.append((need.step, need.step.artefact))
        if wanted:
            problems: list[Problem] = []
            found = fetch_files(
                wanted,
                self._into,
                self._reporter,
                problems,
                lambda name, artefact: web_address(addresses, name, artefact),
            )
            for name, path in found.items():
                sha256 = needs[name].sha256
                # An index that is a folder of this machine leaves its files where they are.
                here = path == self._stage.place(sha256, path.name)
                brought.append(BuiltWheel(path, sha256, path.stat().st_size) if here else self._stage.put(path, sha256))
            if problems:
                raise EnvironmentFailure(*problems)
        return brought

    def _from_cache(self, need: Need) -> BuiltWheel | None:
        kept = self._index.cached(need.sha256, need.file)
        if kept is not None:
            with suppress(EnvironmentFailure):  # a damaged one is fetched instead
                return self._stage.put(kept, need.sha256)
        return None

    def _build(self, survey: Survey, builds: BuildSettings) -> list[BuiltWheel]:
        needs = [need for need in survey.lacking if need.kind != "file"]
        if not needs:
            return []
        target = survey.plan.target
        interpreter, home = self._interpreter(target, builds.environ)
        brought: list[BuiltWheel] = []
        with WheelMaker(builds, target, interpreter) as maker:
            sources = self._sources(needs, maker)
            self._reporter.start("build", len(needs), 0)
            for need in needs:
                origin = ""
                if need.step is not None:
                    step = need.step
                    wheel = maker.wheel(step.name, step.version, step.artefact, sources.get(step.name))
                else:
                    assert survey.plan.project is not None  # noqa: S101 - there would be no need
                    origin = os.path.realpath(survey.plan.project)
                    wheel = wheel_of_editable(maker.editable(Path(origin)), maker.scratch())
                if not home and not parse_wheel_name(wheel.name).tags.endswith("-none-any"):
                    raise _not_here(need, target)
                kept = self._stage.put(wheel)._replace(origin=origin)
                self._stage.enter(need.key, kept)
                brought.append(kept)
        return brought

    def _sources(self, needs: Iterable[Need], maker: WheelMaker) -> dict[Name, Path]:
        """Return the sdists that wheels are built of, which are no part of a stage."""
        found: dict[Name, Path] = {}
        wanted: list[tuple[WheelStep, IndexArtefact | UrlArtefact]] = []
        for step in (need.step for need in needs):
            if step is None or not isinstance(step.artefact, IndexArtefact | UrlArtefact):
                continue
            if (kept := self._index.cached(step.artefact.sha256, step.artefact.file)) is not None:
                found[step.name] = kept
            else:
                wanted.append((step, step.artefact))
        if wanted:
            problems: list[Problem] = []
            found.update(fetch_files(wanted, self._index, self._reporter, problems, maker.web_address))
            if problems:
                raise EnvironmentFailure(*problems)
        return found

    def _interpreter(self, target: LockedTarget, environ: Mapping[str, str]) -> tuple[Interpreter, bool]:
        """Return the Python to build with, and whether what is compiled here runs on the target.

        Elsewhere any release of the target's minor version does: only wheels without compiled code are kept then.
        """
        home = not target.environment or (self._here.site == target.site and not check_target(target, self._here))
        version = target.python if home else ".".join(target.python.split(".")[:2])
        interpreter = find_python(version, environ)
        if home:
            try:
                check_machine(target, interpreter)
            except InputError:
                home = False
        return interpreter, home


def _is_sound(wheel: BuiltWheel) -> bool:
    """Whether a file has the content that it should have; one that has not is removed."""
    try:
        before = wheel.path.stat()
        if digest_of(wheel.path)[0] == wheel.sha256:
            return True
        # Unless another process has put a sound one in its place meanwhile.
        if wheel.path.stat().st_ino == before.st_ino:
            wheel.path.unlink()
    except (OSError, EnvironmentFailure):
        pass
    return False


def _is_in_the_way(path: Path, size: int | None) -> bool:
    """Whether there is something else than a file of that size: another process may just have brought it."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return not stat.S_ISREG(status.st_mode) or size not in (None, status.st_size)


def _not_here(need: Need, target: LockedTarget) -> InputError:
    loaded = f" with StdEnv/{target.environment} loaded" if target.environment else ""
    return InputError.of(
        "must-be-built-there",
        f"{need} has compiled code, which has to be built on {target.site} itself",
        where=f"target {target.name}",
        why=f"it is built of {need.what}",
        hint=f"run this on a login node of {target.site}{loaded}; or choose a version that has a wheel",
    )


def _stage_failure(error: OSError, folder: Path) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "stage-not-writable",
        "the stage can not be written",
        where=str(folder),
        why=error.strerror or str(error),
        hint="check that the folder can be made, that you may write to it and that there is space left, or name "
        "another one with --stage; what is in it stays",
    )
