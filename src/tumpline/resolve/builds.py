"""Builds of one version: which are different things to choose from, and which of them is the better."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from packaging.version import Version

from tumpline.values import public_version

__all__ = ["TORCH_TAG", "Descending", "build_key", "share_builds"]

TORCH_TAG = re.compile(r"torch(\d)(\d+)")
"""In the local version of a wheel linked to libtorch: ``torch29``, ``torch210`` (wheels_builder#63)."""


def share_builds(maps: Sequence[dict[Version, Any]]) -> None:
    """Let what is one build of a version stand for each of the builds that another target tells apart.

    ``2.1.2`` of a laptop is the same public version as ``2.1.2+torch26`` and ``2.1.2+torch29`` of a cluster.
    """
    builds: dict[Version, list[Version]] = {}
    for versions in maps:
        for version in versions:
            if version.local and TORCH_TAG.fullmatch(version.local):
                builds.setdefault(public_version(version), []).append(version)
    for public, versions_of in builds.items():
        for versions in maps:
            if public in versions:
                for build in versions_of:
                    versions.setdefault(build, versions[public])


class Descending:
    """Turns a comparison round, so that the highest comes first in a tuple of ascending keys."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descending) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Descending) -> bool:
        return bool(other.value < self.value)  # type: ignore[operator]  # both sides hold the same kind of key


def build_key(build: str) -> tuple[int, str]:
    """Return the sort key of a build tag: its leading number, then the rest (binary distribution format)."""
    digits = re.match(r"\d*", build)
    number = digits.group() if digits else ""
    return (int(number) if number else -1, build[len(number) :])
