"""Which site this is, and from what evidence."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tumpline.sites.load import load_site
from tumpline.sites.profile import Platform, Site

__all__ = ["Detection", "Evidence", "detect", "here_platform", "site_here"]

_ARCHITECTURES = {"avx512": "x86-64-v4", "avx2": "x86-64-v3"}
"""The old names that the software stack still uses (custom modules gentoo/2023)."""

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen, and what it means; `decisive` where the answer rests on it."""

    seen: str
    meaning: str
    decisive: bool = False


@dataclass(frozen=True, slots=True)
class Detection:
    """What this machine is. `environment`, `cpu_level` and `python` are empty where nothing tells them."""

    site_name: str
    environment: str
    cpu_level: str
    python: str
    in_job: bool
    evidence: tuple[Evidence, ...]


def detect(environ: Mapping[str, str], *, hostname: str = "", system: str = sys.platform) -> Detection:
    """Tell the site from the variables that the software stack sets (``CC_CLUSTER`` …), else from the host's name.

    ``TUMPLINE_SITE`` overrides everything. Reads nothing but its arguments.
    """
    evidence: list[Evidence] = []
    site = _site(environ, hostname, system, evidence)
    environment = environ.get("EBVERSIONGENTOO", "")
    if environment:
        evidence.append(Evidence(f"EBVERSIONGENTOO={environment}", f"StdEnv/{environment} is loaded"))
    architecture = environ.get("RSNT_ARCH", "")
    cpu_level = _ARCHITECTURES.get(architecture, "")
    if cpu_level:
        evidence.append(Evidence(f"RSNT_ARCH={architecture}", f"the CPU level is {cpu_level}"))
    python = environ.get("EBVERSIONPYTHON", "")
    if python:
        evidence.append(Evidence(f"EBVERSIONPYTHON={python}", f"the module python/{python} is loaded"))
    job = environ.get("SLURM_JOB_ID", "")
    if job:
        evidence.append(Evidence(f"SLURM_JOB_ID={job}", "this runs inside a job"))
    return Detection(site, environment, cpu_level, python, bool(job), tuple(evidence))


def _site(environ: Mapping[str, str], hostname: str, system: str, evidence: list[Evidence]) -> str:
    if chosen := environ.get("TUMPLINE_SITE"):
        evidence.append(Evidence(f"TUMPLINE_SITE={chosen}", f"the site is {chosen}, because you say so", decisive=True))
        return chosen
    if cluster := environ.get("CC_CLUSTER"):
        # Off the clusters, with the software stack mounted, the variable says only that.
        if cluster != "computecanada":
            evidence.append(Evidence(f"CC_CLUSTER={cluster}", f"the site is {cluster}", decisive=True))
            return cluster
        evidence.append(
            Evidence("CC_CLUSTER=computecanada", "the software stack is here, but this is no cluster of it")
        )
    parts = hostname.lower().split(".")
    if parts[-2:] == ["alliancecan", "ca"] and len(parts) > 2:
        cluster = parts[-3].split("-")[0]
        evidence.append(Evidence(f"host {hostname}", f"the site is {cluster}", decisive=True))
        return cluster
    if parts[-2:] == ["mila", "quebec"]:
        evidence.append(Evidence(f"host {hostname}", "the site is mila", decisive=True))
        return "mila"
    name = _SYSTEMS.get(system, "linux")
    evidence.append(Evidence(f"system {system}", f"no cluster is named: the site is {name}", decisive=True))
    return name


def here_platform() -> Platform:
    """Return the platform of the running machine, with all the wheel tags it takes (PEP 425, 600, 656)."""
    from packaging.tags import platform_tags

    machine = platform.machine()
    machine = {"amd64": "x86_64", "AMD64": "x86_64", "ARM64": "arm64"}.get(machine, machine)
    return Platform(_SYSTEMS.get(sys.platform, "linux"), machine, tuple(platform_tags()))


def site_here(detection: Detection, folders: Sequence[Path] = ()) -> Site:
    """Return the profile of the detected site; a machine's platform is the real one."""
    site = load_site(detection.site_name, folders)
    return replace(site, platform=here_platform()) if site.kind == "machine" else site
