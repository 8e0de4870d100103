"""A small lock with one of everything, used by several tests and by the golden files."""

from __future__ import annotations

from tumpline.lock import (
    Artefact,
    IndexArtefact,
    Lock,
    LockedPackage,
    LockedTarget,
    ModuleArtefact,
    PathArtefact,
    Pin,
    UrlArtefact,
    VcsArtefact,
    WheelhouseArtefact,
)
from tumpline.values import Name

NARVAL = LockedTarget(
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
    layers=("gentoo2023/x86-64-v3", "gentoo2023/generic", "generic"),
    catalogue="5f" * 32,
    catalogue_date="2026-11-20",
    grade="scanned",
)
FIR = LockedTarget(
    name="fir",
    site="fir",
    python="3.11.5",
    os="linux",
    machine="x86_64",
    policy="mixed",
    platform="linux_x86_64",
    environment="2023",
    cpu_level="x86-64-v4",
    modules=("arrow/17.0.0",),
    layers=("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic"),
    catalogue="1b" * 32,
    catalogue_date="2026-05-17",
    grade="listed",
)
LAPTOP = LockedTarget(
    name="laptop",
    site="linux",
    python="3.11",
    os="linux",
    machine="x86_64",
    policy="pypi",
    platform="manylinux_2_28_x86_64",
)


def wheelhouse(layer: str, file: str, record: str, size: int | None = None) -> WheelhouseArtefact:
    return WheelhouseArtefact(layer, file, record * 32, size)


def indexed(file: str, sha256: str, size: int | None = None) -> IndexArtefact:
    return IndexArtefact("pypi", file, size, sha256 * 32)


def package(name: str, version: str, *pins: Pin) -> LockedPackage:
    return LockedPackage(Name(name), version, pins)


def pin(target: str, version: str, artefact: Artefact, requires: str = "", **words: str) -> Pin:
    return Pin(target, version, artefact, tuple(map(Name, requires.split())), **words)


_NUMPY = "numpy-2.2.2+computecanada-cp311-cp311-linux_x86_64.whl"
_REQUESTS = indexed("requests-2.32.3-py3-none-any.whl", "c3", 64_928)
_NO_METADATA = "listed: metadata from the index"

SAMPLE = Lock(
    inputs="ab" * 32,
    requires_python=">=3.11",
    targets=(NARVAL, FIR, LAPTOP),
    roots=(Name("numpy"), Name("pyarrow"), Name("requests"), Name("torch")),
    packages=(
        package(
            "colorama",
            "0.4.6",
            pin("laptop", "0.4.6", indexed("colorama-0.4.6-py2.py3-none-any.whl", "d4", 25_335)),
        ),
        package(
            "numpy",
            "2.2.2",
            pin("narval", "2.2.2+computecanada", wheelhouse("gentoo2023/x86-64-v3", _NUMPY, "a1", 7_340_032)),
            pin("fir", "2.2.2+computecanada", WheelhouseArtefact("", "", ""), approximate=_NO_METADATA),
            pin("laptop", "2.2.2", indexed("numpy-2.2.2-cp311-cp311-manylinux_2_17_x86_64.whl", "a2", 16_400_000)),
        ),
        package(
            "pyarrow",
            "17.0.0",
            pin("narval", "17.0.0", ModuleArtefact("arrow/17.0.0"), "numpy"),
            pin("fir", "17.0.0", ModuleArtefact("arrow/17.0.0"), "numpy"),
            pin("laptop", "17.0.0", indexed("pyarrow-17.0.0-cp311-cp311-manylinux_2_17_x86_64.whl", "b2"), "numpy"),
        ),
        package(
            "requests",
            "2.32.3",
            pin("narval", "2.32.3", _REQUESTS),
            pin("fir", "2.32.3", _REQUESTS),
            pin("laptop", "2.32.3", _REQUESTS, "colorama"),
        ),
        package(
            "torch",
            "2.6.0",
            pin("narval", "2.6.0+computecanada", WheelhouseArtefact("", "", ""), "numpy", approximate=_NO_METADATA),
            pin("fir", "2.6.0+computecanada", WheelhouseArtefact("", "", ""), "numpy", approximate=_NO_METADATA),
            pin(
                "laptop",
                "2.7.1",
                indexed("torch-2.7.1-cp311-cp311-manylinux_2_28_x86_64.whl", "e5", 821_000_000),
                "numpy",
                divergence="torch 2.6.0 has no wheel for laptop",
            ),
        ),
    ),
)


_A = "vendor/a-1.0-py3-none-any.whl"

BY_ADDRESS = Lock(
    inputs="ab" * 32,
    requires_python="",
    targets=(LAPTOP,),
    roots=(Name("a"), Name("b"), Name("c"), Name("d"), Name("e")),
    packages=(
        package(
            "a", "1.0", pin("laptop", "1.0", PathArtefact("vendor/a-1.0-py3-none-any.whl", "a1" * 32, 7, "b1" * 32))
        ),
        package("b", "1.0", pin("laptop", "1.0", PathArtefact("../b", subdirectory="inner"), "a")),
        package("c", "1.0", pin("laptop", "1.0", UrlArtefact("https://example.org/c.zip", "c.zip", "a2" * 32, 9, "s"))),
        package(
            "d",
            "1.0",
            pin("laptop", "1.0", VcsArtefact("ab" * 20, "https://example.org/d", reference="main", subdirectory="s")),
        ),
        package("e", "1.0", pin("laptop", "1.0", VcsArtefact("cd" * 20, path="../e"))),
    ),
)
"""A lock of what is taken by address, in every form."""
