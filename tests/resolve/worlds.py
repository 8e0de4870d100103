"""Small worlds in memory: an index and catalogues made of plain data, for the resolver's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tumpline.addresses import Addressed, PathArtefact, SourceMetadata, UrlArtefact, VcsArtefact
from tumpline.catalogue import CatalogueInfo, Grade, Wheel
from tumpline.errors import InputError
from tumpline.index import IndexFile, ProjectPage
from tumpline.index.model import page_of
from tumpline.project import Declared, PackageRule, Parity, Policy, TargetRequest
from tumpline.resolve.model import Resolution
from tumpline.resolve.reporter import Reporter
from tumpline.resolve.resolution import resolve
from tumpline.resolve.steering import Steering
from tumpline.resolve.target import Target, make_target
from tumpline.sites import Dummy, ModulePackage, Platform, Site, SoftwareEnvironment
from tumpline.values import Name, normalise, parse_requirement, parse_version
from tumpline.wheels import CoreMetadata, parse_wheel_name

LINUX = Site(
    "linux",
    "A Linux machine",
    "machine",
    Platform(
        "linux", "x86_64", ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "linux_x86_64")
    ),
)

LAYERS = {
    "x86-64-v3": ("gentoo2023/x86-64-v3", "gentoo2023/generic", "generic"),
    "x86-64-v4": ("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic"),
}

LAYERS_2026 = {
    level: tuple(layer.replace("gentoo2023", "gentoo2026") for layer in layers) for level, layers in LAYERS.items()
}

CLUSTER = Site(
    "narval",
    "A cluster",
    "cluster",
    Platform("linux", "x86_64", ("linux_x86_64",)),
    catalogue="alliance",
    wheelhouse="wheelhouse",
    local_tag="computecanada",
    manylinux=False,
    cpu_levels=("x86-64-v3", "x86-64-v4"),
    environments=(
        SoftwareEnvironment("2023", ("3.11.5", "3.12.4"), "3.11.5", LAYERS),
        SoftwareEnvironment("2026", ("3.14.7",), "3.14.7", LAYERS_2026),
    ),
    default_environment="2023",
)

LAB = replace(
    CLUSTER, name="lab", title="A laboratory", local_tag="lab", manylinux=True, platform=LINUX.platform, catalogue="lab"
)


@dataclass
class MemoryIndex:
    """An index as a dict of files and their metadata; counts what is asked of it."""

    files: dict[Name, list[IndexFile]] = field(default_factory=dict)
    metadatas: dict[str, CoreMetadata] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(
        self,
        file: str,
        requires: Iterable[str] = (),
        *,
        requires_python: str = "",
        yanked: bool = False,
        extras: Iterable[str] = (),
        uploaded: str = "",
        without_metadata: bool = False,
    ) -> None:
        """Publish one file."""
        if file.endswith(".whl"):
            wheel = parse_wheel_name(file)
            name, version = wheel.name, wheel.version
        else:
            stem, _, version = file.removesuffix(".tar.gz").rpartition("-")
            name = normalise(stem)
        self.files.setdefault(name, []).append(
            IndexFile(file, file, requires_python=requires_python, yanked=yanked, uploaded=uploaded)
        )
        if not without_metadata:
            self.metadatas[file] = CoreMetadata(name, version, tuple(requires), requires_python, tuple(extras))

    def page(self, name: Name) -> ProjectPage | None:
        self.asked.append(name)
        return page_of(name, self.files[name]) if name in self.files else None

    def metadata(self, file: IndexFile) -> CoreMetadata:
        if file.file not in self.metadatas:
            raise InputError.of("metadata-unreadable", f"{file.file} has no metadata")
        return self.metadatas[file.file]

    def prefetch(self, names: Iterable[Name]) -> None:
        list(names)

    def prefetch_metadata(self, files: Iterable[IndexFile]) -> None:
        list(files)


@dataclass
class MemorySources:
    """What is at addresses, as a dict; an sdist of which its index says nothing needs nothing, if it may be built."""

    found: dict[str, Addressed] = field(default_factory=dict)
    builds: bool = True

    def add(
        self,
        address: str,
        holds: str,
        requires: Iterable[str] = (),
        *,
        requires_python: str = "",
        extras: Iterable[str] = (),
        tags: str = "",
        approximate: str = "",
    ) -> None:
        """Put a package (``name 1.0``) at an address; a ``git+`` address may end with ``@BRANCH=COMMIT``."""
        name, version = holds.split()
        core = CoreMetadata(name, version, tuple(requires), requires_python, tuple(extras))
        address, _, commit = address.partition("=")
        artefact: VcsArtefact | PathArtefact | UrlArtefact
        if address.startswith("git+"):
            artefact = VcsArtefact(commit or "0" * 40, address.rpartition("@")[0] or address)
        elif address.startswith("file:"):
            artefact = PathArtefact(address.removeprefix("file:///"))
        else:
            artefact = UrlArtefact(address, address.rpartition("/")[2], "0" * 64)
        self.found[address] = Addressed(address, SourceMetadata(core, approximate), artefact, tags)

    def addressed(self, name: Name, address: str, *, within: Addressed | None = None) -> Addressed:
        if address not in self.found:
            raise InputError.of("missing-file", f"there is nothing at {address}", where=address)
        return self.found[address]

    def sdist(self, name: Name, file: IndexFile) -> SourceMetadata:
        if not self.builds:
            raise InputError.of("build-not-allowed", f"{name} must be built to know what it needs")
        stem, _, version = file.file.removesuffix(".tar.gz").rpartition("-")
        return SourceMetadata(CoreMetadata(stem, version), "built")


@dataclass
class MemoryCatalogue:
    """A catalogue as lists."""

    grade: Grade = "scanned"
    rows: list[Wheel] = field(default_factory=list)
    dummies: list[Dummy] = field(default_factory=list)
    modules: list[ModulePackage] = field(default_factory=list)

    @property
    def info(self) -> CatalogueInfo:
        return CatalogueInfo("alliance", self.grade, "2026-05-17", "0" * 64, "tests", (), (), len(self.rows), 0)

    def add(
        self, file: str, requires: Iterable[str] = (), *, layer: str = "gentoo2023/generic", requires_python: str = ""
    ) -> None:
        """Put one wheel into a layer."""
        parsed = parse_wheel_name(file)
        self.rows.append(
            Wheel(
                parsed.name,
                parsed.version,
                layer,
                file,
                parsed.build,
                parsed.tags,
                size=1,
                requires_dist=tuple(requires),
                requires_python=requires_python,
                record="f" * 64,
            )
        )

    def list(self, name: str, *versions: str, pythons: Sequence[str] = ("3.11", "3.12")) -> None:
        """Add rows of a public list."""
        self.rows += [Wheel(normalise(name), version, pythons=tuple(pythons)) for version in versions]

    def wheels(self, name: Name) -> tuple[Wheel, ...]:
        return tuple(row for row in self.rows if row.name == name)

    def dummy(self, name: Name) -> Dummy | None:
        return next((dummy for dummy in self.dummies if dummy.name == name), None)

    def modules_for(self, name: Name) -> tuple[ModulePackage, ...]:
        return tuple(row for row in self.modules if row.name == name)


def target(
    name: str = "laptop",
    site: Site = LINUX,
    *,
    python: str = "3.11",
    policy: Policy = "mixed",
    modules: tuple[str, ...] = (),
    cpu_level: str = "",
    environment: str = "",
) -> Target:
    request = TargetRequest(name, site.name, python, environment, cpu_level, modules)
    return make_target(request, site, policy)


def declared(*lines: str, keys: str = "project.dependencies") -> list[Declared]:
    return [Declared(parse_requirement(line), f"{keys}[{i}]") for i, line in enumerate(lines)]


def solve(
    lines: Iterable[str],
    targets: Sequence[Target],
    *,
    index: MemoryIndex | None = None,
    catalogue: MemoryCatalogue | None = None,
    rules: Mapping[Name, PackageRule] | None = None,
    preferred: Mapping[str, str] | None = None,
    parity: Parity = "prefer",
    sources: MemorySources | None = None,
    steering: Steering | None = None,
    reporter: Reporter | None = None,
) -> Resolution:
    """Resolve; `preferred` is by name, or by ``name on target``."""
    found = MemorySources() if sources is None else sources
    catalogues = [catalogue if t.site.catalogue else None for t in targets]
    kept = {
        (t.name, normalise(name)): parse_version(version)
        for words, version in (preferred or {}).items()
        for name, _, where in [words.partition(" on ")]
        for t in targets
        if where in ("", t.name)
    }
    return resolve(
        declared(*lines),
        targets,
        catalogues,
        index,
        rules=rules,
        preferred=kept,
        parity=parity,
        sources=found,
        steering=steering,
        reporter=reporter,
    )


def pins(resolution: Resolution, target_name: str) -> dict[str, str]:
    """Name -> full version on one target."""
    return {
        package.name: str(choice.offer.version)
        for package in resolution.packages
        for choice in package.choices
        if choice.target == target_name
    }


def sources(resolution: Resolution, target_name: str) -> dict[str, str]:
    """Name -> source on one target."""
    return {
        package.name: choice.offer.source
        for package in resolution.packages
        for choice in package.choices
        if choice.target == target_name
    }
