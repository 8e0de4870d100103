"""From a resolution to a lock, and what changed against the lock before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from packaging.version import Version

from tests.lock.samples import SAMPLE, indexed, package, pin, wheelhouse
from tumpline.catalogue import Wheel
from tumpline.index import IndexFile
from tumpline.lock import IndexArtefact, LockedPackage, LockedTarget, ModuleArtefact, Pin, WheelhouseArtefact
from tumpline.lock.build import build_lock
from tumpline.lock.changes import Change, lock_changes
from tumpline.lock.file import parse_lock, render_lock
from tumpline.project import Project, Settings
from tumpline.resolve.model import Choice, Resolution, Resolved, Statistics
from tumpline.resolve.offer import Offer
from tumpline.resolve.target import Target
from tumpline.sites import ModulePackage, Platform, Site, SoftwareEnvironment
from tumpline.values import Name

NUMPY, ARROW = Name("numpy"), Name("pyarrow")
FILE = "numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl"
STDENV = SoftwareEnvironment("2023", ("3.11.5",), "3.11.5", {"x86-64-v3": ("gentoo2023/generic",)})
CLUSTER = Site("narval", "Narval", "cluster", Platform("linux", "x86_64", ("linux_x86_64",)), environments=(STDENV,))
MACHINE = Site("linux", "Linux", "machine", Platform("linux", "x86_64", ("manylinux_2_17_x86_64",)))
PROJECT = Project(Path("project"), None, "", ">=3.11", (), Settings(), buildable=False, inputs="ab" * 32)


def test_every_source() -> None:
    module = ModulePackage("2023", "arrow", "17.0.0", "3.11", ARROW, "17.0.0")
    wheel = Wheel(NUMPY, "2.2.2+computecanada", "gentoo2023/generic", FILE, size=7, record="a1" * 32)
    file = IndexFile("numpy-2.2.2-py3-none-any.whl", "https://host.example/numpy.whl", size=9, sha256="a2" * 32)
    resolution = Resolution(
        targets=(
            Target(
                "narval", CLUSTER, "3.11.5", "mixed", "2023", "x86-64-v3", ("arrow/17.0.0",), ("gentoo2023/generic",)
            ),
            Target("laptop", MACHINE, "3.11.0", "pypi"),
        ),
        roots=(ARROW,),
        packages=(
            Resolved(
                NUMPY,
                Version("2.2.2"),
                (
                    Choice("narval", Offer(Version("2.2.2+computecanada"), wheel), (), "listed"),
                    Choice("laptop", Offer(Version("2.2.2"), file), ()),
                ),
            ),
            Resolved(ARROW, Version("17.0.0"), (Choice("narval", Offer(Version("17.0.0"), module), (NUMPY,)),)),
        ),
        statistics=Statistics(1, 2, 0),
    )
    lock = build_lock(PROJECT, resolution, (None, None), with_hash=lambda file: file)
    assert (lock.inputs, lock.requires_python, lock.roots) == ("ab" * 32, ">=3.11", (ARROW,))
    assert lock.targets == (
        LockedTarget(
            name="narval",
            site="narval",
            python="3.11.5",
            os="linux",
            machine="x86_64",
            policy="mixed",
            platform="linux_x86_64",
            environment="2023",
            cpu_level="x86-64-v3",
            modules=("arrow/17.0.0",),
            layers=("gentoo2023/generic",),
        ),
        # A machine promises a minor version only.
        LockedTarget("laptop", "linux", "3.11", "linux", "x86_64", "pypi", platform="manylinux_2_17_x86_64"),
    )
    assert lock.packages == (
        LockedPackage(
            NUMPY,
            "2.2.2",
            (
                Pin(
                    "narval",
                    "2.2.2+computecanada",
                    WheelhouseArtefact("gentoo2023/generic", FILE, "a1" * 32, 7),
                    approximate="listed",
                ),
                Pin("laptop", "2.2.2", IndexArtefact("pypi", file.file, 9, "a2" * 32)),
            ),
        ),
        LockedPackage(ARROW, "17.0.0", (Pin("narval", "17.0.0", ModuleArtefact("arrow/17.0.0"), (NUMPY,)),)),
    )
    assert parse_lock(render_lock(lock), "a lock") == lock


def test_a_file_without_a_hash_is_pinned_all_the_same() -> None:
    """A folder of wheels states no hash, and neither do some indexes (R17)."""
    bare, known = (IndexFile(f"{name}-1-py3-none-any.whl", f"file:///{name}.whl", "pypi") for name in ("bare", "known"))
    known = replace(known, sha256="a1" * 32)
    packages = tuple(
        Resolved(Name(name), Version("1"), (Choice("laptop", Offer(Version("1"), file), ()),))
        for name, file in (("bare", bare), ("known", known))
    )
    laptop = Target("laptop", MACHINE, "3.11.0", "pypi")
    asked: list[IndexFile] = []

    def with_hash(file: IndexFile) -> IndexFile:
        asked.append(file)
        return replace(file, sha256="b2" * 32, size=5)

    resolution = Resolution((laptop,), (), packages, Statistics(0, 0, 0))
    lock = build_lock(PROJECT, resolution, (None,), with_hash=with_hash)
    assert asked == [bare]
    assert [package.pins[0].artefact for package in lock.packages] == [
        IndexArtefact("pypi", bare.file, 5, "b2" * 32),
        IndexArtefact("pypi", known.file, None, "a1" * 32),
    ]


def test_changes() -> None:
    colorama, numpy, pyarrow, requests, torch = SAMPLE.packages
    moved = pin("narval", "2.2.2+computecanada", wheelhouse("gentoo2023/generic", FILE, "a9"))
    after = replace(
        SAMPLE,
        packages=(
            package("attrs", "25.1", pin("laptop", "25.1", indexed("attrs-25.1-py3-none-any.whl", "d1"))),
            replace(numpy, pins=(moved, *numpy.pins[1:])),
            pyarrow,
            replace(requests, version="2.33.0"),
            replace(torch, pins=torch.pins[:2]),
        ),
    )
    assert lock_changes(SAMPLE, after) == (
        Change(Name("attrs"), "", "25.1"),
        Change(colorama.name, "0.4.6", ""),
        Change(NUMPY, "2.2.2", "2.2.2", ("narval",)),
        Change(requests.name, "2.32.3", "2.33.0"),
        Change(torch.name, "2.6.0", "2.6.0", ("laptop",)),
    )


def test_the_first_lock_is_all_new() -> None:
    assert [change.before for change in lock_changes(None, SAMPLE)] == [""] * 5
    assert lock_changes(SAMPLE, SAMPLE) == ()
