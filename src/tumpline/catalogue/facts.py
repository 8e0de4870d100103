"""What a catalogue holds besides wheels: what the site's modules bring, and what each site sees of the wheelhouse."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tumpline.catalogue.content import ModuleNote, View
    from tumpline.sites import ModulePackage

__all__ = ["Facts", "SiteFacts"]


class Facts(NamedTuple):
    """What modules bring, how that is known, and which layers the sites that share the catalogue see (`views_of`)."""

    modules: tuple[ModulePackage, ...] = ()
    module_notes: tuple[ModuleNote, ...] = ()
    views: tuple[View, ...] = ()


class SiteFacts(NamedTuple):
    """Facts that are read only where something changed: to parse profiles takes longer than to see that they did not.

    `digest` differs wherever the facts differ; it may also differ where they do not. `read` returns them.
    """

    digest: str
    read: Callable[[], Facts]

    @classmethod
    def known(cls, facts: Facts) -> SiteFacts:
        """Return facts that are at hand already."""
        text = "\0".join(map(repr, (*facts.modules, "", *facts.module_notes, "", *facts.views)))
        return cls(hashlib.sha256(text.encode()).hexdigest(), lambda: facts)
