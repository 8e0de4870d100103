"""The conversation with the far side: what travels, and answers that are wrong on purpose."""

from __future__ import annotations

import ast
import json
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tumpline.catalogue.far import bundle
from tumpline.catalogue.far.answers import entry_of, listing_row, reading_of_row, reading_row
from tumpline.catalogue.far.buckets import bucket_digests, deal, digest_of
from tumpline.catalogue.far.bundle import MODULES, make_bundle
from tumpline.catalogue.far.frames import LIMIT, BadMessage, Receiver, Sender
from tumpline.catalogue.far.journal import Journal
from tumpline.catalogue.far.link import Link
from tumpline.catalogue.far.program import Program
from tumpline.catalogue.far.wheelhouse import FarWheelhouse
from tumpline.catalogue.listing import Found, Listing, Odd
from tumpline.catalogue.reading import Needs, Reading
from tumpline.errors import EnvironmentFailure

WHEEL = Found("w", "a-1-py3-none-any.whl", 100, 7)
EMPTY = Listing([], [])
Say = Callable[[Sender], None]


class Liar:
    """A pipe to something that says what it was told to say, whatever it is asked."""

    host = "liar.invalid"
    last_words = ("a last word",)

    def __init__(self, say: Say) -> None:
        self._answer = bytearray()
        self._say = say

    def write(self, content: bytes) -> None:
        if marker := re.search(rb"tumpline-[0-9a-f]{24}", content):
            self._answer += b"\n" + marker[0] + b" 3.9.18\n"
            self._say(Sender(self._answer.extend))

    def read(self, most: int) -> bytes:
        part = bytes(self._answer[:most])
        del self._answer[:most]
        return part

    def end(self) -> int:
        return 0


def liar(*messages: tuple[bytes, object]) -> Link:
    def say(sender: Sender) -> None:
        for kind, value in messages:
            if isinstance(value, bytes):
                sender.send(kind, value)
            else:
                sender.send_value(kind, value)

    return Link(Liar(say))


def listing_said(listing: Listing) -> list[object]:
    return [digest_of(listing), len(listing.wheels), len(listing.others)]


class TestWhatTravels:
    def test_is_python_3_6(self) -> None:
        program = zlib.decompress(make_bundle()).decode()
        ast.parse(program, feature_version=(3, 6))
        for name in MODULES:
            ast.parse(bundle._shortened(name), feature_version=(3, 6))

    def test_brings_what_it_imports(self) -> None:
        for place, name in enumerate(MODULES):
            for node in ast.walk(ast.parse(bundle._shortened(name))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tumpline"):
                    assert node.module in MODULES[:place], name

    def test_is_small(self) -> None:
        assert len(make_bundle()) < 20_000

    def test_holds_nothing_that_only_people_read(self) -> None:
        program = zlib.decompress(make_bundle()).decode()
        assert "Source of the layout" not in program
        assert "TYPE_CHECKING" not in program


class TestHostileAnswers:
    """None of them gets through, exhausts memory or ends in a traceback."""

    def refused(self, act: Callable[[], object], code: str = "bad-answer") -> None:
        with pytest.raises(EnvironmentFailure) as caught:
            act()
        assert caught.value.code == code
        assert caught.value.problems[0].where == "liar.invalid"

    @pytest.mark.parametrize(
        "messages",
        [
            [(b"Z", 1)],
            [(b"L", b"{")],
            [(b"L", b"\xff")],
            [(b"L", b"[" * 100_000)],
            [(b"L", b"1" * 10_000)],
            [(b"L", "x")],
            [(b"L", ["x", -1, 0])],
            [(b"L", ["x", 10**7, 0])],
            [(b"L", ["x", "1", 0])],
            [(b"X", "no")],
            [(b"X", ["2", "no such file"])],
            [(b"L", ["x", 1, 0]), (b"C", [0])],
            [(b"L", ["x", 1, 0]), (b"C", [-1])],
            [(b"L", ["x", 1, 0]), (b"C", [True])],
            [(b"L", ["x", 1, 0]), (b"C", []), (b"E", [])],
            [(b"L", ["x", 1, 0]), (b"C", []), (b"E", [["a-1-py3-none-any.whl", 100, 7]]), (b"E", [])],
            [(b"L", ["x", 1, 0]), (b"C", []), (b"E", [["a", "stray", ""], ["b", "stray", ""]]), (b"E", [])],
            [(b"L", ["x", 1, 0]), (b"C", []), (b"E", "abc")],
        ],
    )
    def test_listings(self, messages: list[tuple[bytes, object]]) -> None:
        self.refused(lambda: liar(*messages).list_layer(0, "w", "/w", EMPTY))

    def test_a_name_twice(self) -> None:
        twice = Listing([WHEEL, WHEEL._replace(size=1)], [])
        rows = [listing_row(found) for found in twice.wheels]
        link = liar((b"L", listing_said(twice)), (b"C", []), (b"E", rows), (b"E", []))
        self.refused(lambda: link.list_layer(0, "w", "/w", EMPTY))

    @pytest.mark.parametrize(
        "row",
        [
            ["../a-1-py3-none-any.whl", 1, 1],
            ["/a-1-py3-none-any.whl", 1, 1],
            ["a\0-1-py3-none-any.whl", 1, 1],
            ["a\x1b-1-py3-none-any.whl", 1, 1],
            ["a.zip", 1, 1],
            ["", "stray", ""],
            ["..", "stray", ""],
            ["a", "dummy", ""],
            ["a", "stray", "x" * 2000],
            ["a\ud800", "stray", ""],
            ["a", "stray", "\ud800"],
            ["a" * 2000, "stray", ""],
            ["a-1-py3-none-any.whl", -1, 1],
            ["a-1-py3-none-any.whl", 2**63, 1],
            ["a-1-py3-none-any.whl", 1, -(2**63)],
            ["a-1-py3-none-any.whl", 1.5, 1],
            ["a-1-py3-none-any.whl", 1],
            "a-1-py3-none-any.whl",
            None,
        ],
    )
    def test_entries(self, row: object) -> None:
        with pytest.raises(BadMessage):
            entry_of("w", row)

    def test_names_that_are_no_text(self) -> None:
        odd = Odd("w", "caf\udce9", "stray", "its name does not end in .whl")
        assert entry_of("w", listing_row(odd)) == odd

    @pytest.mark.parametrize(
        "row",
        [
            ["", "", "", "00" * 31, ""],
            ["", "", "", "zz" * 32, ""],
            ["", "", None, "00" * 32, ""],
            ["", "", "\ud800", "00" * 32, ""],
            ["", "", "", "00" * 32],
            [],
            0,
        ],
    )
    def test_readings(self, row: object) -> None:
        with pytest.raises(BadMessage):
            reading_of_row(row)

    def test_as_many_wheels_as_were_asked_for(self) -> None:
        self.refused(lambda: list(liar((b"W", [None, None])).read([(0, 0, 1)])))
        self.refused(lambda: list(liar((b"W", [])).read([(0, 0, 1)])))
        self.refused(lambda: list(liar((b"W", {})).read([(0, 0, 1)])))

    def test_ranges_and_sizes(self) -> None:
        self.refused(lambda: liar((b"O", -2)).open_wheel(0, 0))
        self.refused(lambda: liar((b"O", "1")).open_wheel(0, 0))
        _, read = liar((b"O", 5), (b"G", b"123456")).open_wheel(0, 0)
        self.refused(lambda: read(0, 5))

    def test_folders(self) -> None:
        self.refused(lambda: liar((b"D", [1])).are_folders(["/"]))
        self.refused(lambda: liar((b"D", [True])).are_folders(["/", "/w"]))

    def test_what_never_ends(self) -> None:
        self.refused(lambda: liar().are_folders(["/"]), "connection-cut")

    def test_a_cut_while_a_doubtful_wheel_is_read_is_no_fault_of_the_wheel(self, tmp_path: Path) -> None:
        listing = Listing([WHEEL], [])
        rows = [listing_row(WHEEL)]
        link = liar((b"L", listing_said(listing)), (b"C", []), (b"E", rows), (b"E", []), (b"W", [None]), (b"O", 500))
        house = FarWheelhouse(link, [("w", "/w")], {}, Journal(tmp_path / "journal"))
        wheels = house.tree().wheels
        self.refused(lambda: list(house.readings(wheels, lambda done: None)), "connection-cut")


class TestFrames:
    def receiver(self, content: bytes) -> Receiver:
        rest = bytearray(content)

        def read(length: int) -> bytes:
            part = bytes(rest[:length])
            del rest[:length]
            return part

        return Receiver(read)

    def test_round_trip(self) -> None:
        wire = bytearray()
        sender = Sender(wire.extend)
        sender.send(b"A", b"x" * 1_000_000)
        sender.send_value(b"B", ["\udce9", 1])
        first = len(wire)
        sender.send(b"A", b"x" * 1_000_000)
        assert first < 3000, "compressed"
        receiver = self.receiver(bytes(wire))
        assert receiver.receive() == (b"A", b"x" * 1_000_000)
        kind, body = receiver.receive()
        assert (kind, json.loads(body)) == (b"B", ["\udce9", 1])
        assert receiver.receive()[1] == b"x" * 1_000_000
        with pytest.raises(EOFError):
            receiver.receive()

    def test_a_bomb(self) -> None:
        wire = bytearray()
        Sender(wire.extend).send(b"A", bytes(LIMIT * 200))
        assert len(wire) < LIMIT
        with pytest.raises(BadMessage):
            self.receiver(bytes(wire)).receive()

    @pytest.mark.parametrize(
        "wire",
        [
            struct.pack(">I", LIMIT + 1),
            struct.pack(">I", 4) + b"junk",
            struct.pack(">I", 0),
            struct.pack(">I", len(zlib.compress(b"A"))) + zlib.compress(b"A"),
        ],
    )
    def test_no_messages(self, wire: bytes) -> None:
        with pytest.raises(BadMessage):
            self.receiver(wire).receive()


class TestBuckets:
    def test_digests_that_are_alike_by_chance(self) -> None:
        """A known entry that the far side says is still there, and is not."""
        here, there = Listing([WHEEL], []), Listing([WHEEL._replace(size=9)], [])
        rows = [listing_row(found) for found in there.wheels]
        link = liar((b"L", listing_said(there)), (b"C", []), (b"E", []), (b"C", []), (b"E", rows), (b"E", []))
        assert link.list_layer(0, "w", "/w", here) == there

    def test_a_change_changes_one(self) -> None:
        wheels = [Found("w", f"a-{number}-py3-none-any.whl", number, 1) for number in range(1000)]
        before = bucket_digests(Listing(wheels, []), 50)
        wheels[500] = wheels[500]._replace(mtime_ns=2)
        after = bucket_digests(Listing(wheels[::-1], []), 50)
        assert len([place for place in range(50) if before[place] != after[place]]) == 1

    def test_each_entry_is_in_one(self) -> None:
        wheels = [Found("w", f"a-{number}-py3-none-any.whl", number, 1) for number in range(100)]
        others = [Odd("w", "caf\udce9", "stray", "")]
        dealt = deal(Listing(wheels, others), 7)
        assert sorted(found for bucket in dealt for found in bucket.wheels) == sorted(wheels)
        assert [odd for bucket in dealt for odd in bucket.others] == others


class TestJournal:
    READING = Reading(Needs(">=3.9", "x", "numpy\npytz"), bytes(range(32)), "")

    def written(self, path: Path) -> bytes:
        journal = Journal(path)
        journal.note_listing("w", Listing([WHEEL], [Odd("w", "caf\udce9", "stray", "why")]))
        journal.note_readings("w", [(WHEEL, self.READING)])
        journal.close()
        return path.read_bytes()

    def test_round_trip(self, tmp_path: Path) -> None:
        self.written(tmp_path / "j")
        journal = Journal(tmp_path / "j")
        assert journal.listings == {"w": Listing([WHEEL], [Odd("w", "caf\udce9", "stray", "why")])}
        assert journal.readings == {WHEEL: self.READING}

    def test_cut_anywhere(self, tmp_path: Path) -> None:
        content = self.written(tmp_path / "j")
        for length in range(len(content)):
            path = tmp_path / "cut"
            path.write_bytes(content[:length])
            journal = Journal(path)
            assert not journal.readings
            journal.note_readings("w", [(WHEEL, self.READING)])
            journal.close()
            again = Journal(path)
            assert again.readings == {WHEEL: self.READING}, f"what follows a cut at {length} is found"
            again.close()

    def test_changed_anywhere(self, tmp_path: Path) -> None:
        content = self.written(tmp_path / "j")
        for place in range(len(content)):
            path = tmp_path / "changed"
            path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
            journal = Journal(path)
            assert set(journal.readings.values()) <= {self.READING}
            journal.close()

    def test_one_that_holds_nothing_is_removed(self, tmp_path: Path) -> None:
        Journal(tmp_path / "j").close()
        assert list(tmp_path.iterdir()) == []

    def test_a_bomb(self, tmp_path: Path) -> None:
        packed = zlib.compress(b" " * 100_000_000)
        head = struct.pack(">2I", len(packed), zlib.crc32(packed))
        (tmp_path / "j").write_bytes(b"tumpline-pull 1\n" + head + packed)
        assert not Journal(tmp_path / "j").readings

    def test_what_was_not_read_can_not_be_written(self) -> None:
        with pytest.raises(ValueError, match="not read"):
            reading_row(Reading(code="damaged-wheel"))


class TestProgram:
    """The far side, in this process."""

    def test_it_ends_with_the_questions(self) -> None:
        Program(Receiver(lambda length: b""), Sender(lambda content: None)).run()

    def test_it_tells_what_the_system_refuses(self, tmp_path: Path) -> None:
        questions, answers = bytearray(), bytearray()
        Sender(questions.extend).send_value(b"L", [0, str(tmp_path / "nowhere")])

        def read(length: int) -> bytes:
            part = bytes(questions[:length])
            del questions[:length]
            return part

        Program(Receiver(read), Sender(answers.extend)).run()
        kind, body = TestFrames().receiver(bytes(answers)).receive()
        assert (kind, json.loads(body)) == (b"X", [2, "No such file or directory"])
