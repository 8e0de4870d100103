"""What a cluster needs of the machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.host.process import run

__all__ = ["LMOD", "PROGRAMS_PATH", "lacking", "system"]

LMOD = Path("/usr/share/lmod/lmod")
"""Where Debian's and Ubuntu's package has Lmod."""

PROGRAMS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PROGRAMS = ("ip", "nsenter", "unshare", "mount", "bash", "munged", "slurmctld", "slurmd", "srun", "sbatch")


def lacking() -> str:
    """Return the reason why no cluster can be started here, empty where one can."""
    if sys.platform != "linux":
        return f"a cluster needs Linux, and this is {sys.platform}"
    if os.geteuid() != 0:
        return "a cluster needs root: its nodes have networks and mounts of their own"
    if gone := [name for name in _PROGRAMS if shutil.which(name, path=PROGRAMS_PATH) is None]:
        return f"{', '.join(gone)} not found: make services installs Slurm, munge and Lmod"
    if not (LMOD / "init" / "bash").is_file():
        return "there is no Lmod here: make services installs one"
    done = run(["unshare", "--net", "--mount", "--uts", "true"], timeout=10)
    return f"this machine makes no namespaces: {done.stderr.strip()}" if done.status else ""


def system(*words: str | Path, timeout: float = 20) -> str:
    """Run a program of the system and return what it prints; raises EnvironmentFailure ``cluster-failed``."""
    done = run(words, timeout=timeout, environment={"PATH": PROGRAMS_PATH})
    if done.status:
        raise EnvironmentFailure.of(
            "cluster-failed",
            f"`{' '.join(map(str, words))}` ended with status {done.status}",
            why=(done.stderr or done.stdout).strip(),
            hint="take down what there is of the cluster and start again: make cluster-down cluster",
        )
    return done.stdout
