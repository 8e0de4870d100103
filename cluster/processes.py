"""The processes of a cluster: found by what they are, so that those of a start that was cut short are found as well."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from cluster.model import Cluster, Node
from cluster.network import namespaces
from tumpline.host.process import run

__all__ = ["crash", "daemons", "processes", "stop"]

_POLITE_SECONDS = 4.0
_LAST_SECONDS = 10.0


def daemons(cluster: Cluster) -> dict[int, str]:
    """Return the daemons that run, by process id: the command lines of all name a file of the cluster."""
    marks = [f"{cluster.configuration}", f"--socket={cluster.root}/run/munge", f"{cluster.root}/run/proxy"]
    found: dict[int, str] = {}
    for pid in _all():
        words = _read(pid, "cmdline").decode(errors="replace").split("\0")
        named = any(mark in words for mark in marks)
        if named and Path(words[0]).name.startswith(("slurm", "munged", "python")):
            found[pid] = " ".join(words).strip()
    return found


def processes(cluster: Cluster) -> set[int]:
    """Return all: the daemons, what shares a node's mounts or network, and what runs in the cluster's jobs."""
    own = daemons(cluster)
    found = set(own)
    here = _namespace(os.getpid())
    apart = {_namespace(pid) for pid in own} - {here, ""}
    for name in namespaces(cluster):
        found.update(map(int, run(["ip", "netns", "pids", name], timeout=20).stdout.split()))
    mark = f"SLURM_CONF={cluster.configuration}".encode()
    for pid in _all():
        if _namespace(pid) in apart or _is_step(pid, cluster):
            found.add(pid)
        else:
            variables = _read(pid, "environ").split(b"\0")
            # A person's own shell names the configuration, but is in no job.
            if mark in variables and any(each.startswith(b"SLURM_TASK_PID=") for each in variables):
                found.add(pid)
    return found - {os.getpid(), os.getppid()}


def _is_step(pid: int, cluster: Cluster) -> bool:
    """Whether it is a slurmstepd, which names no file, and outlives the slurmd by which it would be found."""
    if not _read(pid, "cmdline").startswith(b"slurmstepd"):
        return False
    try:
        folder = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 - no path, the text of the link
    except OSError:
        return False
    return folder.startswith(f"{cluster.root}/")


def stop(cluster: Cluster) -> None:
    """End all of them and wait; those that do not end when asked are killed."""
    for sign, seconds in ((signal.SIGTERM, _POLITE_SECONDS), (signal.SIGKILL, _LAST_SECONDS)):
        ours = processes(cluster)
        for pid in ours:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        if not ours or _within(seconds, lambda: not any(map(_runs, ours)) and not processes(cluster)):  # noqa: B023
            return


def crash(node: Node, cluster: Cluster) -> None:
    """Kill all that runs on a node at once, as when its power fails; what is on its disk stays."""
    apart = _namespace(int((cluster.root / "run" / f"slurmd-{node.name}.pid").read_text()))
    while ours := [pid for pid in _all() if apart and _namespace(pid) == apart and _runs(pid)]:
        for pid in ours:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _all() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")  # noqa: PTH115 - no path, the text of the link
    except OSError:
        return ""


def _runs(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    state = _read(pid, "stat").rpartition(b")")[2].split()
    return bool(state) and state[0] not in (b"Z", b"X")
