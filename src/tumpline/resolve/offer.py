"""One thing that a target can get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import Wheel
from tumpline.index import IndexFile
from tumpline.sites import ModulePackage

__all__ = ["Offer", "Source"]

Source = Literal["wheelhouse", "module", "pypi", "path", "url", "vcs"]


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that one target can get: a full version and the artefact that has it."""

    version: Version
    artefact: Wheel | IndexFile | ModulePackage | Addressed

    @property
    def source(self) -> Source:
        """Where it comes from."""
        match self.artefact:
            case Wheel():
                return "wheelhouse"
            case ModulePackage():
                return "module"
            case IndexFile():
                return "pypi"
            case Addressed():
                return self.artefact.source
