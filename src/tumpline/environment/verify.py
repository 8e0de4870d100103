"""What an environment is, held against what it should be: every file against its RECORD, the packages against its own
record, and both against the machine and the lock.

Changed, missing and added files are found by reading all of them, in several processes. Bytecode is not looked at:
Python makes it when it needs it. What a module brings is the module system's.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tumpline.environment.crew import Crew, Task, usual_jobs
from tumpline.environment.inventory import Distribution, is_bytecode, is_own, read_distributions, walk
from tumpline.environment.record import EnvironmentRecord
from tumpline.environment.reporting import Quiet, SyncReporter
from tumpline.environment.rows import Row
from tumpline.environment.serving import error_of
from tumpline.environment.verify_worker import Checked, WrongKind
from tumpline.errors import EnvironmentFailure, Problem, TumplineError
from tumpline.values import normalise, parse_version

__all__ = ["Difference", "Kind", "VerifyReport", "difference_words", "verify"]

Kind = Literal[WrongKind, "extra", "package-added", "package-missing", "package-replaced"]

_BATCH_FILES, _BATCH_BYTES = 500, 2**25
"""What a worker is given at once: so much that asking costs nothing, so little that none is left alone at the end."""

_OWN = () if sys.platform == "win32" else ("pyvenv.cfg", "bin/python", "bin/activate")
"""What is in no RECORD, and without which an environment is none."""

_PURGED = 20
"""From so many missing files on, of several packages, somebody cleaned up; a person deletes a folder or a file."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be. `path` is relative to the environment; empty for packages, whose `package`
    is ``name version``. `why` says more, and may be empty."""

    kind: Kind
    path: str
    package: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. `files` and `size` (bytes) are what was read; `remarks` are causes, where they can be told."""

    packages: int
    files: int
    size: int
    differences: tuple[Difference, ...]
    remarks: tuple[Problem, ...]


def verify(
    folder: Path,
    record: EnvironmentRecord,
    *,
    environ: Mapping[str, str],
    jobs: int | None = None,
    reporter: SyncReporter | None = None,
) -> VerifyReport:
    """Read the environment in `folder` and say in what it differs from its RECORDs and from `record`.

    Raises EnvironmentFailure ``cannot-read`` where the environment can not even be listed, ``worker-died``.
    """
    root = str(folder)
    reporter = reporter or Quiet()
    with Crew(max(1, jobs or usual_jobs()), environ, "tumpline.environment.verify_worker") as crew:
        # The workers start while this process reads the RECORDs, and read files while it lists them.
        try:
            distributions = read_distributions(root)
            claims, owners = _claims(distributions)
            batches = _batches(claims)
            reporter.start("verify", 0, sum(size for _, size in batches))
            with ThreadPoolExecutor(1) as threads:
                listing = threads.submit(_list, root)
                tasks = [Task(_question(root, batch), root) for batch, _ in batches]
                answers = crew.ask(tasks, _read, lambda number, _: reporter.advance(batches[number][1]))
                there = listing.result()
        except OSError as error:
            raise EnvironmentFailure.of(
                "cannot-read",
                "the environment can not be read",
                where=error.filename or root,
                why=error.strerror or str(error),
                hint="check its permissions; or make it anew: tumpline sync",
            ) from error
        finally:
            reporter.finish()
    differences = [*_packages(distributions, record)]
    differences += [Difference("extra", path, "") for path in there if path not in claims]
    differences += [Difference(kind, path, owners[path], why) for each in answers for path, kind, why in each.wrong]
    unread = (path for path, rows in claims.items() if not rows and not is_bytecode(path) and not is_own(path))
    differences += [Difference("missing", path, owners[path]) for path in unread if path not in there]
    differences += [Difference("missing", path, "", "virtualenv made it") for path in _OWN if not _is_there(root, path)]
    differences.sort(key=lambda each: (each.path, each.package, each.kind))
    files, size = sum(each.files for each in answers), sum(each.size for each in answers)
    return VerifyReport(len(distributions), files, size, tuple(differences), tuple(_remarks(differences)))


def difference_words(difference: Difference) -> str:
    """Return a difference in one line."""
    of = f" ({difference.package})" if difference.path and difference.package else ""
    why = f": {difference.why}" if difference.why else ""
    return f"{difference.kind}  {difference.path or difference.package}{of}{why}"


def _claims(distributions: Iterable[Distribution]) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Return what RECORDs say of each path, without those that say nothing, and the package that each path is of.

    Two packages may have the same file: one of their rows has to fit.
    """
    claims: dict[str, list[Row]] = {}
    owners: dict[str, str] = {}
    for distribution in distributions:
        title = _title(distribution)
        for path, row in distribution.rows.items():
            owners[path] = title
            found = claims.setdefault(path, [])
            if row is not None:
                found.append(row)
    return claims, owners


def _batches(claims: Mapping[str, list[Row]]) -> list[tuple[list[tuple[str, list[Row]]], int]]:
    """Return what has to be read, a batch for each question, with the bytes that RECORDs state; the largest first."""
    batches: list[tuple[list[tuple[str, list[Row]]], int]] = []
    batch: list[tuple[str, list[Row]]] = []
    size = 0
    for path, rows in claims.items():
        # Bytecode that pip has compiled is in RECORD without a digest.
        if not rows or is_own(path):
            continue
        batch.append((path, rows))
        size += rows[0].size or 0
        if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
            batches.append((batch, size))
            batch, size = [], 0
    if batch:
        batches.append((batch, size))
    return sorted(batches, key=lambda each: -each[1])


def _list(root: str) -> set[str]:
    return {entry.path for entry in walk(root) if entry.kind != "folder"}


def _is_there(root: str, path: str) -> bool:
    # A link to a Python that is gone is there: that is said of the environment as a whole.
    return os.path.lexists(f"{root}/{path}")


def _packages(distributions: tuple[Distribution, ...], record: EnvironmentRecord) -> Iterator[Difference]:
    """Yield what is installed and should not be, the reverse, and what somebody else installed over it."""
    wanted = {normalise(name): version for name, version in record.packages}
    # pip or uv, where the environment was made with their help.
    found = Counter(each.installer for each in distributions if each.name in wanted)
    made_by = "tumpline" if "tumpline" in found or not found else found.most_common(1)[0][0]
    seen = set()
    for each in distributions:
        if each.problem:
            yield Difference("unreadable", f"{each.folder}/RECORD", _title(each), each.problem)
        if each.name == normalise(record.project or "-"):
            continue
        version = wanted.get(each.name)
        # Where the lock has no pip, it is the one that tumpline puts there, whoever installed the rest.
        if version is None and not (each.name == "pip" and each.installer == "tumpline"):
            yield Difference(
                "package-added", "", _title(each), f"installed by {each.installer or 'an unknown program'}"
            )
        elif version is not None:
            if each.name in seen:
                yield Difference("package-added", "", _title(each), "the package is there twice")
            elif not _same(each.version, version):
                yield Difference("package-replaced", "", _title(each), f"it should be {version}")
            elif each.installer != made_by:
                yield Difference(
                    "package-replaced", "", _title(each), f"installed anew by {each.installer or 'nobody'}"
                )
            seen.add(each.name)
    for name in sorted(wanted.keys() - seen):
        yield Difference("package-missing", "", f"{name} {wanted[name]}")


def _remarks(differences: list[Difference]) -> Iterator[Problem]:
    missing = [each for each in differences if each.kind == "missing"]
    packages = {each.package for each in missing if each.package}
    if len(missing) >= _PURGED and len(packages) > 1:
        yield Problem(
            "looks-purged",
            f"{len(missing)} files of {len(packages)} packages are gone, as a purge of old files leaves it",
            hint="keep environments off file systems that are purged, such as scratch; or pack them: tumpline pack",
        )


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return parse_version(one) == parse_version(other)
    except ValueError:
        return False


def _who(distribution: Distribution) -> str:
    return distribution.installer or "an unknown program"


def _title(distribution: Distribution) -> str:
    return f"{distribution.name} {distribution.version}"


def _question(root: str, batch: list[tuple[str, list[Row]]]) -> bytes:
    rows = [[path, [[row.algorithm, row.digest] for row in claims]] for path, claims in batch]
    return json.dumps({"root": root, "rows": rows}).encode() + b"\n"


def _read(line: bytes) -> Checked | TumplineError:
    answer = json.loads(line)
    if (error := error_of(answer)) is not None:
        return error
    return Checked(answer["files"], answer["size"], [(path, kind, why) for path, kind, why in answer["wrong"]])
