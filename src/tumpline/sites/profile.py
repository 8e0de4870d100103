"""What a site profile says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tumpline.values import Name

__all__ = [
    "BuildPlace",
    "Dummy",
    "Internet",
    "JobRules",
    "ModulePackage",
    "Platform",
    "Quota",
    "Site",
    "SiteKind",
    "SoftwareEnvironment",
]

SiteKind = Literal["cluster", "machine"]
Internet = Literal["none", "proxy", "full"]
BuildPlace = Literal["in-job", "login-node"]


@dataclass(frozen=True, slots=True)
class Platform:
    """The operating system and the wheels it takes.

    `os` is ``linux``, ``macos`` or ``windows``; `machine` is ``x86_64``, ``arm64`` … `tags` are the platform tags that
    wheels may carry here, best first (``linux_x86_64`` alone on a site that refuses manylinux, R2); ``any`` is always
    accepted and not listed.
    """

    os: str
    machine: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModulePackage:
    """A Python package that a module brings: (software environment, module, version, Python) -> (name, version)."""

    environment: str
    module: str
    module_version: str
    python: str
    name: Name
    version: str


@dataclass(frozen=True, slots=True)
class Dummy:
    """A package whose wheel in the wheelhouse fails on purpose, because `module` provides it (R5)."""

    name: Name
    module: str


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of one file system: `space` in bytes, `files` as a count; None where unknown or unlimited."""

    space: int | None
    files: int | None


@dataclass(frozen=True, slots=True)
class JobRules:
    """What a site's scheduler wants of jobs; what is not known is empty, and nothing is held against a job.

    `accounts` are the first parts of account names (``def`` for ``def-pi``); where there are any, a job has to name an
    account. `gpus` are the requests that are allowed on a node: a model (``a100``, any number of it), a model with its
    number (``h100:4``), or a number alone (``4``). `whole_nodes` says that jobs get nodes as a whole, `cores` how many
    cores such a node has; `memory` is False where a request for memory means nothing. `shortest` and `longest` are in
    minutes. `shared_folder` is a folder of each node's own disk that outlasts a job, so that the tasks of an array can
    share what the first of them makes.
    """

    accounts: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    whole_nodes: bool = False
    cores: int | None = None
    memory: bool = True
    shortest: int | None = None
    longest: int | None = None
    shared_folder: str = ""


@dataclass(frozen=True, slots=True)
class SoftwareEnvironment:
    """One ``StdEnv``: its Pythons (exact versions, ``3.11.5``) and, per CPU level, the wheelhouse layers in order."""

    name: str
    pythons: tuple[str, ...]
    default_python: str
    layers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Site:
    """A site profile. `inferred` holds the key paths (``cpu-levels``) of facts that nobody confirmed.

    `catalogue` is the name of the catalogue that describes the site's wheels: several clusters share one.
    `wheelhouse` is the root folder the layers are in, or None where there is no wheelhouse.
    `local_tag` is what the site's wheels carry as local version (``computecanada``). `module_tables` are the files that
    list what modules bring, read by `tumpline.sites.load.module_packages` when asked; `origin` is the profile's file.
    """

    name: str
    title: str
    kind: SiteKind
    platform: Platform
    catalogue: str | None = None
    wheelhouse: str | None = None
    local_tag: str = ""
    manylinux: bool = True
    cpu_levels: tuple[str, ...] = ()
    environments: tuple[SoftwareEnvironment, ...] = ()
    default_environment: str = ""
    login_host: str = ""
    scheduler: str = ""
    compute_internet: Internet = "full"
    job_storage: Literal["disk", "memory", ""] = ""
    home_writable_in_jobs: bool = True
    build_in: BuildPlace = "in-job"
    jobs: JobRules = JobRules()
    quotas: Mapping[str, Quota] | None = None
    dummies: tuple[Dummy, ...] = ()
    module_tables: tuple[str, ...] = ()
    inferred: frozenset[str] = frozenset()
    origin: str = ""

    def environment(self, name: str) -> SoftwareEnvironment | None:
        """Return the software environment of that name, or None."""
        return next((env for env in self.environments if env.name == name), None)
