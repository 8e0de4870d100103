"""Slurm's configuration, and the scripts of a cluster."""

from __future__ import annotations

import socket
from pathlib import Path

from cluster.model import Cluster
from cluster.needs import LMOD, PROGRAMS_PATH
from replica.build import Replica

__all__ = ["write_scripts"]

_DATA = Path(__file__).resolve().parent / "data"


def write_scripts(cluster: Cluster, replica: Replica) -> None:
    """Write ``slurm.conf``, what slurmd runs around jobs, and what a login shell reads."""
    folder = cluster.configuration.parent
    folder.mkdir()
    cluster.configuration.write_text(_configuration(cluster))
    more = []
    if cluster.kind.internet == "proxy":
        more = [f"echo export {name}={cluster.proxy}" for name in ("http_proxy", "https_proxy")]
        more.append('echo "export XDG_CACHE_HOME=$folder/cache"')
    values = {
        "root": str(cluster.root),
        "local": str(cluster.local),
        "site": cluster.kind.name,
        "sites": f"{cluster.root / 'sites'}:{replica.sites}",
        "path": PROGRAMS_PATH,
        "lmod": str(LMOD),
        "load": "module load StdEnv" if cluster.kind.default_modules else ":",
        "more": "\n".join(more),
    }
    for name in ("prolog", "epilog", "task_prolog", "profile"):
        _fill(_DATA / f"{name}.sh", folder / f"{name}.sh", values)
    _fill(_DATA / "login.sh", cluster.login, values)


def _fill(template: Path, path: Path, values: dict[str, str]) -> None:
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _configuration(cluster: Cluster) -> str:
    """Return ``slurm.conf``: no accounting, no cgroups, and delays short enough for tests.

    A job that is started anew waits for as long as the credential of its first run is good (slurm.conf(5),
    ``cred_expire``), two minutes by default. It can not be much shorter: steps have to start within it.
    """
    root, scripts = cluster.root, cluster.configuration.parent
    nodes = "\n".join(
        f"NodeName={node.name} NodeHostname={node.name} NodeAddr={node.address} Port={node.port} "
        "CPUs=4 RealMemory=8000 Feature=x86-64-v3"
        for node in cluster.nodes
    )
    return f"""\
ClusterName={cluster.tag}
SlurmctldHost={socket.gethostname().partition(".")[0]}({cluster.address})
SlurmctldPort={cluster.port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/run/munge,cred_expire=15
CredType=cred/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/nodes/%n/spool
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2
DefMemPerCPU=256
# The nodes promise more than this machine has.
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=5
MinJobAge=600
TreeWidth=16
Prolog={scripts}/prolog.sh
Epilog={scripts}/epilog.sh
TaskProlog={scripts}/task_prolog.sh
PrologFlags=Alloc
{nodes}
PartitionName=cpubase Nodes=ALL Default=YES MaxTime=24:00:00 DefaultTime=10:00 State=UP
"""
