"""Running build backends (PEP 517): for metadata that only a build tells, and for wheels.

Backends run isolated, in processes of their own. This runs code of the package, so it happens only where the project
allows it for that package.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.bounded import Bounds, run_bounded
from tumpline.host.launch import child_variables, own_python
from tumpline.host.pip import pip_variables
from tumpline.host.process import Completed, last_lines
from tumpline.wheels import CoreMetadata

__all__ = ["BuildGround", "Builder"]

_SECONDS = 7200.0
"""Long enough for what is compiled on a busy login node."""

_MOST_WRITTEN = 20 << 30
_MAKE = "from virtualenv.__main__ import run_with_catch; run_with_catch(sys.argv[1:])"
_PIP = ("-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-cache-dir")
_NO_INDEX = ("--no-index", "--retries", "0")

_LACKING = ("No matching distribution found", "Could not find a version that satisfies")
"""How pip says that its sources do not have what a build requires."""

_REFUSE_MANYLINUX = """\
def manylinux_compatible(*_):
    return False
"""


@dataclass(frozen=True, slots=True)
class BuildGround:
    """What builds stand on: an interpreter (None: the one that runs Tumpline), and where build requirements come from.

    `folders` are the layers of a site's wheelhouse, which are asked before any index. Without `manylinux`, such wheels
    are not taken for build requirements either (R2).
    """

    python: Path | None = None
    folders: tuple[Path, ...] = ()
    manylinux: bool = True


class Builder:
    """Runs build backends with a pip in a virtual environment of its own, which is made when it is first needed.

    pip sees to the isolation and takes what a backend needs from where its configuration says; `offline` leaves it
    only folders.
    """

    def __init__(self, environ: Mapping[str, str], *, offline: bool, ground: BuildGround = BuildGround()) -> None:
        self._environ = environ
        self._offline = offline
        self._ground = ground
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the environment, and the wheels that were built."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def metadata(self, source: str, where: str) -> CoreMetadata:
        """Return the metadata of a source: a folder, an sdist, or the ``file:`` address of one.

        `where` names it in complaints. Raises EnvironmentFailure ``build-failed``, with the end of what was said,
        ``virtualenv-failed``, ``program-hangs``, ``program-too-large``.
        """
        report = self._environment() / "report.json"
        report.unlink(missing_ok=True)
        words = ("install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--ignore-requires-python")
        done = self._pip([*words, "--report", str(report), source])
        if done.status == 0 and (found := _read(report)) is not None:
            return found
        raise self._failed("the build that should tell what the package needs failed", where, done)

    def wheel(self, source: str, where: str) -> Path:
        """Build a source, given as to `metadata`, and return the wheel; it lives until `close`, or the next one.

        Raises as `metadata`.
        """
        folder = self._environment() / "wheels"
        shutil.rmtree(folder, ignore_errors=True)
        done = self._pip(["wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), source])
        built = sorted(folder.glob("*.whl"))
        if done.status == 0 and len(built) == 1:
            return built[0]
        raise self._failed("the package could not be built", where, done)

    def editable(self, source: str, where: str) -> Path:
        """Install a project editable (PEP 660) in the environment itself, and return its folder of packages.

        Raises as `metadata`.
        """
        words = ("install", "--quiet", "--no-deps", "--no-compile", "--no-warn-script-location", "--editable", source)
        done = self._pip(words)
        folder = self._environment() / "env"
        found = [*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]
        if done.status == 0 and found:
            return found[0]
        raise self._failed("the project could not be built", where, done)

    def _pip(self, words: Sequence[str]) -> Completed:
        """Run pip in the environment; with a wheelhouse first with that alone, unless something is lacking then."""
        folder = self._environment()
        variables = pip_variables(self._environ, str(folder / "env"), str(_scripts(folder)), offline=self._offline)
        links = [word for layer in self._ground.folders for word in ("--find-links", str(layer))]
        if links:
            # pip would prefer any newer version, so that it may see no other place, nor settings that name one.
            alone = {name: value for name, value in variables.items() if not name.startswith("PIP_")}
            done = self._run([*words, *_NO_INDEX, *links], {**alone, "PIP_CONFIG_FILE": os.devnull})
            if done.status == 0 or not any(said in f"{done.stdout}{done.stderr}" for said in _LACKING):
                return done
        return self._run([*words, *(_NO_INDEX if self._offline else ()), *links], variables)

    def _run(self, words: Sequence[str], variables: Mapping[str, str]) -> Completed:
        folder = self._environment()
        # Backends leave their own folders in TMPDIR, which is to be removed, and counted, as well.
        (folder / "tmp").mkdir(exist_ok=True)
        return run_bounded(
            [_scripts(folder) / "python", *_PIP, *words],
            Bounds(_SECONDS, folder, _MOST_WRITTEN),
            environment={**variables, "TMPDIR": str(folder / "tmp")},
        )

    def _failed(self, message: str, where: str, done: Completed) -> EnvironmentFailure:
        return EnvironmentFailure.of(
            "build-failed",
            message,
            where=where,
            why=last_lines(f"{done.stdout}\n{done.stderr}") or "the backend told nothing of it",
            hint=(
                "run the command once without --offline: what the build needs has to be fetched"
                if self._offline
                else "install what the build misses, or ask for a version that has a wheel"
            ),
        )

    def _environment(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tumpline-build-", dir=self._environ.get("TMPDIR"))
            folder = Path(self._scratch.name)
            done = run_bounded(
                own_python(
                    _MAKE,
                    *("--no-download", "--no-periodic-update", "--app-data", str(folder / "app-data")),
                    *("-p", str(self._ground.python or sys.executable), str(folder / "env")),
                ),
                Bounds(_SECONDS, folder, _MOST_WRITTEN),
                environment=child_variables(self._environ),
            )
            if done.status:
                self.close()
                raise EnvironmentFailure.of(
                    "virtualenv-failed",
                    "virtualenv could not make an environment to build in",
                    where=str(folder),
                    why=last_lines(done.stderr + done.stdout),
                    hint="check that the folder for temporary files (TMPDIR) is writable and has space left",
                )
            if not self._ground.manylinux:
                # Where packaging, and so pip, looks for the platform's word on it (PEP 600).
                for packages in folder.glob("env/lib/python*/site-packages"):
                    (packages / "_manylinux.py").write_text(_REFUSE_MANYLINUX, encoding="utf-8")
        return Path(self._scratch.name)


def _scripts(folder: Path) -> Path:
    return folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")


def _read(report: Path) -> CoreMetadata | None:
    """Return the metadata of the one package of pip's installation report, None where it has none."""
    try:
        (row,) = json.loads(report.read_text(encoding="utf-8"))["install"]
        metadata = row["metadata"]
        return CoreMetadata(
            str(metadata["name"]),
            str(metadata["version"]),
            tuple(map(str, metadata.get("requires_dist") or ())),
            str(metadata.get("requires_python") or ""),
            tuple(map(str, metadata.get("provides_extra") or ())),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
