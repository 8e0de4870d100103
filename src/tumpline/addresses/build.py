"""Metadata that only a build tells: the build backend is run (PEP 517), isolated, in a process of its own.

This runs code of the package, so it happens only where the project allows it for that package.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.bounded import Bounds, run_bounded
from tumpline.host.launch import child_variables, own_python
from tumpline.host.pip import pip_variables
from tumpline.host.process import last_lines
from tumpline.wheels import CoreMetadata

__all__ = ["Builder"]

_SECONDS = 1800.0
_MOST_WRITTEN = 20 << 30
_MAKE = "from virtualenv.__main__ import run_with_catch; run_with_catch(sys.argv[1:])"


class Builder:
    """Asks build backends for metadata, with a pip in a virtual environment of its own, which is made when needed.

    pip sees to the isolation and takes what a backend needs from where its configuration says; `offline` leaves it
    only folders. The Python is the one that runs Tumpline.
    """

    def __init__(self, environ: Mapping[str, str], *, offline: bool) -> None:
        self._environ = environ
        self._offline = offline
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the environment."""
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def metadata(self, source: str, where: str) -> CoreMetadata:
        """Return the metadata of a source: a folder, an sdist, or the ``file:`` address of one.

        `where` names it in complaints. Raises EnvironmentFailure ``build-failed``, with the end of what was said,
        ``virtualenv-failed``, ``program-hangs``, ``program-too-large``.
        """
        folder = self._environment()
        scripts = folder / "env" / ("Scripts" if sys.platform == "win32" else "bin")
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        command = [
            *(scripts / "python", "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
            *("install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps", "--ignore-requires-python"),
            *(("--no-index", "--retries", "0") if self._offline else ()),
            *("--report", report, source),
        ]
        variables = pip_variables(self._environ, str(folder / "env"), str(scripts), offline=self._offline)
        # Backends leave their own folders in TMPDIR, which is to be removed, and counted, as well.
        (folder / "tmp").mkdir(exist_ok=True)
        done = run_bounded(
            command,
            Bounds(_SECONDS, folder, _MOST_WRITTEN),
            environment={**variables, "TMPDIR": str(folder / "tmp")},
        )
        if done.status == 0 and (found := _read(report)) is not None:
            return found
        raise EnvironmentFailure.of(
            "build-failed",
            "the build that should tell what the package needs failed",
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
                    *("-p", sys.executable, str(folder / "env")),
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
        return Path(self._scratch.name)


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
