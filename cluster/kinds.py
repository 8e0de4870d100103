"""The kinds of clusters: how the nodes of each differ from a login node (sources: the profiles of these sites)."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["KINDS", "Kind"]


class Kind(NamedTuple):
    """What jobs find: `internet` from a node, whether local storage is a RAM disk, whether home can be written."""

    name: str
    title: str
    internet: Literal["none", "proxy", "full"]
    memory: bool = False
    home_writable: bool = True
    default_modules: bool = True


KINDS = {
    kind.name: kind
    for kind in (
        Kind("narval", "no internet on nodes, a local disk", "none"),
        Kind("trillium", "no internet, a RAM disk, home read-only in jobs", "none", True, False, False),
        Kind("vulcan", "internet through a proxy only, a local disk", "proxy"),
        Kind("fir", "internet on nodes, a local disk", "full"),
    )
}
"""By the name of the site that each behaves like; its jobs and shells say that this is that site."""
