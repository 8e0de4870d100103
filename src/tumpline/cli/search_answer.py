"""What a search found, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tumpline.catalogue.content import WheelRow
    from tumpline.catalogue.near import ModuleOffer, Near
    from tumpline.catalogue.query import Ask
    from tumpline.values import Name

__all__ = ["Answer", "Missing"]


class Missing(NamedTuple):
    """Something asked for that no wheel and no module is there of, and what is near."""

    ask: Ask
    near: tuple[Near, ...]


class Answer(NamedTuple):
    """What a search found: wheels by project in the order of the table, modules by package, and what is missing."""

    projects: tuple[tuple[WheelRow, ...], ...]
    modules: tuple[tuple[Name, tuple[ModuleOffer, ...]], ...]
    missing: tuple[Missing, ...]
