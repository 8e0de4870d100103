"""Known bonds between packages that metadata does not always state."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tumpline.values import Name, normalise, parse_version

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["STACKS", "OptionalCompanion", "bonds_of", "is_cuda_library", "optional_companions", "uses_numpy_api"]

STACKS = ("scipy-stack", "ipykernel")
"""Modules that bring many packages at once, of which nobody chose most: what is seen with them is padding."""

_CUDA = re.compile(
    r"nvidia-[a-z0-9-]+-cu\d+|cuda-toolkit"
    r"|nvidia-(cublas|cuda-(cccl|cupti|nvcc|nvrtc|runtime)|cufft|cufile|curand|cusolver|cusparse|nvjitlink|nvtx)"
)
"""NVIDIA's own wheels of CUDA. From CUDA 13 on their names have no suffix (the recipe of humming-kernels removes both
spellings)."""


@dataclass(frozen=True, slots=True)
class OptionalCompanion:
    """A package that does less than people expect without one of `others`: `without` says what."""

    name: Name
    others: tuple[Name, ...]
    without: str


def uses_numpy_api(name: Name) -> bool:
    """Say whether a project's wheels are compiled against numpy's C interface (R9)."""
    return name in _numpy_api()


def is_cuda_library(name: Name) -> bool:
    """Say whether a project is NVIDIA's own wheel of a part of CUDA, for which a site's modules stand (facts 2.5)."""
    return _CUDA.fullmatch(name) is not None


def bonds_of(name: Name, version: Version) -> tuple[str, ...]:
    """Return what a public version requires besides its metadata, as PEP 508 lines: the release it works with."""
    found = (_bond(bond, version) for bond in _bonds().get(name, ()))
    return tuple(line for line in found if line)


def optional_companions() -> tuple[OptionalCompanion, ...]:
    """Return the packages that do less without another."""
    return tuple(
        OptionalCompanion(normalise(row["name"]), tuple(map(normalise, row["others"])), row["without"])
        for row in _table("companions.toml")["optional"]
    )


def _bond(bond: dict[str, Any], version: Version) -> str:
    minor = f"{version.major}.{version.minor}"
    if "releases" in bond:
        release = bond["releases"].get(minor)
        return f"{bond['other']}=={release}.*" if release else ""
    if version < parse_version(bond.get("since", "0")):
        return ""
    return f"{bond['other']}=={minor}.*" if bond["same"] == "minor" else f"{bond['other']}=={version.public}"


@cache
def _bonds() -> dict[Name, list[dict[str, Any]]]:
    found: dict[Name, list[dict[str, Any]]] = {}
    for bond in _table("companions.toml")["bonds"]:
        found.setdefault(normalise(bond["name"]), []).append(bond)
    return found


@cache
def _numpy_api() -> frozenset[Name]:
    return frozenset(normalise(name) for name in _table("numpy-api.toml")["projects"])


@cache
def _table(file: str) -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("data").joinpath(file).read_text("utf-8"))
