"""What changed between two states, and what that means for a lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.sites import MODULES
from tumpline.catalogue.content import Content, Needs, WheelRow
from tumpline.catalogue.diff import Change, Locked, Newer, Side, compare, concern, side_of
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.opening import open_content
from tumpline.sites import Dummy
from tumpline.values import Name

LINUX = "cp311-cp311-linux_x86_64"


def row(name: str, version: str, layer: str = "v3", record: bytes = b"\1" * 32, tags: str = LINUX) -> WheelRow:
    return WheelRow(Name(name), version, layer, tags, "", name, (), 1, 0, Needs("", "", "") if record else None, record)


def listed(name: str, version: str, *pythons: str) -> WheelRow:
    return WheelRow(Name(name), version, spelling=name, pythons=pythons)


def side(*wheels: WheelRow, **changes: object) -> Side:
    grade = "scanned" if all(wheel.tags for wheel in wheels) else "listed"
    content = Content(
        site="lake",
        grade=grade,  # type: ignore[arg-type]  # one of the two
        date="2026-11-23",
        made_by="tumpline 0",
        sources=(),
        layers=("v4", "v3") if grade == "scanned" else (),
        wheels=wheels,
        dummies=(),
        modules=(),
        pythons=(),
    )._replace(**changes)  # type: ignore[arg-type]  # keywords of any kind
    with open_content(content, encode(content), "here") as catalogue:
        return side_of(catalogue)


def told(changes: tuple[Change, ...]) -> list[tuple[str, str, str, str]]:
    return [
        (change.kind, f"{change.wheel.name} {change.wheel.version}", change.wheel.layer, change.layer)
        for change in changes
    ]


class TestScanned:
    def test_equal(self) -> None:
        one = side(row("a", "1"), row("b", "1", "v4"))
        assert not compare(one, one)
        assert not compare(one, side(row("b", "1", "v4"), row("a", "1")))

    def test_every_kind(self) -> None:
        before = side(row("a", "1"), row("a", "2"), row("b", "1"), row("c", "1"), row("d", "1"))
        after = side(
            row("a", "2"), row("a", "10"), row("b", "1", record=b"\2" * 32), row("c", "1", "v4"), row("e", "1")
        )
        found = compare(before, after)
        assert told(found.changes) == [
            ("gone", "a 1", "v3", ""),
            ("new", "a 10", "v3", ""),
            ("changed", "b 1", "v3", ""),
            ("moved", "c 1", "v4", "v3"),
            ("gone", "d 1", "v3", ""),
            ("new", "e 1", "v3", ""),
        ]
        assert (found.new_projects, found.gone_projects) == (("e",), ("d",))
        assert found
        assert told(found.only(frozenset({"b"})).changes) == [("changed", "b 1", "v3", "")]
        assert not found.only(frozenset({"z"}))

    def test_a_wheel_in_one_more_layer_is_new_there(self) -> None:
        found = compare(side(row("a", "1")), side(row("a", "1"), row("a", "1", "v4")))
        assert told(found.changes) == [("new", "a 1", "v4", "")]

    def test_one_wheel_moves_to_one_place(self) -> None:
        before = side(row("a", "1"), layers=("v5", "v4", "v3"))
        after = side(row("a", "1", "v4"), row("a", "1", "v5"), layers=("v5", "v4", "v3"))
        assert sorted(change.kind for change in compare(before, after).changes) == ["moved", "new"]

    def test_what_was_not_read_is_compared_by_size(self) -> None:
        unread = row("a", "1", record=b"")
        assert not compare(side(unread), side(row("a", "1")))
        assert told(compare(side(unread), side(row("a", "1")._replace(size=2))).changes) == [
            ("changed", "a 1", "v3", "")
        ]

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            ({"dummies": (Dummy(Name("pyarrow"), "arrow"),)}, "pyarrow stands for arrow"),
            ({"modules": MODULES[:1]}, "arrow/17.0.0 brings pyarrow 17.0.0 for Python 3.11 (StdEnv/2023)"),
            ({"pythons": (("2023", "3.11.5"),)}, "3.11.5 (StdEnv/2023)"),
            ({"layers": ("v4", "v3", "v9")}, "v9"),
        ],
    )
    def test_other_facts(self, change: dict[str, object], text: str) -> None:
        one, other = side(row("a", "1")), side(row("a", "1"), **change)
        found = compare(one, other)
        assert [fact.text for fact in found.new_facts] == [text]
        assert found
        assert [fact.text for fact in compare(other, one).gone_facts] == [text]
        assert bool(found.only(frozenset({"pyarrow"}))) == ("pyarrow" in text)


class TestListed:
    def test_two_lists(self) -> None:
        before = side(listed("a", "1", "3.11"), listed("a", "2", "3.11"), listed("b", "1", "3.11"))
        after = side(listed("a", "2", "3.11", "3.12"), listed("b", "1", "3.11"), listed("b", "1.1", "3.11"))
        assert told(compare(before, after).changes) == [
            ("gone", "a 1", "", ""),
            ("changed", "a 2", "", ""),
            ("new", "b 1.1", "", ""),
        ]

    def test_a_list_and_a_scan_are_compared_by_public_version(self) -> None:
        scan = side(row("a", "1.0+computecanada"), row("a", "1.0+computecanada", "v4"))
        assert not compare(side(listed("a", "1", "3.12")), scan)
        assert told(compare(scan, side(listed("a", "2", "3.11"))).changes) == [
            ("gone", "a 1.0+computecanada", "v4", ""),
            ("new", "a 2", "", ""),
        ]


class TestConcern:
    def pin(self, wheel: WheelRow, target: str = "t", layers: tuple[str, ...] = ("v4", "v3")) -> Locked:
        return Locked(wheel, target, "3.11", layers)

    def test_nothing(self) -> None:
        assert not concern([self.pin(row("a", "1"))], side(row("a", "1"), row("a", "0.9"), row("z", "9")))

    def test_newer(self) -> None:
        now = side(
            row("a", "1"),
            row("a", "1.2"),
            row("a", "1.10"),
            row("a", "3", tags="cp312-cp312-linux_x86_64"),
            row("a", "2rc1"),
        )
        pins = [self.pin(row("a", "1"), "t"), self.pin(row("a", "1"), "u")]
        assert concern(pins, now).newer == (Newer(Name("a"), "1", "1.10", ("t", "u")),)
        assert concern([self.pin(row("a", "1"), layers=("v4",))], now).newer == (), "not in the target's layers"
        assert concern([self.pin(row("a", "1b1"))], now).newer[0].newest == "2rc1", "where a pre-release is locked"

    def test_fates(self) -> None:
        now = side(row("a", "1", record=b"\2" * 32), row("b", "1", "v4"))
        found = concern([self.pin(row(name, "1")) for name in "abc"], now)
        assert told(found.changes) == [
            ("changed", "a 1", "v3", ""),
            ("moved", "b 1", "v4", "v3"),
            ("gone", "c 1", "v3", ""),
        ]

    def test_a_layer_that_was_not_scanned_says_nothing(self) -> None:
        assert not concern([self.pin(row("a", "1", "v9"))], side(row("b", "1")))

    def test_a_lock_made_from_a_list(self) -> None:
        now = side(row("a", "1.0+computecanada"))
        assert not concern([self.pin(listed("a", "1"), layers=())], now)
        assert told(concern([self.pin(listed("b", "1"), layers=())], now).changes) == [("gone", "b 1", "", "")]

    def test_a_list_now(self) -> None:
        found = concern(
            [self.pin(row("a", "1+x")), self.pin(row("b", "1"))],
            side(listed("a", "1", "3.11"), listed("a", "2", "3.11")),
        )
        assert found.newer == (Newer(Name("a"), "1", "2", ("t",)),)
        assert told(found.changes) == [("gone", "b 1", "v3", "")]


def test_growth_between_the_public_lists(shared: Path) -> None:
    """The figures in ``docs/explanation/catalogues.md``."""
    from scripts.make_listed_catalogue import make_listed, read_lists
    from tumpline.sites.load import load_site

    dummies = load_site("narval").dummies
    sides = []
    for day in ("2026-03-06", "2026-05-17"):
        content = make_listed(read_lists(shared / "facts" / "wheel_lists", day), (), dummies, ())
        with open_content(content, encode(content), day) as catalogue:
            sides.append(side_of(catalogue))
    found = compare(*sides)
    assert [len(each.wheels) for each in sides] == [12_133, 12_639]
    assert (found.count("new"), found.count("gone"), found.count("changed")) == (507, 1, 19)
    assert (len(found.new_projects), len(found.gone_projects)) == (75, 0)
    assert [change.wheel[:2] for change in found.changes if change.kind == "gone"] == [("tables", "3.11.0")]
