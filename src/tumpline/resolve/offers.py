"""Offers: what each target can get of a package - from its wheelhouse, its modules, an index (R2-R8).

An `OfferBook` is asked by package name and answers with a `Table`: the package's public versions, numbered once for all
targets, and for every target the set of versions it can get, as bits. Which file a version means on a target is
worked out only for the versions that a search really looks at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from packaging.version import Version

from tumpline.addresses import Addressed
from tumpline.catalogue import CatalogueReader, Wheel
from tumpline.index import IndexFile, IndexReader, ProjectPage, Release
from tumpline.index.cutoff import CutOffIndex
from tumpline.project import PackageRule, Policy
from tumpline.resolve.addresses import Addresses
from tumpline.resolve.refusal import Refusal, other_layer, other_tags
from tumpline.resolve.target import Target
from tumpline.sites import ModulePackage
from tumpline.values import Name, parse_specifier, parse_version, public_version, split_site_local

__all__ = ["TORCH_TAG", "Offer", "OfferBook", "Source", "Table"]

Source = Literal["wheelhouse", "module", "pypi", "path", "url", "vcs"]

TORCH_TAG = re.compile(r"torch(\d)(\d+)")
"""In the local version of a wheel linked to libtorch: ``torch29``, ``torch210`` (wheels_builder#63)."""


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


@dataclass(slots=True)
class Table:
    """The versions of one package, oldest first: version i is bit i+1.

    By target: `available` is what it can get, `fallback` those of them that it would have to take from an index
    although its wheelhouse comes first (R3). `whole` says whether the index was consulted wherever policies allow it.
    `masks` and `offers` remember answers: by specifier set; by target and version.
    """

    name: Name
    versions: tuple[Version, ...]
    available: tuple[int, ...]
    fallback: tuple[int, ...]
    prereleases: int
    whole: bool
    page: ProjectPage | None
    wheels: tuple[Mapping[Version, Wheel], ...]
    modules: tuple[Mapping[Version, ModulePackage], ...]
    addressed: tuple[Mapping[Version, Addressed], ...]
    releases: tuple[Mapping[Version, int], ...]
    masks: dict[str, int] = field(default_factory=dict)
    offers: dict[tuple[int, int], Offer] = field(default_factory=dict)

    def from_wheelhouse(self, place: int) -> int:
        """Return the versions that a target takes from its wheelhouse."""
        return self._bits(set(self.wheels[place]).difference(self.modules[place]))

    def from_index(self, place: int) -> int:
        """Return the versions that a target takes from an index."""
        return self._bits(set(self.releases[place]).difference(self.wheels[place], self.modules[place]))

    def _bits(self, versions: Set[Version]) -> int:
        return sum(2 << position for position, version in enumerate(self.versions) if version in versions)

    def matching(self, specifier: str) -> int:
        """Return the versions that satisfy a specifier set, compared as public versions (R1)."""
        try:
            return self.masks[specifier]
        except KeyError:
            accepted = set(parse_specifier(specifier).filter(self.versions, prereleases=True))
            mask = 0
            for place, version in enumerate(self.versions):
                if version in accepted:
                    mask |= 2 << place
            self.masks[specifier] = mask
            return mask


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
        self._catalogues = tuple(catalogues)
        self._cut_off = CutOffIndex(index, exclude_newer) if index is not None and exclude_newer else None
        self._index = self._cut_off or index
        self._rules = rules
        self._addresses = addresses or {}
        self._tables: dict[Name, Table] = {}
        self._widened: set[Name] = set()
        self._pinned: dict[Name, set[Version]] = {}
        self._pythons: dict[tuple[str, str], bool] = {}
        self._index_tags = tuple(map(_IndexTags, self.targets))
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
        if table is None or table.page is None or version in table.versions:
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
        _share_builds([*wheels, *modules, *addressed, *releases])
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
        )

    def _wheels(self, name: Name, place: int) -> dict[Version, Wheel]:
        """Return the best wheel per public version on a target: better layer, then local version, then build (R4)."""
        target, catalogue = self.targets[place], self._catalogues[place]
        if catalogue is None or self.policy(name, target) == "pypi" or (name, place) in self._addresses:
            return {}
        best: dict[Version, tuple[tuple[object, ...], Wheel]] = {}
        for wheel in self._in_catalogue(name, catalogue):
            rank = self.judge_wheel(wheel, target)
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

    def judge_wheel(self, wheel: Wheel, target: Target) -> tuple[object, ...] | Refusal:
        """Return a wheel's rank on a target (smaller is better), or why the target can not take it."""
        try:
            version = parse_version(wheel.version)
        except ValueError:  # InvalidVersion is one; so is a number of too many digits
            return Refusal("unreadable", f"{wheel.version} is not a version")
        if not wheel.file:
            if target.minor not in wheel.pythons:
                return Refusal("python", f"listed only for Python {', '.join(wheel.pythons)}")
            return (0, _Descending(version), _Descending(_build_key("")), 0)
        if wheel.layer not in target.layers:
            return other_layer(wheel.layer, target)
        tag_rank = target.ranking.rank(wheel.tags)
        if tag_rank is None:
            return other_tags(wheel.tags, target)
        if wheel.requires_python and not self.accepts_python(wheel.requires_python, target.python):
            return Refusal("requires-python", f"requires Python {wheel.requires_python}")
        return (target.layers.index(wheel.layer), _Descending(version), _Descending(_build_key(wheel.build)), tag_rank)

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
        if found is None or self.judge_addressed(found, self.targets[place]):
            return {}
        version = parse_version(found.metadata.core.version)
        return {public_version(version): found, version: found}

    def judge_addressed(self, found: Addressed, target: Target) -> str:
        """Return why a target can not take what is at an address, empty where it can; R2 holds for it as well."""
        python = found.metadata.core.requires_python
        if python and not self.accepts_python(python, target.python):
            return f"it requires Python {python}"
        if not found.tags or target.ranking.rank(found.tags) is not None:
            return ""
        refused = ", and this site refuses manylinux wheels" if "manylinux" in found.tags else ""
        return f"the wheel is built for {found.tags}{refused if not target.site.manylinux else ''}"

    def _releases(self, name: Name, page: ProjectPage, versions: Sequence[Version], place: int) -> dict[Version, int]:
        """Return the releases that a target can take, by public version (and by the exact local one if pinned).

        `versions` are those of the page's releases.
        """
        python = self.targets[place].python
        takes = self._index_tags[place]
        accepted = 0
        for position, tags in enumerate(page.tags):
            if takes[tags]:
                accepted |= 1 << position
        rule = self._rules.get(name)
        build = rule is not None and rule.build
        pins = self._pinned.get(name, ())
        found: dict[Version, int] = {}
        for position, release in enumerate(page.releases):
            if not (release.tags & accepted or (build and release.sdist)):
                continue
            if release.requires_python and not self.accepts_python(release.requires_python, python):
                continue
            version = versions[position]
            if release.yanked and version not in pins:
                continue
            # Releases are in ascending order: of several builds of one public version the highest local one stays.
            found[public_version(version)] = position
            if version in pins and version.local:
                found[version] = position
        return found

    def accepts_python(self, specifier: str, python: str) -> bool:
        """Say whether a Requires-Python admits a full Python version."""
        key = (specifier, python)
        if key not in self._pythons:
            try:
                self._pythons[key] = parse_specifier(specifier).contains(python, prereleases=True)
            except ValueError:  # InvalidSpecifier is one; so is a number of too many digits
                # As pip does: a Requires-Python that can not be read excludes nothing.
                self._pythons[key] = True
        return self._pythons[key]

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
        file = self._index_file(table.page, position, place)
        return Offer(parse_version(table.page.releases[position].version), file)

    def _index_file(self, page: ProjectPage, position: int, place: int) -> IndexFile:
        """Return the file of a release that a target likes best: by tags, then by build tag; an sdist last."""
        ranking = self.targets[place].ranking
        best: tuple[tuple[int, object], IndexFile] | None = None
        yanked = page.releases[position].yanked
        for file in page.files(position):
            if file.yanked and not yanked:
                continue
            tags = "-".join(file.file[:-4].split("-")[-3:]) if file.file.endswith(".whl") else ""
            if tags and not self._index_tags[place][tags]:
                continue
            rank = ranking.rank(tags) if tags else 1 << 30
            parts = file.file.split("-")
            key = (1 << 30 if rank is None else rank, _Descending(_build_key(parts[2] if len(parts) == 6 else "")))
            if best is None or key < best[0]:
                best = (key, file)
        assert best is not None  # noqa: S101 - the release was found acceptable before
        return best[1]


class _IndexTags(dict[str, bool]):
    """Which compressed tag sets a target takes from an index, worked out when first asked for."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def __missing__(self, tags: str) -> bool:
        # Where manylinux is refused, only wheels that run anywhere may come from an index (R2).
        allowed = self._target.site.manylinux or tags.endswith("-none-any")
        self[tags] = taken = allowed and self._target.ranking.rank(tags) is not None
        return taken


def _share_builds(maps: Sequence[dict[Version, Any]]) -> None:
    """Let what is one build of a version stand for each of the builds that another target tells apart.

    ``2.1.2`` of a laptop is the same public version as ``2.1.2+torch26`` and ``2.1.2+torch29`` of a cluster.
    """
    builds: dict[Version, list[Version]] = {}
    for versions in maps:
        for version in versions:
            if version.local and TORCH_TAG.fullmatch(version.local):
                builds.setdefault(public_version(version), []).append(version)
    for public, versions_of in builds.items():
        for versions in maps:
            if public in versions:
                for build in versions_of:
                    versions.setdefault(build, versions[public])


class _Descending:
    """Turns a comparison round, so that the highest comes first in a tuple of ascending keys."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: _Descending) -> bool:
        return bool(other.value < self.value)  # type: ignore[operator]  # both sides hold the same kind of key


def _build_key(build: str) -> tuple[int, str]:
    """Return the sort key of a build tag: its leading number, then the rest (binary distribution format)."""
    digits = re.match(r"\d*", build)
    number = digits.group() if digits else ""
    return (int(number) if number else -1, build[len(number) :])
