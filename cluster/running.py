"""Starting a cluster and taking it away."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from cluster.kinds import Kind
from cluster.model import Cluster, Node, read_cluster
from cluster.needs import PROGRAMS_PATH, lacking, system
from cluster.network import free_number, make_network, remove_network
from cluster.processes import daemons, stop
from cluster.scripts import write_scripts
from cluster.software import write_profile, write_software
from replica.build import Replica, make_replica
from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.process import run

__all__ = ["LONGEST", "down", "on_node", "run_job", "start_node", "up"]

_HERE = Path(__file__).resolve().parent
_READY_SECONDS = 30.0
LONGEST = 75
"""Characters of the folder's path; names of sockets below it may have 107."""


def up(
    root: Path,
    kind: Kind,
    count: int = 4,
    *,
    replica: Replica | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Cluster:
    """Start a cluster in a folder, or return the one that runs there if it is of this kind and size.

    Its wheelhouse is that of `replica`, by default of the one that all share, which is made where it is not there.
    What is left of one that was killed is removed first. Raises EnvironmentFailure ``cluster-not-possible``,
    ``cluster-failed``; InputError ``not-a-cluster``, ``cluster-is-another``; what making the replica raises.
    """
    root = root.absolute()
    if reason := lacking():
        raise EnvironmentFailure.of(
            "cluster-not-possible", "no cluster can be started here", why=reason, hint="see how-to/test-on-a-cluster.md"
        )
    if len(str(root)) > LONGEST:
        raise InputError.of(
            "not-a-cluster",
            f"the path of the folder is longer than {LONGEST} characters",
            where=str(root),
            hint="name another folder with --folder",
        )
    replica = replica or make_replica(_HERE.parent / ".work" / "replica", say=say)
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.with_name(f".{root.name}.lock")):
        if (old := read_cluster(root)) is not None:
            if _is_well(old):
                if (old.kind, old.count) == (kind, count):
                    say("the cluster runs already")
                    return old
                raise InputError.of(
                    "cluster-is-another",
                    f"a cluster like {old.kind.name} with {old.count} nodes runs here",
                    where=str(root),
                    hint="take it down first: make cluster-down",
                )
            say("removing what is left of a cluster that was not taken down")
            _remove(old)
        number = free_number(zlib.crc32(str(root).encode()) % 250)
        cluster = Cluster(root, kind, number, count)
        cluster.write()
        try:
            _start(cluster, replica)
        except BaseException:
            _remove(cluster)
            raise
    return cluster


def down(root: Path) -> bool:
    """End everything of the cluster in a folder and remove the folder; False where there is none.

    Raises InputError ``not-a-cluster``, EnvironmentFailure ``cluster-failed``.
    """
    if (cluster := read_cluster(root)) is None:
        return False
    lock = cluster.root.with_name(f".{cluster.root.name}.lock")
    with FileLock(lock):
        _remove(cluster)
    lock.unlink(missing_ok=True)
    return True


def on_node(node: Node, cluster: Cluster, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command on a node as root, in its network and with its mounts, outside of any job."""
    pid = (cluster.root / "run" / f"slurmd-{node.name}.pid").read_text().strip()
    return subprocess.run(
        ["nsenter", f"--target={pid}", "--mount", "--net", "--uts", *map(str, words)],
        env={"PATH": PROGRAMS_PATH, "SLURM_CONF": str(cluster.configuration)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def run_job(cluster: Cluster, folder: Path, *words: str) -> int:
    """Submit a job from a folder with these arguments of sbatch, wait for its end and return its exit status.

    ``sbatch --wait`` asks ever more seldom, after a minute only every half. A job that a signal ended has 128 and more.
    """
    login = (cluster.login, "env", f"--chdir={folder}")
    done = run([*login, "sbatch", "--parsable", *words], timeout=60)
    if done.status:
        raise EnvironmentFailure.of("cluster-failed", "sbatch refuses the job", why=done.stderr)
    while True:
        shown = run([*login, "scontrol", "--oneliner", "show", "job", done.stdout.strip()], timeout=60).stdout
        facts = dict(word.partition("=")[::2] for word in shown.split())
        if facts.get("JobState") not in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED"):
            status, signal = map(int, facts.get("ExitCode", "1:0").split(":"))
            if signal:
                return 128 + signal
            return status or int(facts.get("JobState") != "COMPLETED")
        time.sleep(0.1)


def _start(cluster: Cluster, replica: Replica) -> None:
    for name in ("state", "log", "run", "munge", "localscratch", "home", "project", "scratch"):
        (cluster.root / name).mkdir()
    for folder in (cluster.root / "munge", cluster.root / "state"):
        folder.chmod(0o700)
    write_software(cluster, replica)
    write_profile(cluster)
    write_scripts(cluster, replica)
    make_network(cluster)
    _start_munge(cluster)
    system("slurmctld", "-f", cluster.configuration, "-c")
    if cluster.kind.internet == "proxy":
        _start_proxy(cluster)
    for node in cluster.nodes:
        start_node(node, cluster)
    _wait(cluster)


def _start_munge(cluster: Cluster) -> None:
    folder = cluster.root / "munge"
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))
    system(
        *("munged", "--force", f"--key-file={key}", f"--socket={cluster.root}/run/munge", "--num-threads=2"),
        *(f"--pid-file={cluster.root}/run/munged.pid", f"--log-file={cluster.root}/log/munged.log"),
        f"--seed-file={folder}/seed",
    )


def _start_proxy(cluster: Cluster) -> None:
    start = 'cd "$1" && exec "${@:3}" >>"$2" 2>&1'
    words = (sys.executable, "-m", "cluster.proxy", cluster.address, str(cluster.port + 31))
    folders = (_HERE.parent, cluster.root / "log" / "proxy.log")
    system("setsid", "--fork", "bash", "-c", start, "bash", *folders, *words, cluster.root / "run" / "proxy")


def start_node(node: Node, cluster: Cluster) -> None:
    """Start the slurmd of a node, with namespaces of its own; also one that was killed."""
    for name in ("disk", "spool"):
        (node.folder / name).mkdir(parents=True, exist_ok=True)
    network: tuple[str, ...] = ("nsenter", f"--net=/run/netns/{node.namespace}") if node.namespace else ()
    kept = "" if cluster.kind.home_writable else f"{cluster.home}:{cluster.root / 'project'}"
    memory = "4g" if cluster.kind.memory else "none"
    words: list[str | Path] = ["unshare", "--mount", "--uts", "bash", _HERE / "data" / "node.sh"]
    words += [node.name, node.folder / "disk", cluster.local, memory, kept]
    # `ip netns exec` would mount another /sys, without the cgroups that slurmd looks for.
    system(*network, *words, "slurmd", "-f", cluster.configuration, "-N", node.name)


def _wait(cluster: Cluster) -> None:
    end = time.monotonic() + _READY_SECONDS
    said = ""
    while time.monotonic() < end:
        said = _states(cluster)
        if said.split() == ["idle"] * cluster.count:
            return
        time.sleep(0.05)
    logs = "\n".join(path.read_text(errors="replace")[-600:] for path in sorted((cluster.root / "log").iterdir()))
    raise EnvironmentFailure.of(
        "cluster-failed", "the nodes do not become idle", why=f"{said}\n{logs}", hint="see what the daemons say"
    )


def _states(cluster: Cluster) -> str:
    environment = {"PATH": PROGRAMS_PATH, "SLURM_CONF": str(cluster.configuration)}
    done = run(["sinfo", "-h", "-N", "-o", "%T"], environment=environment, timeout=20)
    return done.stdout or done.stderr


def _is_well(cluster: Cluster) -> bool:
    """Whether all daemons run."""
    wanted = cluster.count + 2 + (cluster.kind.internet == "proxy")
    return len(daemons(cluster)) >= wanted


def _remove(cluster: Cluster) -> None:
    stop(cluster)
    remove_network(cluster)
    shutil.rmtree(cluster.root)
