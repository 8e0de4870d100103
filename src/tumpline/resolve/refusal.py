"""Why a target can not take a wheel of its wheelhouse."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tumpline.resolve.target import Target

__all__ = ["Refusal", "other_layer", "other_tags"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a target can not take a wheel: a stable word, and the same for people."""

    kind: Literal["unreadable", "python", "environment", "cpu-level", "layer", "platform", "requires-python"]
    words: str


def other_layer(layer: str, target: Target) -> Refusal:
    """Say what a layer is for that a target does not use."""
    environments = target.site.environments
    own = [e.layers for e in environments if e.name == target.environment]
    levels = [level for layers in own for level in layers if layer in layers[level]]
    if levels:
        return Refusal("cpu-level", f"for CPU level {', '.join(levels)}")
    others = [e.name for e in environments if any(layer in layers for layers in e.layers.values())]
    if others:
        return Refusal("environment", f"for StdEnv/{', '.join(others)}")
    return Refusal("layer", f"in layer {layer}, which {target.name} does not use")


def other_tags(tags: str, target: Target) -> Refusal:
    """Say what a wheel is built for that a target can not take."""
    found = re.match(r"cp(\d)(\d+)-", tags)
    if found and f"{found[1]}.{found[2]}" != target.minor:
        return Refusal("python", f"built for Python {found[1]}.{found[2]}")
    return Refusal("platform", f"built for {tags}")
