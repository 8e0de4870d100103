"""Finding the file of every wheel of a plan: in the wheelhouse, a stage, the cache, on a server; or building it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from tumpline.environment.building import WheelMaker
from tumpline.environment.install import WheelJob
from tumpline.environment.origin import direct_url
from tumpline.environment.plan import Plan, WheelStep
from tumpline.environment.reporting import SyncReporter
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import EnvironmentFailure, Problem, TumplineError
from tumpline.index import IndexFile
from tumpline.index.background import Workers
from tumpline.lock import IndexArtefact, PathArtefact, UrlArtefact, VcsArtefact, WheelhouseArtefact
from tumpline.values import Name

__all__ = ["WheelIndex", "drop_damaged", "fetch_files", "locate_wheels", "wheels_here"]

Address = Callable[[Name, UrlArtefact], str]

_DOWNLOADS = 4
"""At once; more is unkind to the index and, past the width of the line, no faster."""


class WheelIndex(Protocol):
    """What is needed of an index: finding and fetching locked files. `download` is called from several threads."""

    def cached(self, sha256: str, file: str) -> Path | None:
        """Return where the file of that hash and name is kept, or None."""
        ...

    def drop_damaged(self, sha256: str, file: str) -> bool:
        """Remove the file of that hash and name that is kept unless it has that hash; whether it was removed."""
        ...

    def locate(self, name: Name, file: str, sha256: str) -> IndexFile:
        """Return where a locked file is now; raises EnvironmentFailure."""
        ...

    def download(self, file: IndexFile, *, progress: Callable[[int], None] | None = None) -> Path:
        """Return the path of the file's bytes, fetched if need be; raises EnvironmentFailure."""
        ...

    def prefetch(self, names: list[Name]) -> None:
        """Start fetching the pages of projects; never raises."""
        ...


def locate_wheels(
    plan: Plan,
    wheelhouse: Path | None,
    index: WheelIndex,
    reporter: SyncReporter,
    maker: WheelMaker,
    *,
    stage: WheelStore | None = None,
    offline: bool = False,
) -> tuple[WheelJob, ...]:
    """Return where each wheel of the plan is, in the plan's order, after fetching and building those that are not here.

    `wheelhouse` is the root folder of the site's layers, None where the site has none; `stage` is asked before the
    cache. Everything that can not be had is told at once, and nothing is built before all else is here: raises
    EnvironmentFailure ``no-wheelhouse``, ``wheel-gone`` and, with `offline`, ``not-staged``, what the index raises, and
    what `WheelMaker.wheel` raises.
    """
    _check_wheelhouse(plan, wheelhouse)
    files = wheels_here(plan, wheelhouse, index, stage)
    ahead = {step.name: maker.staged(step.name, step.version, step.artefact) for step in plan.wheels if step.build}
    built = {name: found for name, found in ahead.items() if found is not None}
    problems: list[Problem] = []
    wanted: list[tuple[WheelStep, IndexArtefact | UrlArtefact]] = []
    for step in plan.wheels:
        if step.name in files or step.name in built:
            continue
        match step.artefact:
            case WheelhouseArtefact() as artefact:
                problems.append(_gone(plan, step, (wheelhouse or Path()) / artefact.layer / artefact.file))
            case IndexArtefact() | UrlArtefact() as artefact:
                wanted.append((step, artefact))
            case PathArtefact() as artefact if not step.build:
                problems.append(_missing(plan, step, artefact))
    if offline and (lacking := _not_staged(plan, wanted, index, maker, built)):
        problems.append(lacking)
    if wanted and not problems:
        files.update(fetch_files(wanted, index, reporter, problems, maker.web_address))
    if problems:
        raise EnvironmentFailure(*problems)
    to_build = [step for step in plan.wheels if step.build and step.name not in built]
    files.update(_build(to_build, files, reporter, maker))
    files.update((name, found.path) for name, found in built.items())
    hashes = {name: found.sha256 for name, found in built.items()}
    return tuple(_job(plan, step, files[step.name], hashes.get(step.name, "")) for step in plan.wheels)


def wheels_here(
    plan: Plan, wheelhouse: Path | None, index: WheelIndex, stage: WheelStore | None = None
) -> dict[Name, Path]:
    """Return the locked files that need not be fetched: of the wheelhouse, the project's folder, a stage, the cache."""
    found: dict[Name, Path] = {}
    for step in plan.wheels:
        match step.artefact:
            case WheelhouseArtefact() as artefact:
                path = wheelhouse / artefact.layer / artefact.file if wheelhouse is not None else None
            case PathArtefact() as artefact:
                path = plan.root / artefact.path
            case IndexArtefact() | UrlArtefact() as artefact:
                path = stage.file(artefact.sha256, artefact.file, artefact.size) if stage is not None else None
                path = path or index.cached(artefact.sha256, artefact.file)
            case _:
                path = None
        if path is not None and path.is_file():
            found[step.name] = path
    return found


def drop_damaged(plan: Plan, index: WheelIndex) -> bool:
    """Remove what is kept of an index for a plan and is not what it should be; whether there was any."""
    kept = [step.artefact for step in plan.wheels if isinstance(step.artefact, IndexArtefact | UrlArtefact)]
    removed = [index.drop_damaged(artefact.sha256, artefact.file) for artefact in kept]
    return any(removed)


def _job(plan: Plan, step: WheelStep, path: Path, built: str) -> WheelJob:
    """`built` is the sha256 that a wheel must have that was built ahead."""
    artefact = step.artefact
    said, size = direct_url(artefact, plan.root), _size(path)
    if step.build:
        return WheelJob(path, sha256=built, requested=step.requested, size=size, direct_url=said)
    if isinstance(artefact, WheelhouseArtefact):
        return WheelJob(path, record=artefact.record, requested=step.requested, size=size)
    assert not isinstance(artefact, VcsArtefact)  # noqa: S101 - a repository is always built
    return WheelJob(path, sha256=artefact.sha256, requested=step.requested, size=size, direct_url=said)


def _build(
    steps: list[WheelStep], files: Mapping[Name, Path], reporter: SyncReporter, maker: WheelMaker
) -> dict[Name, Path]:
    """Build one after the other, since compilers use all processors; the first that fails is the last."""
    if steps:
        reporter.start("build", len(steps), 0)
    return {step.name: maker.wheel(step.name, step.version, step.artefact, files.get(step.name)) for step in steps}


def fetch_files(
    wanted: Sequence[tuple[WheelStep, IndexArtefact | UrlArtefact]],
    index: WheelIndex,
    reporter: SyncReporter,
    problems: list[Problem],
    address: Address,
) -> dict[Name, Path]:
    """Fetch files and return where they are, by the names of their packages; what goes wrong is added to `problems`.

    Unless all can be found nothing is fetched. `address` gives where a file of a server is.
    """
    index.prefetch([step.name for step, artefact in wanted if isinstance(artefact, IndexArtefact)])
    located: list[tuple[Name, IndexFile]] = []
    for step, artefact in wanted:
        try:
            located.append((step.name, _located(step, artefact, index, address)))
        except TumplineError as error:
            problems.extend(error.problems)
    if problems:
        return {}
    sizes = [artefact.size for _, artefact in wanted]
    reporter.start("download", len(located), sum(size for size in sizes if size is not None))

    found: dict[Name, Path] = {}
    # Not the standard library's executor: an interrupted command would wait for its threads, and they for the index.
    workers = Workers(_DOWNLOADS)
    try:
        tasks = [
            (name, workers.submit(partial(index.download, file, progress=reporter.advance))) for name, file in located
        ]
        for name, task in tasks:
            assert task is not None  # noqa: S101 - the workers are open
            try:
                found[name] = task.result()
            except TumplineError as error:
                problems.extend(error.problems)
    finally:
        workers.close()
    return found


def _located(step: WheelStep, artefact: IndexArtefact | UrlArtefact, index: WheelIndex, address: Address) -> IndexFile:
    if isinstance(artefact, IndexArtefact):
        return index.locate(step.name, artefact.file, artefact.sha256)
    return IndexFile(
        artefact.file, address(step.name, artefact), "of the address", size=artefact.size, sha256=artefact.sha256
    )


def _not_staged(
    plan: Plan,
    wanted: Sequence[tuple[WheelStep, IndexArtefact | UrlArtefact]],
    index: WheelIndex,
    maker: WheelMaker,
    built: Mapping[Name, object],
) -> Problem | None:
    """Return the one problem that names all that is lacking where nothing may be fetched; None where nothing is."""
    lacking: list[WheelStep] = []
    for step, artefact in wanted:
        try:
            local = _located(step, artefact, index, maker.web_address).url.startswith("file:")
        except TumplineError:
            local = False
        if not local:
            lacking.append(step)
    lacking += [step for step in plan.wheels if step.name not in built and maker.needs_internet(step.artefact)]
    if not lacking:
        return None
    names = sorted(f"{step.name} {step.version}" for step in lacking)
    return Problem(
        "not-staged",
        f"{len(names)} of {len(plan.wheels)} packages are not here, and nothing may be fetched",
        where=f"target {plan.target.name}",
        why=f"neither in the stage nor in the cache: {', '.join(names)}",
        hint=f"where there is internet, run: tumpline stage --target {plan.target.name}; "
        "or name a stage that is elsewhere with --stage",
    )


def _check_wheelhouse(plan: Plan, wheelhouse: Path | None) -> None:
    if not any(isinstance(step.artefact, WheelhouseArtefact) for step in plan.wheels):
        return
    if wheelhouse is None or not wheelhouse.is_dir():
        raise EnvironmentFailure.of(
            "no-wheelhouse",
            f"the wheelhouse of {plan.target.site} is not on this machine",
            where=f"target {plan.target.name}",
            why=f"there is no folder {wheelhouse}" if wheelhouse else f"the site {plan.target.site} has no wheelhouse",
            hint=f"run this on {plan.target.site}, or choose a target for this machine with --target",
        )


def _gone(plan: Plan, step: WheelStep, path: Path) -> Problem:
    return Problem(
        "wheel-gone",
        f"the wheel of {step.name} {step.version} is no longer in the wheelhouse",
        where=f"target {plan.target.name}",
        why=f"there is no file {path}",
        hint="scan the wheelhouse and lock again: tumpline catalogue scan, then tumpline lock",
    )


def _missing(plan: Plan, step: WheelStep, artefact: PathArtefact) -> Problem:
    return Problem(
        "missing-file",
        f"{step.name} {step.version} is taken from a path where there is nothing",
        where=f"target {plan.target.name}",
        why=f"there is no file {artefact.path} from the project's folder",
        hint="put it there, or correct the path in pyproject.toml and lock again: tumpline lock",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
