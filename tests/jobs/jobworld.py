"""A project and a site whose jobs have rules; its scripts run under stand-ins of Slurm's programs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cli.world import MINOR, Done, World
from tests.wheelmaker import make_wheel

__all__ = ["JobWorld"]

_PROFILE = """\
title = "Pond"
kind = "cluster"
scheduler = "slurm"
compute-internet = "none"
job-storage = "disk"

[platform]
os = "linux"
machine = "x86_64"
tags = ["linux_x86_64"]

[jobs]
accounts = ["def"]
gpus = ["a100", "h100:4"]
longest = 600
shared-folder = "@SHARED@"
"""

_PROJECT = f"""\
[project]
name = "toy-project"
version = "0.1"
dependencies = ["alpha", "pip==99.0"]

[tool.tumpline.job]
account = "def-toy"
time = "0:10:00"

[tool.tumpline.targets.pond]
site = "pond"
python = "{MINOR}"
"""

_PROGRAMS = {
    # What each is asked is noted, one argument a line.
    "srun": 'printf "%s\\n" srun "$@" >>"$DIARY"\nwhile [[ $1 == --* ]]; do shift; done\nexec "$@"',
    "sbcast": 'printf "%s\\n" sbcast "$@" >>"$DIARY"\nshift\ncp "$1" "$2"',
    "squeue": 'printf "%s\\n" squeue "$@" >>"$DIARY"\ncat "$QUEUE" 2>/dev/null || true',
    "sbatch": 'printf "%s\\n" sbatch "$@" >>"$DIARY"\n'
    'case $1 in --parsable) cp "$2" "$DIARY.sh"; echo 4711;;\n'
    '*) if [ -n "${REFUSE:-}" ]; then echo "sbatch: error: $REFUSE" >&2; exit 1; fi\n'
    'echo "sbatch: Job 5 to start at 2030-01-01T00:00:00 using 1 processors on nodes n1" >&2;; esac',
}


class JobWorld(World):
    """``alpha`` is on the index and, after `stage`, in the stage; the wheel ``pip`` stands for the real one."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.shared = str(root / "shared")
        Path(self.shared).mkdir(parents=True, exist_ok=True)
        (self.sites / "pond.toml").write_text(_PROFILE.replace("@SHARED@", self.shared))
        self.pyproject.write_text(_PROJECT)
        make_wheel(self.links, "alpha", "1.0", files={"alpha.py": "says = 'alpha'"})
        make_wheel(self.links, "pip", "99.0")
        self.environ |= {"TUMPLINE_SITE": "pond", "TUMPLINE_STAGE": str(self.odd / "stage")}
        self.diary = root / "diary"
        self.run("lock").ok()
        self.run("stage").ok()

    @property
    def odd(self) -> Path:
        """A folder with a name that no shell may take for code; pip's settings could not name it."""
        return self.root / "a b'$(touch harm)`touch harm`"

    @property
    def project(self) -> Path:
        return self.odd / "project"

    def stand_ins(self) -> None:
        """Put stand-ins of Slurm's programs first on PATH."""
        folder = self.root / "programs"
        folder.mkdir(exist_ok=True)
        for name, code in _PROGRAMS.items():
            path = folder / name
            path.write_text(f"#!/bin/bash\n{code}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        self.environ["PATH"] = f"{folder}{os.pathsep}{self.environ['PATH']}"
        self.environ |= {"DIARY": str(self.diary), "QUEUE": str(self.root / "queue")}

    def script(self, *words: str) -> Path:
        """Write a job's script and return its file."""
        path = self.root / "job.sh"
        self.run("job", "script", "--file", str(path), *words).ok()
        return path

    def start(
        self, script: Path, job: int = 7, command: Sequence[str] = ("bash",), **more: str
    ) -> subprocess.Popen[str]:
        """Start a script as the batch step of a job would be started, on a node with a disk of its own for the job."""
        disk = self.root / f"disk.{job}"
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        variables = {
            "SLURM_JOB_ID": str(job),
            "SLURM_JOB_NAME": "toy-project",
            "SLURM_JOB_NUM_NODES": "1",
            "SLURM_JOB_NODELIST": "n1",
            "SLURM_JOB_ACCOUNT": "def-toy",
            "SLURM_NTASKS": "1",
            "SLURM_TMPDIR": str(disk),
        }
        return subprocess.Popen(
            [*command, str(script)],
            cwd=self.project,
            env={**self.environ, **variables, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def runs(
        self,
        script: Path,
        job: int = 7,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = ("bash",),
    ) -> Done:
        """Run a script to its end."""
        process = self.start(script, job, command, **(environ or {}))
        out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    def lose_wheels(self) -> None:
        """Empty the stage, the index and the cache."""
        for folder in (self.odd / "stage", self.links, self.root / "home" / ".cache"):
            shutil.rmtree(folder, ignore_errors=True)

    def asked(self, program: str) -> int:
        """How often a stand-in was started."""
        return self.diary.read_text().splitlines().count(program) if self.diary.exists() else 0
