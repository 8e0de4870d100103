"""Which tag sets an interpreter takes."""

from __future__ import annotations

from itertools import chain, product

import pytest
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags

from tumpline.wheels import TagRanking
from tumpline.wheels.tags import admits_some, fits_python

RANKING = TagRanking(
    [Tag("cp311", "cp311", "linux_x86_64"), Tag("cp39", "abi3", "linux_x86_64"), Tag("py3", "none", "any")]
)


@pytest.mark.parametrize(
    ("tags", "rank"),
    [
        ("cp311-cp311-linux_x86_64", 0),
        ("CP311-cp311-Linux_x86_64", 0),
        ("cp38.cp39-abi3-linux_x86_64", 1),
        ("py2.py3-none-any", 2),
        ("cp39.py3-abi3.none-any.linux_x86_64", 1),
        ("cp312-cp312-linux_x86_64", None),
        ("cp311-cp311-manylinux_2_17_x86_64", None),
    ],
)
def test_rank(tags: str, rank: int | None) -> None:
    assert RANKING.rank(tags) == rank
    assert RANKING.rank(tags) == rank, "the remembered answer is the same"


@pytest.mark.parametrize("minor", range(6, 16))
def test_fits_python_is_what_packaging_says(minor: int) -> None:
    interpreter = f"cp3{minor}"
    platforms = ["linux_x86_64"]
    # Before Python 3.8 the usual build was the one with pymalloc, which its ABI tag says.
    abis = [interpreter + ("m" if minor < 8 else "")]
    accepted = {
        str(tag)
        for tag in (
            *cpython_tags((3, minor), abis=abis, platforms=platforms),
            *compatible_tags((3, minor), interpreter=interpreter, platforms=platforms),
        )
    }
    kinds = [f"{kind}3{number}" for kind in ("cp", "py") for number in range(17)]
    some = [f"cp3{number}{letter}" for number in range(2, 17) for letter in ("", "m", "d", "t")]
    for python, abi in product(
        ("cp3", "py2", "py3", "py27", "cp27", "pp39", *kinds), ("none", "abi3", "cp27mu", *some)
    ):
        for platform in ("linux_x86_64", *(("any",) if abi == "none" else ())):
            tags = f"{python}-{abi}-{platform}"
            assert fits_python(tags, f"3.{minor}") == (tags in accepted), (tags, minor)


@pytest.mark.parametrize(
    ("tags", "minor", "fits"),
    [
        ("py2.py3-none-any", "3.11", True),
        ("cp310.cp311-cp310.cp311-linux_x86_64", "3.11", True),
        ("cp27-cp27mu-linux_x86_64", "2.7", True),
        ("py3-none-any", "2.7", False),
        ("py3-none-any", "3", False),
        ("py3-none-any", "no.version", False),
    ],
)
def test_fits_python(tags: str, minor: str, fits: bool) -> None:
    assert fits_python(tags, minor) == fits


@pytest.mark.parametrize("minor", ["2.7", "3.0", "3.8", "3.9", "3.11", "3.12", "4.0"])
def test_admits_some_is_what_packaging_says(minor: str) -> None:
    bounds = ("2", "3", "4", "3.0", "3.9", "3.11", "3.11.0", "3.11.4", "3.12")
    clauses = [f"{operator}{bound}" for operator in (">=", "<", ">", "<=", "!=", "==", "~=") for bound in bounds]
    clauses = [clause for clause in clauses if clause not in ("~=2", "~=3", "~=4")]
    clauses += ["!=3.*", "!=3.11.*", "==3.11.*", " >= 3.9 ", "!=3.11.4.*"]
    pairs = (f"{one},{other}" for one, other in product(clauses, [">=3.9", "<3.12", "!=3.11.*", ">=3.11.4"]))
    for text in chain(clauses, pairs):
        patches = (f"{minor}.{patch}" for patch in range(30))
        assert admits_some(text, minor) == any(map(SpecifierSet(text).contains, patches)), (text, minor)
    assert admits_some("", minor)


@pytest.mark.parametrize("text", [">=3.8.*", "3.9", ">=3.9,x", ">=3.9;", "nonsense"])
def test_admits_some_does_not_guess(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid"):
        admits_some(text, "3.11")
