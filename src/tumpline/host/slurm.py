"""Slurm, as far as jobs are submitted: ``sbatch``, which is handed a file and never a line of a shell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tumpline.errors import EnvironmentFailure, NotSo
from tumpline.host.process import last_lines, run

__all__ = ["Slurm"]

_SECONDS = 120.0
"""A scheduler that is busy answers after half a minute."""

_ID = re.compile(r"([0-9]+)(;[\w.-]+)?")


class Slurm:
    """The Slurm of this machine; `environ` are the variables that its programs get, and that jobs inherit."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        program = shutil.which("sbatch", path=environ.get("PATH"))
        if program is None:
            raise EnvironmentFailure.of(
                "no-slurm",
                "there is no sbatch here",
                hint="on a login node of the cluster, run this again; anywhere, write the script: tumpline job script",
            )
        self._sbatch = program

    def test(self, script: Path) -> str:
        """Ask whether a job would be taken, and return what Slurm says of when and where.

        Raises NotSo ``job-refused``; EnvironmentFailure ``program-hangs``.
        """
        return self._ask("--test-only", script)

    def submit(self, script: Path) -> str:
        """Submit a job and return its number; raises as `test` does."""
        said = self._ask("--parsable", script)
        found = _ID.fullmatch(said.strip().splitlines()[-1] if said.strip() else "")
        if found is None:
            raise EnvironmentFailure.of(
                "job-refused", "sbatch names no job", why=said[:500], hint="see with squeue whether there is one"
            )
        return found[1]

    def _ask(self, option: str, script: Path) -> str:
        done = run([self._sbatch, option, str(script)], environment=self._environ, timeout=_SECONDS)
        if done.status:
            raise NotSo.of(
                "job-refused",
                "Slurm does not take the job",
                why=last_lines(done.stderr or done.stdout),
                hint="ask for something else; tumpline job script shows what was asked for",
            )
        return done.stdout if option == "--parsable" else done.stderr.strip()
