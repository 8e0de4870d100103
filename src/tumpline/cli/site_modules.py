"""The modules of a site for its catalogue: asked for where that can be, and how they are known told to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue.content import ModuleEvidence, ModuleNote
    from tumpline.catalogue.modules import SiteModules
    from tumpline.sites import ModulePackage, Site

__all__ = ["EVIDENCE", "counted", "module_counts", "modules_data", "site_modules", "tell_modules"]

EVIDENCE: dict[ModuleEvidence, str] = {
    "read": "read from their folders",
    "stated": "as their module files state (inferred)",
    "table": "from the site's profile",
}
"""How it is known what modules bring, in words."""


def site_modules(site: Site, progress: Callable[[str], None], *, ask: bool) -> SiteModules:
    """Return what the site's modules bring: from the module system if it may be asked and is there, else its profile.

    Reads the environment variables; `progress` is told what is being done.
    """
    from tumpline.catalogue.modules import SiteModules, read_modules
    from tumpline.host.lmod import Lmod
    from tumpline.sites.load import module_packages

    table = module_packages(site)
    lmod = Lmod.find(variables()) if ask and site.environments else None
    if lmod is None:
        return SiteModules(table)
    return read_modules(site, table, lmod, progress=progress)


def tell_modules(modules: SiteModules, terminal: Terminal) -> None:
    """Tell how it is known what modules bring, and what could not be asked."""
    for problem in modules.problems:
        terminal.note(problem)
    if modules.packages:
        asked = f", asked of {modules.system}" if modules.system else ""
        terminal.say(f"modules{asked}: {counted(modules.packages, modules.notes)}")


def modules_data(modules: SiteModules) -> dict[str, object]:
    """Return how it is known what modules bring as plain data; see ``docs/reference/catalogue.md``."""
    return {
        "system": modules.system or None,
        **module_counts(modules.packages, modules.notes),
        "problems": [{"code": p.code, "message": p.message, "where": p.where} for p in modules.problems],
    }


def counted(packages: Iterable[ModulePackage], notes: Iterable[ModuleNote]) -> str:
    """Say in words how many modules are known in which way."""
    counts = module_counts(packages, notes)
    return ", ".join(f"{counts[evidence]:,} {words}" for evidence, words in EVIDENCE.items() if counts[evidence])


def module_counts(packages: Iterable[ModulePackage], notes: Iterable[ModuleNote]) -> dict[str, int]:
    """Count modules, each version by itself, by how it is known what they bring."""
    noted = {note[:3]: note.evidence for note in notes}
    modules = {(row.environment, row.module, row.module_version) for row in packages}
    counts = Counter(noted.get(key, "table") for key in modules)
    return {evidence: counts[evidence] for evidence in EVIDENCE}
