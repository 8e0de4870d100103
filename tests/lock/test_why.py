"""Who asks for a package, from the lock alone."""

from __future__ import annotations

from tumpline.lock import Lock, LockedPackage, LockedTarget, Pin
from tumpline.lock.model import IndexArtefact
from tumpline.lock.why import Asker, Chain, askers_of, chains_to
from tumpline.values import Name

ARTEFACT = IndexArtefact("pypi", "x-1.0-py3-none-any.whl", 1, "0" * 64)


def _lock(roots: str, **needs: dict[str, str]) -> Lock:
    """A lock of packages: name -> target -> the names needed there."""
    targets = tuple(
        LockedTarget(name, "linux", "3.11", "linux", "x86_64", "mixed")
        for name in sorted({target for by_target in needs.values() for target in by_target})
    )
    packages = tuple(
        LockedPackage(
            Name(name),
            "1.0",
            tuple(Pin(target, "1.0", ARTEFACT, tuple(map(Name, words.split()))) for target, words in by_target.items()),
        )
        for name, by_target in sorted(needs.items())
    )
    return Lock("", "", targets, tuple(map(Name, roots.split())), packages)


def test_the_shortest_way_from_each_root_is_told() -> None:
    lock = _lock("a b", a={"t": "m n"}, b={"t": "z"}, m={"t": "n"}, n={"t": "z"}, z={"t": ""})
    assert chains_to(lock, Name("z")) == (
        Chain((Name("b"), Name("z")), ("t",)),
        Chain((Name("a"), Name("n"), Name("z")), ("t",)),
    )


def test_ways_differ_by_target() -> None:
    lock = _lock("a", a={"t": "z", "u": "m"}, m={"u": "z"}, z={"t": "", "u": ""})
    assert chains_to(lock, Name("z")) == (
        Chain((Name("a"), Name("z")), ("t",)),
        Chain((Name("a"), Name("m"), Name("z")), ("u",)),
    )
    assert askers_of(lock, Name("z")) == (Asker(Name("a"), "1.0", ("t",)), Asker(Name("m"), "1.0", ("u",)))


def test_cycles_end() -> None:
    lock = _lock("a", a={"t": "b"}, b={"t": "a c"}, c={"t": "b"})
    assert chains_to(lock, Name("c")) == (Chain((Name("a"), Name("b"), Name("c")), ("t",)),)
    assert chains_to(lock, Name("a")) == (Chain((Name("a"),), ("t",)),)
