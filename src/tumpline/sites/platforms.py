"""From a profile's ``[platform]`` to the wheel tags that a site takes (PEP 425, PEP 600)."""

from __future__ import annotations

import re

from tumpline.sites.profile import Platform
from tumpline.sites.reader import Form, Table

__all__ = ["parse_platform"]

_WORD = Form(re.compile(r"[A-Za-z0-9_]+"), "a word such as x86_64")
_TAG = Form(re.compile(r"[a-z0-9_]+"), "a platform tag such as linux_x86_64")
# Two digits at most: from each version follow the tags of all before it.
_GLIBC = Form(re.compile(r"2\.[0-9]{1,2}"), "a version of glibc such as 2.28")
_MACOS = Form(re.compile(r"1[0-9]\.[0-9]{1,2}|[2-9][0-9]\.[0-9]{1,2}"), "a version of macOS such as 14.0")

_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""glibc 2.X: what its tag was called before PEP 600."""


def parse_platform(table: Table) -> Platform:
    """Read os, machine, tags, and ``glibc`` or ``macos`` from which further tags follow."""
    system = table.text("os", "linux", choices=("linux", "macos", "windows"))
    machine = table.text("machine", "x86_64", form=_WORD)
    tags = table.texts("tags", form=_TAG)
    if system == "linux" and (glibc := table.text("glibc", form=_GLIBC)):
        tags = (*_manylinux(int(glibc.partition(".")[2]), machine), *tags)
    if system == "macos" and (macos := table.text("macos", form=_MACOS)):
        tags = (*_mac(macos, machine), *tags)
    if table.values and not tags:
        table.complain("tags", "the site takes no platform tag; write tags, glibc (Linux) or macos (macOS)")
    table.done()
    return Platform(system, machine, tuple(dict.fromkeys(tags)))


def _manylinux(minor: int, machine: str) -> tuple[str, ...]:
    """Return the tags that a system with glibc 2.MINOR takes, newest first."""
    oldest = 5 if machine in ("x86_64", "i686") else 17
    tags: list[str] = []
    for version in range(minor, oldest - 1, -1):
        tags.append(f"manylinux_2_{version}_{machine}")
        if (alias := _LEGACY.get(version)) is not None:
            tags.append(f"{alias}_{machine}")
    return tuple(tags)


def _mac(version: str, machine: str) -> tuple[str, ...]:
    from packaging.tags import mac_platforms

    major, minor = (int(part) for part in version.split("."))
    return tuple(mac_platforms((major, minor), machine))
