"""Which site this is, and from what evidence."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tumpline.sites.profile import Platform, Site

__all__ = ["Detection", "Evidence", "detect", "here_platform", "site_here"]

_ARCHITECTURES = {"avx512": "x86-64-v4", "avx2": "x86-64-v3"}
"""The old names that the software stack still uses (custom modules gentoo/2023)."""

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"amd64": "x86_64", "AMD64": "x86_64", "ARM64": "arm64"}

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class Evidence(NamedTuple):
    """One thing that was seen, and what it means; `decisive` where the answer rests on it."""

    seen: str
    meaning: str
    decisive: bool = False


class Detection(NamedTuple):
    """What this machine is. `environment`, `cpu_level` and `python` are empty where nothing tells them."""

    site_name: str
    environment: str
    cpu_level: str
    python: str
    in_job: bool
    evidence: tuple[Evidence, ...]


def detect(environ: Mapping[str, str], *, hostname: str = "", system: str = sys.platform) -> Detection:
    """Tell the site from the variables that the software stack sets (``CC_CLUSTER`` …), else from the host's name.

    ``TUMPLINE_SITE`` overrides everything. Reads nothing but its arguments, and does not look whether the site it finds
    has a profile. What a variable holds is taken as it is if it can be a name, and ignored otherwise.
    """
    evidence: list[Evidence] = []
    site = _site(environ, hostname, system, evidence)
    environment = _word(environ, "EBVERSIONGENTOO")
    if environment:
        evidence.append(Evidence(f"EBVERSIONGENTOO={environment}", f"StdEnv/{environment} is loaded"))
    architecture = _word(environ, "RSNT_ARCH")
    cpu_level = _ARCHITECTURES.get(architecture, "")
    if cpu_level:
        evidence.append(Evidence(f"RSNT_ARCH={architecture}", f"the CPU level is {cpu_level}"))
    python = _word(environ, "EBVERSIONPYTHON")
    if python:
        evidence.append(Evidence(f"EBVERSIONPYTHON={python}", f"the module python/{python} is loaded"))
    job = _word(environ, "SLURM_JOB_ID")
    if job:
        evidence.append(Evidence(f"SLURM_JOB_ID={job}", "this runs inside a job"))
    return Detection(site, environment, cpu_level, python, bool(job), tuple(evidence))


def _word(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    return value if _WORD.fullmatch(value) else ""


def _site(environ: Mapping[str, str], hostname: str, system: str, evidence: list[Evidence]) -> str:
    chosen = _word(environ, "TUMPLINE_SITE")
    # `here` is what this function is asked about: as an answer it would go round in a circle.
    if chosen and chosen != "here":
        evidence.append(Evidence(f"TUMPLINE_SITE={chosen}", f"the site is {chosen}, because you say so", decisive=True))
        return chosen
    cluster = _word(environ, "CC_CLUSTER")
    if cluster and cluster != "computecanada":
        evidence.append(Evidence(f"CC_CLUSTER={cluster}", f"the site is {cluster}", decisive=True))
        return cluster
    if cluster:
        # Off the clusters, with the software stack mounted, the variable says only that.
        meaning = "the software stack is here, but this is no cluster of it"
        evidence.append(Evidence("CC_CLUSTER=computecanada", meaning))
    if cluster := _cluster_of(hostname.lower()):
        evidence.append(Evidence(f"host {hostname}", f"the site is {cluster}", decisive=True))
        return cluster
    name = _SYSTEMS.get(system, "linux")
    evidence.append(Evidence(f"system {system}", f"no cluster is named: the site is {name}", decisive=True))
    return name


def _cluster_of(hostname: str) -> str:
    """Return the cluster whose node a full host name is, empty where it is none.

    Sources: the clusters' login hosts (``narval.alliancecan.ca``, ``trillium-gpu.alliancecan.ca``) and Mila's
    documentation (``login-1.login.server.mila.quebec``, ``cn-a001.server.mila.quebec``).
    """
    if hostname.endswith(".server.mila.quebec"):
        return "mila"
    found = re.fullmatch(r"(?:[a-z0-9-]+\.)*([a-z0-9]+)(?:-[a-z0-9]+)?\.alliancecan\.ca", hostname)
    return found[1] if found else ""


def here_platform() -> Platform:
    """Return the platform of the running machine, with all the wheel tags that this interpreter takes (PEP 425)."""
    import platform

    from packaging.tags import platform_tags

    from tumpline.sites.profile import Platform

    machine = platform.machine()
    return Platform(_SYSTEMS.get(sys.platform, "linux"), _MACHINES.get(machine, machine), tuple(platform_tags()))


def site_here(detection: Detection, folders: Sequence[Path] = ()) -> Site:
    """Return the profile of the detected site; where that is a machine of this kind, its platform is the real one.

    Raises InputError ``unknown-site`` where the detected site has no profile, or ``bad-profile``.
    """
    from dataclasses import replace

    from tumpline.sites.load import load_site

    site = load_site(detection.site_name, folders)
    if site.kind != "machine":
        return site
    real = here_platform()
    # ``TUMPLINE_SITE`` may name another kind of machine than this one.
    if site.platform.os != real.os:
        return site
    return replace(site, platform=real, inferred=site.inferred - {"platform"})
