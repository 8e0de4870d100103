"""A lock made from a list, compared with a scan of the same wheels."""

from __future__ import annotations

import pytest

from tests.resolve.worlds import CLUSTER, MemoryCatalogue, target
from tumpline.lock import IndexArtefact, Lock, LockedPackage, Pin, WheelhouseArtefact
from tumpline.lock.disagreement import disagreements
from tumpline.sites import Dummy
from tumpline.values import Name

NARVAL = target("narval", CLUSTER)
LISTED = WheelhouseArtefact("", "", "")


def locked(**versions: str) -> Lock:
    """A lock of wheelhouse wheels; ``a="1.0 b c"`` is a 1.0 that needs b and c."""
    packages = []
    for name, words in versions.items():
        version, *requires = words.split()
        pin = Pin("narval", version, LISTED, tuple(map(Name, requires)))
        packages.append(LockedPackage(Name(name.replace("_", "-")), version, (pin,)))
    return Lock("", "", (), (), tuple(packages))


def scanned(**wheels: tuple[str, ...]) -> MemoryCatalogue:
    """A catalogue of linux wheels, ``name=(version, *requirements)``; underscores end where the name is repeated."""
    catalogue = MemoryCatalogue()
    for key, (version, *requires) in wheels.items():
        name = key.partition("__")[0]
        catalogue.add(f"{name}-{version}-cp311-cp311-linux_x86_64.whl", requires)
    return catalogue


CASES = [
    ("agrees", locked(a="1.0 b", b="2.0"), scanned(a=("1.0+computecanada", "b>=1"), b=("2.0+computecanada",)), ()),
    ("another version", locked(a="1.0"), scanned(a=("1.1",), a__2=("0.9",)), ("a 1.0 is not there, but 1.1, 0.9",)),
    ("no version", locked(a="1.0"), scanned(), ("a 1.0 is not there, nor any other version",)),
    (
        "more needs",
        locked(a="1.0"),
        scanned(a=("1.0", "b>=1", "c; extra == 'x'", "d; sys_platform == 'win32'")),
        ("a 1.0 needs b>=1, which is not locked there",),
    ),
    (
        "tighter needs",
        locked(a="1.0 b", b="2.0"),
        scanned(a=("1.0", "b<2"), b=("2.0+computecanada",)),
        ("a 1.0 needs b<2, and 2.0 is locked there",),
    ),
    ("fewer needs", locked(a="1.0 b", b="2.0"), scanned(a=("1.0",), b=("2.0",)), ("a 1.0 does not need b",)),
    (
        "metadata that is none",
        locked(a="1.0"),
        scanned(a=("1.0", "b ===== 1")),
        ("a 1.0 has metadata that can not be read",),
    ),
    (
        "another torch",
        locked(a="1.0 torch", torch="2.6.0"),
        scanned(a=("1.0+torch29.computecanada", "torch"), torch=("2.6.0",)),
        ("a 1.0 needs torch==2.9.*, and 2.6.0 is locked there",),
    ),
    (
        "one build of several",
        locked(a="1.0 torch", torch="2.6.0"),
        scanned(a=("1.0+torch29.computecanada",), a__2=("1.0+torch26.computecanada", "torch"), torch=("2.6.0",)),
        (),
    ),
]


@pytest.mark.parametrize(("lock", "catalogue", "lines"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_disagreements(lock: Lock, catalogue: MemoryCatalogue, lines: tuple[str, ...]) -> None:
    found = disagreements(lock, NARVAL, catalogue)
    assert len(found) == len(lines)
    assert all(line.startswith(start) for line, start in zip(found, lines, strict=True)), found


def test_wheels_that_do_not_fit() -> None:
    catalogue = MemoryCatalogue()
    catalogue.add("a-1.0-cp312-cp312-linux_x86_64.whl")
    assert disagreements(locked(a="1.0"), NARVAL, catalogue) == (
        "a 1.0 is not there: its wheels do not fit (built for Python 3.12)",
    )


def test_a_dummy() -> None:
    catalogue = MemoryCatalogue(dummies=[Dummy(Name("pyarrow"), "arrow")])
    assert disagreements(locked(pyarrow="17.0.0"), NARVAL, catalogue) == (
        "pyarrow 17.0.0 is not there: it is a dummy, for which the module arrow stands",
    )


def test_wheels_that_were_not_read_and_packages_from_elsewhere_are_not_compared() -> None:
    catalogue = MemoryCatalogue()
    catalogue.list("a", "1.0")
    pin = Pin("narval", "3.0", IndexArtefact("pypi", "c-3.0-py3-none-any.whl", None, "0" * 64))
    lock = locked(a="1.0 b")
    whole = Lock("", "", (), (), (*lock.packages, LockedPackage(Name("c"), "3.0", (pin,))))
    assert disagreements(whole, NARVAL, catalogue) == ()
