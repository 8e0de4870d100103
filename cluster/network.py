"""The network of a cluster: a bridge to the login node, and a network namespace for each node.

What a node sends to anywhere but the cluster goes through the device ``out``, whose other end throws it away. So a
program that looks for the internet waits for an answer, as behind a firewall, and its packets can be counted.
"""

from __future__ import annotations

import json
from pathlib import Path

from cluster.model import Cluster, Node
from cluster.needs import system
from tumpline.host.process import run

__all__ = ["free_number", "make_network", "namespaces", "packets_out", "remove_network"]


def free_number(wanted: int) -> int:
    """Return a number, `wanted` if possible, whose network nobody on this machine has."""
    taken = system("ip", "-o", "-4", "addr", "show") + system("ip", "-4", "route", "show", "table", "all")
    numbers = [(wanted + step) % 250 + 1 for step in range(250)]
    return next(number for number in numbers if f" 10.213.{number}." not in taken)


def make_network(cluster: Cluster) -> None:
    """Make bridge, namespaces and devices; raises EnvironmentFailure ``cluster-failed``."""
    system("ip", "link", "add", cluster.bridge, "type", "bridge")
    system("ip", "addr", "add", f"{cluster.address}/24", "dev", cluster.bridge)
    system("ip", "link", "set", cluster.bridge, "up")
    for node in cluster.nodes:
        if node.namespace:
            _connect(node, cluster)


def _connect(node: Node, cluster: Cluster) -> None:
    inside = ("ip", "-n", node.namespace)
    system("ip", "netns", "add", node.namespace)
    # Neighbours that IPv6 looks for would be counted as packets.
    off = "for file in all default; do echo 1 >/proc/sys/net/ipv6/conf/$file/disable_ipv6 || :; done 2>/dev/null"
    system("nsenter", f"--net=/run/netns/{node.namespace}", "sh", "-c", off)
    system("ip", "link", "add", node.link, "type", "veth", "peer", "name", "eth0", "netns", node.namespace)
    system("ip", "link", "set", node.link, "master", cluster.bridge, "up")
    system(*inside, "link", "set", "lo", "up")
    system(*inside, "addr", "add", f"{node.address}/24", "dev", "eth0")
    system(*inside, "link", "set", "eth0", "up")
    system(*inside, "link", "add", "out", "type", "veth", "peer", "name", "sink")
    system(*inside, "link", "set", "sink", "up")
    system(*inside, "link", "set", "out", "arp", "off", "up")
    system(*inside, "route", "add", "default", "dev", "out")


def packets_out(node: Node) -> int:
    """Return how many packets the node has sent to anywhere but the cluster."""
    (link,) = json.loads(system("ip", "-n", node.namespace, "-j", "-s", "link", "show", "dev", "out"))
    return int(link["stats64"]["tx"]["packets"])


def namespaces(cluster: Cluster) -> list[str]:
    """Return the names of the cluster's network namespaces that are there."""
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(f"{cluster.tag}-*")) if folder.is_dir() else []


def remove_network(cluster: Cluster) -> None:
    """Remove all devices and namespaces with the cluster's names; what is not there is no failure."""
    for namespace in namespaces(cluster):
        run(["ip", "netns", "delete", namespace], timeout=20)
    for link in Path("/sys/class/net").glob(f"{cluster.tag}*"):
        run(["ip", "link", "delete", link.name], timeout=20)
