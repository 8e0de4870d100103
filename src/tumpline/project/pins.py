"""How firmly a version that a list pins is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from tumpline.project.spelling import compose
from tumpline.project.tilde import tilde
from tumpline.values import parse_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["PIN_STYLES", "PinStyle", "pinned"]

PinStyle = Literal["tilde", "exact", "none"]
"""``tilde``: that release and its later patches; ``exact``: that version; ``none``: any version."""

PIN_STYLES: tuple[PinStyle, ...] = get_args(PinStyle)


def pinned(requirement: Requirement, version: str, style: PinStyle) -> Requirement:
    """Return a requirement that pins `version`, in another style; its extras and marker stay."""
    match style:
        case "tilde":
            specifier = tilde(parse_version(version))
        case "exact":
            specifier = f"=={version}"
        case _:
            specifier = ""
    return compose(
        requirement.name, extras=requirement.extras, specifier=specifier, markers=(str(requirement.marker or ""),)
    )
