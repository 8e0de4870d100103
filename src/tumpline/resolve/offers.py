"""Offers: what each target can get of a package - from its wheelhouse, its modules, an index (R2-R8).

An `OfferBook` is asked by package name and answers with a `Table`: the package's public versions, numbered once for all
targets, and for every target the set of versions it can get, as bits. Which file a version means on a target is
worked out only for the versions that a search really looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Literal

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import CatalogueReader, Wheel
from tumpline.index import IndexReader, ProjectPage, Release
from tumpline.index.cutoff import CutOffIndex
from tumpline.project import PackageRule, Policy
from tumpline.resolve.addresses import Addresses
from tumpline.resolve.builds import TORCH_TAG, share_builds
from tumpline.resolve.judge import Judge
from tumpline.resolve.offer import Offer
from tumpline.resolve.refusal import Refusal
from tumpline.resolve.table import Table
from tumpline.resolve.target import Target
from tumpline.sites import ModulePackage
from tumpline.values import Name, parse_version, public_version, split_site_local

__all__ = ["OfferBook"]


class OfferBook:
    """Answers what targets can get, from their catalogues and the index.

    `catalogues` is by target, None where a target has none; `index` is None where nothing may come from an index.
    What is taken by address is the only offer where it is (as pip prefers a direct reference to any other candidate).
    What is on the index since `exclude_newer` (a moment, if any) is no offer; what a wheelhouse has, has no date.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        catalogues: Sequence[CatalogueReader | None],
        index: IndexReader | None,
        rules: Mapping[Name, PackageRule],
        addresses: Addresses | None = None,
        *,
        exclude_newer: str = "",
    ) -> None:
        self.targets = tuple(targets)
        self.judges = tuple(map(Judge, self.targets))
        self._catalogues = tuple(catalogues)
        self._cut_off = CutOffIndex(index, exclude_newer) if index is not None and exclude_newer else None
        self._index = self._cut_off or index
        self._rules = rules
        self._addresses = addresses or {}
        self._tables: dict[Name, Table] = {}
        self._widened: set[Name] = set()
        self._pinned: dict[Name, set[Version]] = {}
        self._in_catalogues: dict[tuple[int, Name], tuple[Wheel, ...]] = {}

    # What a search may add to, before it is run again with more versions

    def widen(self, name: Name) -> bool:
        """Let the index add to a package that the wheelhouse has; return whether that changes anything."""
        table = self._tables.get(name)
        if table is None or table.whole:
            return False
        self._widened.add(name)
        del self._tables[name]
        return True

    def pin(self, name: Name, version: Version) -> bool:
        """Note that a requirement names exactly this version, so that a yanked release or a build with that local
        part may be chosen (PEP 592, PEP 440); return whether a table made before lacks it."""
        pins = self._pinned.setdefault(name, set())
        if version in pins:
            return False
        pins.add(version)
        table = self._tables.get(name)
        if table is None or table.page is None or version in table.bits:
            return False
        if all(parse_version(release.version) != version for release in table.page.releases):
            return False
        del self._tables[name]
        return True

    def prefetch(self, names: Iterable[Name]) -> None:
        """Tell the index which packages will be asked for soon."""
        if self._index is not None:
            self._index.prefetch([name for name in names if name not in self._tables and self._wants_page(name)])

    # Tables

    def table(self, name: Name) -> Table:
        """Return the numbered versions of a package; the same object until `widen` or `pin` says otherwise."""
        if name not in self._tables:
            self._tables[name] = self._make_table(name)
        return self._tables[name]

    def policy(self, name: Name, target: Target) -> Policy:
        """Return the policy that holds for a package on a target."""
        rule = self._rules.get(name)
        return (rule.policy if rule else None) or target.policy

    def catalogue(self, place: int) -> CatalogueReader | None:
        """Return the catalogue of a target."""
        return self._catalogues[place]

    def addressed(self, name: Name, place: int) -> Addressed | None:
        """Return what a target takes by address of a package, whether it can use that or not."""
        return self._addresses.get((name, place))

    def page(self, name: Name) -> ProjectPage | None:
        """Return what the index has of a package, whatever the policies say; None also where there is no index."""
        return self._index.page(name) if self._index is not None else None

    def too_new(self, name: Name) -> tuple[Release, ...]:
        """Return the releases that the index has, but too late to be offers; `uploaded` is empty where unknown."""
        return self._cut_off.left_out(name) if self._cut_off is not None else ()

    def _consults_index(self, name: Name, place: int) -> Literal["always", "after", "never"]:
        """Say when a target looks at the index: always, after its wheelhouse, never."""
        target, catalogue = self.targets[place], self._catalogues[place]
        if self._index is None or (name, place) in self._addresses:
            return "never"
        if catalogue is None:
            return "always"
        match self.policy(name, target):
            case "pypi":
                return "always"
            case "mixed":
                return "after"
            case "wheelhouse":
                return "never"

    def _wants_page(self, name: Name) -> bool:
        return name in self._widened or any(
            self._consults_index(name, place) == "always"
            or (self._listed(place) and (name, place) not in self._addresses)
            for place in range(len(self.targets))
        )

    def _listed(self, place: int) -> bool:
        catalogue = self._catalogues[place]
        return catalogue is not None and catalogue.info.grade == "listed"

    def _make_table(self, name: Name) -> Table:
        places = range(len(self.targets))
        wheels = [self._wheels(name, place) for place in places]
        modules = [self._modules(name, place) for place in places]
        addressed = [self._at_address(name, place) for place in places]
        consults = [self._consults_index(name, place) for place in places]
        wide = name in self._widened or "always" in consults
        looks = [
            consults[place] == "always"
            or (consults[place] == "after" and (wide or not (wheels[place] or modules[place])))
            for place in places
        ]
        page = self._index.page(name) if self._index is not None and any(looks) else None
        on_page = [parse_version(release.version) for release in page.releases] if page else []
        releases = [self._releases(name, page, on_page, place) if page and looks[place] else {} for place in places]
        share_builds([*wheels, *modules, *addressed, *releases])
        # Kept in order of appearance, since what is nearly in order is sorted with few comparisons.
        numbering = sorted(dict.fromkeys(chain(*wheels, *modules, *addressed, *releases)))
        bits = {version: 2 << position for position, version in enumerate(numbering)}
        local = [
            sum(bits[version] for version in {*wheels[place], *modules[place], *addressed[place]}) for place in places
        ]
        remote = [sum(bits[version] for version in releases[place]) for place in places]
        return Table(
            name=name,
            versions=tuple(numbering),
            available=tuple(near | far for near, far in zip(local, remote, strict=True)),
            fallback=tuple(
                far & ~near if consults[place] == "after" or modules[place] else 0
                for place, near, far in zip(places, local, remote, strict=True)
            ),
            prereleases=sum(bit for version, bit in bits.items() if version.is_prerelease),
            whole=all(look or consult == "never" for look, consult in zip(looks, consults, strict=True)),
            page=page,
            wheels=tuple(wheels),
            modules=tuple(modules),
            addressed=tuple(addressed),
            releases=tuple(releases),
            bits=bits,
        )

    def _wheels(self, name: Name, place: int) -> dict[Version, Wheel]:
        """Return the best wheel per public version on a target: better layer, then local version, then build (R4)."""
        target, catalogue = self.targets[place], self._catalogues[place]
        if catalogue is None or self.policy(name, target) == "pypi" or (name, place) in self._addresses:
            return {}
        judge = self.judges[place]
        best: dict[Version, tuple[tuple[object, ...], Wheel]] = {}
        for wheel in self._in_catalogue(name, catalogue):
            rank = judge.wheel(wheel)
            if isinstance(rank, Refusal):
                continue
            version = parse_version(wheel.version)
            key, local = split_site_local(version, target.site.local_tag)
            if local and (torch := TORCH_TAG.search(local)) is not None:
                # Builds for several releases of torch are different things to choose from (R8).
                key = parse_version(f"{key}+{torch[0]}")
            if key not in best or rank < best[key][0]:
                best[key] = (rank, wheel)
        return {version: wheel for version, (_, wheel) in best.items()}

    def _in_catalogue(self, name: Name, catalogue: CatalogueReader) -> tuple[Wheel, ...]:
        """Return a project's wheels; several targets may share a catalogue, which is then asked once."""
        key = (id(catalogue), name)
        if key not in self._in_catalogues:
            self._in_catalogues[key] = catalogue.wheels(name)
        return self._in_catalogues[key]

    def _modules(self, name: Name, place: int) -> dict[Version, ModulePackage]:
        """Return what the target's loaded modules provide; a module without this Python provides nothing (R6)."""
        target, catalogue = self.targets[place], self._catalogues[place]
        if catalogue is None or not target.modules or (name, place) in self._addresses:
            return {}
        found: dict[Version, ModulePackage] = {}
        for row in catalogue.modules_for(name):
            if (
                row.environment == target.environment
                and row.python == target.minor
                and f"{row.module}/{row.module_version}" in target.modules
            ):
                found[public_version(parse_version(row.version))] = row
        return found

    def _at_address(self, name: Name, place: int) -> dict[Version, Addressed]:
        """Return what a target takes by address, under its public version and, where it has a local part, its full one:
        a requirement may name either, and other targets know only the first."""
        found = self._addresses.get((name, place))
        if found is None or self.judges[place].addressed(found):
            return {}
        version = parse_version(found.metadata.core.version)
        return {public_version(version): found, version: found}

    def _releases(self, name: Name, page: ProjectPage, versions: Sequence[Version], place: int) -> dict[Version, int]:
        """Return the releases of a page, whose versions these are, that a target can take."""
        rule = self._rules.get(name)
        build = rule is not None and rule.build
        return self.judges[place].releases(page, versions, build=build, pins=self._pinned.get(name, ()))

    # Single offers

    def offer(self, name: Name, place: int, version: int) -> Offer:
        """Return what a target gets for a version (a bit of the table that is available there)."""
        table = self.table(name)
        if (place, version) not in table.offers:
            table.offers[place, version] = self._make_offer(table, place, version)
        return table.offers[place, version]

    def _make_offer(self, table: Table, place: int, version: int) -> Offer:
        wanted = table.versions[version.bit_length() - 2]
        if (addressed := table.addressed[place].get(wanted)) is not None:
            return Offer(parse_version(addressed.metadata.core.version), addressed)
        # Of equal versions the loaded module's is taken: it is there in any case (R6).
        if (module := table.modules[place].get(wanted)) is not None:
            return Offer(parse_version(module.version), module)
        if (wheel := table.wheels[place].get(wanted)) is not None:
            return Offer(parse_version(wheel.version), wheel)
        assert table.page is not None  # noqa: S101 - what is available comes from one of the three
        position = table.releases[place][wanted]
        file = self.judges[place].best_file(table.page, position)
        return Offer(parse_version(table.page.releases[position].version), file)
