"""Where everything of one cluster is, and what it is called."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from cluster.kinds import KINDS, Kind
from tumpline.errors import InputError
from tumpline.host import write_atomically

__all__ = ["Cluster", "Node", "read_cluster"]

_STATE = "cluster.json"


@dataclass(frozen=True, slots=True)
class Node:
    """One node: `namespace` is the name of its network namespace, empty where it uses the machine's network."""

    name: str
    address: str
    port: int
    namespace: str
    link: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in the folder `root`. `number` makes its network ``10.213.NUMBER.0/24`` and its ports."""

    root: Path
    kind: Kind
    number: int
    count: int

    @property
    def tag(self) -> str:
        """What the names of its network devices begin with (at most 15 characters are allowed in all)."""
        return f"tu{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

    @property
    def bridge(self) -> str:
        """The network device that the nodes' networks hang on."""
        return f"{self.tag}b"

    @property
    def address(self) -> str:
        """The login node's address for the nodes."""
        return f"10.213.{self.number}.1"

    @property
    def port(self) -> int:
        """The port of slurmctld; those behind it are for nodes on the machine's own network, and for the proxy."""
        return 20000 + 32 * self.number

    @property
    def proxy(self) -> str:
        """The address of the proxy."""
        return f"http://{self.address}:{self.port + 31}"

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Its nodes: n1, n2 …"""
        return tuple(map(self._node, range(1, self.count + 1)))

    def _node(self, position: int) -> Node:
        name = f"n{position}"
        apart = self.kind.internet != "full"
        return Node(
            name=name,
            address=f"10.213.{self.number}.{10 + position}" if apart else self.address,
            port=self.port + 1 if apart else self.port + position,
            namespace=f"{self.tag}-{name}" if apart else "",
            link=f"{self.tag}{name}",
            folder=self.root / "nodes" / name,
        )

    @property
    def configuration(self) -> Path:
        """What ``SLURM_CONF`` names."""
        return self.root / "etc" / "slurm.conf"

    @property
    def profile(self) -> Path:
        """The script that a login shell reads."""
        return self.root / "etc" / "profile.sh"

    @property
    def login(self) -> Path:
        """The program that runs a command, or a shell, as on the login node."""
        return self.root / "login"

    @property
    def local(self) -> Path:
        """Where each node has its own disk: one path, another folder on each."""
        return self.root / "localscratch"

    @property
    def home(self) -> Path:
        """The home folder; ``project`` and ``scratch`` are beside it."""
        return self.root / "home"

    @property
    def scratch(self) -> Path:
        """The folder that jobs can always write to."""
        return self.root / "scratch"

    def write(self) -> None:
        """Write down what the cluster is, before anything of it is made."""
        text = json.dumps({"kind": self.kind.name, "number": self.number, "nodes": self.count})
        write_atomically(self.root / _STATE, text.encode())


def read_cluster(root: Path) -> Cluster | None:
    """Return the cluster of a folder, or None where there is none; raises InputError ``not-a-cluster``."""
    root = root.absolute()
    try:
        state = json.loads((root / _STATE).read_text(encoding="utf-8"))
        return Cluster(root, KINDS[state["kind"]], int(state["number"]), int(state["nodes"]))
    except FileNotFoundError:
        if not root.exists() or (root.is_dir() and not any(root.iterdir())):
            return None
        why = "it holds something else"
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"{_STATE}: {error}"
    raise InputError.of(
        "not-a-cluster", "the folder is not that of a cluster", where=str(root), why=why, hint="name a new folder"
    )
