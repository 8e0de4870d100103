"""Newer versions that were passed over: the first reason of each."""

from __future__ import annotations

from tests.resolve.worlds import CLUSTER, MemoryCatalogue, MemoryIndex, target
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.passed import Bound, PassedOver, asked_by, passed_over
from tumpline.values import Name, parse_version


def _book() -> tuple[OfferBook, NeedsReader]:
    index, catalogue = MemoryIndex(), MemoryCatalogue()
    for version in ("1.0", "1.1", "1.2rc1", "1.3", "1.4", "2.0"):
        index.add(f"a-{version}-py3-none-any.whl", requires_python=">=3.12" if version == "1.4" else "")
    index.add("a-1.5-py3-none-any.whl", yanked=True)
    index.add("a-1.6-cp311-cp311-manylinux_2_17_x86_64.whl")
    catalogue.add("a-1.0+computecanada-py3-none-any.whl")
    catalogue.add("a-1.1+computecanada-py3-none-any.whl")
    catalogue.add("a-1.7+computecanada-cp312-cp312-linux_x86_64.whl")
    index.add("b-1.0-py3-none-any.whl", ["a<2", "a>=1; extra == 'x'", "c"])
    targets = (target("narval", CLUSTER), target("laptop"))
    return OfferBook(targets, [catalogue, None], index, {}), NeedsReader(index)


def test_the_first_reason_of_each_is_told() -> None:
    book, reader = _book()
    bounds = [Bound("", ""), Bound("b", "<2")]
    assert passed_over(book, reader, Name("a"), [0, 1], parse_version("1.0"), bounds) == (
        PassedOver("bound", "b requires a<2", ("2.0",)),
        PassedOver("not-there", "in the wheelhouse only built for Python 3.12", ("1.7",), ("narval",)),
        PassedOver(
            "not-there",
            "not in the wheelhouse, and the index has only wheels that the site refuses",
            ("1.6",),
            ("narval",),
        ),
        PassedOver("not-there", "withdrawn (yanked)", ("1.5",), ("narval", "laptop")),
        PassedOver("not-there", "requires Python >=3.12", ("1.4",), ("narval", "laptop")),
        PassedOver("index-only", "only the index has it there, and the wheelhouse goes first", ("1.3",), ("narval",)),
        PassedOver("pre-release", "pre-releases are taken only where nothing else is left", ("1.2rc1",)),
        PassedOver("kept", "the lock keeps what still fits; tumpline lock --upgrade a chooses anew", ("1.1",)),
    )


def test_nothing_is_newer_than_the_newest() -> None:
    book, reader = _book()
    assert passed_over(book, reader, Name("a"), [1], parse_version("2.0"), []) == ()


def test_what_a_package_asks_of_another() -> None:
    book, reader = _book()
    assert asked_by(book, reader, Name("b"), parse_version("1.0"), 1, Name("a")) == "<2"
    assert asked_by(book, reader, Name("b"), parse_version("1.0"), 1, Name("c")) == ""
    assert asked_by(book, reader, Name("b"), parse_version("9"), 1, Name("a")) is None


def test_what_can_not_be_used_is_told() -> None:
    index = MemoryIndex()
    index.add("a-1.0-py3-none-any.whl")
    index.add("a-2.0-py3-none-any.whl", ["b >>> 1"])
    book, reader = OfferBook((target("laptop"),), [None], index, {}), NeedsReader(index)
    (found,) = passed_over(book, reader, Name("a"), [0], parse_version("1.0"), [])
    assert (found.kind, found.versions) == ("unusable", ("2.0",))
    assert found.words.startswith("it can not be used: 'b >>> 1' is not a requirement")
