"""What profiles and modules say for a site's catalogue, and how that is known told to people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import sound_sites, user_profiles
from tumpline.host import variables

if TYPE_CHECKING:
    from tumpline.catalogue.content import ModuleEvidence, ModuleNote, View
    from tumpline.catalogue.facts import SiteFacts
    from tumpline.catalogue.modules import SiteModules
    from tumpline.catalogue.store import Catalogue
    from tumpline.sites import ModulePackage, Site

__all__ = [
    "EVIDENCE",
    "asked_modules",
    "counted",
    "module_counts",
    "module_facts",
    "modules_data",
    "profile_facts",
    "tell_modules",
]

EVIDENCE: dict[ModuleEvidence, str] = {
    "read": "read from their folders",
    "stated": "as their module files state (inferred)",
    "table": "from the site's profile",
}
"""How it is known what modules bring, in words."""


def profile_facts(site: Site) -> SiteFacts:
    """Return what the profiles say for the catalogue of a site; reads them where it is asked for."""
    from tumpline.catalogue.facts import Facts, SiteFacts
    from tumpline.sites.load import module_packages, profiles_digest

    return SiteFacts(
        profiles_digest(site, user_profiles()),
        lambda: Facts(module_packages(site), views=_views(site)),
    )


def module_facts(site: Site, modules: SiteModules) -> SiteFacts:
    """Return the facts for the catalogue of a site whose module system was asked."""
    from tumpline.catalogue.facts import Facts, SiteFacts

    return SiteFacts.known(Facts(modules.packages, modules.notes, _views(site)))


def asked_modules(site: Site, progress: Callable[[str], None]) -> SiteModules | None:
    """Ask the module system what the site's modules bring; None where there is none, or the site has no modules.

    Reads the environment variables; `progress` is told what is being done.
    """
    from tumpline.host.lmod import Lmod

    lmod = Lmod.find(variables()) if site.environments else None
    if lmod is None:
        return None
    from tumpline.catalogue.modules import read_modules
    from tumpline.sites.load import module_packages

    return read_modules(site, module_packages(site), lmod, progress=progress)


def _views(site: Site) -> tuple[View, ...]:
    from tumpline.catalogue.layers import views_of

    return views_of(each for each in sound_sites() if each.catalogue == site.catalogue)


def tell_modules(catalogue: Catalogue, asked: SiteModules | None, terminal: Terminal) -> None:
    """Tell how it is known what the modules of a catalogue bring, and what could not be asked."""
    for problem in asked.problems if asked else ():
        terminal.note(problem)
    if packages := catalogue.modules():
        system = f", asked of {asked.system}" if asked else ""
        terminal.say(f"modules{system}: {counted(packages, catalogue.module_notes())}")


def modules_data(catalogue: Catalogue, asked: SiteModules | None) -> dict[str, object]:
    """Return how it is known what modules bring as plain data; see ``docs/reference/catalogue.md``."""
    problems = asked.problems if asked else ()
    return {
        "system": asked.system if asked else None,
        **module_counts(catalogue.modules(), catalogue.module_notes()),
        "problems": [{"code": p.code, "message": p.message, "where": p.where} for p in problems],
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
