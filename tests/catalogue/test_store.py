"""Catalogue files: opening them, and every way in which they can be wrong."""

from __future__ import annotations

import gc
import os
import random
import sqlite3
from pathlib import Path

import pytest

from tests.catalogue.sites import MODULES
from tumpline.catalogue.content import Content, FileNote, Needs, WheelRow
from tumpline.catalogue.encoding import encode
from tumpline.catalogue.model import CatalogueReader
from tumpline.catalogue.schema import APPLICATION
from tumpline.catalogue.store import Catalogue, open_catalogue, open_in_memory
from tumpline.catalogue.writer import write_catalogue
from tumpline.errors import TumplineError
from tumpline.sites import Dummy
from tumpline.values import Name

LINUX = "cp311-cp311-linux_x86_64"
NEEDS = (Needs(">=3.9", "gpu\nall", 'numpy\ntorch; extra == "gpu"'), Needs("", "", ""), Needs("", "é", 'a"b\\c\x1e\0'))
WHEELS = (
    WheelRow(Name("b"), "1.0+x", "v3", LINUX, "", "b", (), 10, 1_700_000_000_000_000_001, NEEDS[0], b"\1" * 32),
    WheelRow(Name("b"), "1.0+x", "v4", LINUX, "2", "B", (), 2**40, 0, NEEDS[0], b"\2" * 32),
    WheelRow(Name("b"), "0.9", "v3", "py3-none-any", "", "b", (), 0, -5, NEEDS[1], b"\3" * 32),
    WheelRow(Name("a-b"), "1", "v3", "py3-none-any", "", "a.b", (), 3, 4, NEEDS[2], b"\4" * 32),
    WheelRow(Name("a-b"), "2", "v3", "py3-none-any", "", "a_b", (), 3, 4),
    WheelRow(Name("listed"), "1.0", spelling="listed", pythons=("3.9", "3.10", "3.14")),
)
NOTES = (FileNote("v3", "x.log", "stray", "not-a-wheel-name", "why", 1, 2),)
CONTENT = Content(
    site="lake",
    grade="scanned",
    date="2026-11-23",
    made_by="tumpline 0",
    sources=("second", "first"),
    layers=("v4", "v3"),
    wheels=WHEELS,
    dummies=(Dummy(Name("pyarrow"), "arrow"), Dummy(Name("b"), "b")),
    modules=MODULES,
    pythons=(("2023", "3.11.5"),),
    notes=NOTES,
    depth="names",
    fingerprint="f",
)


def write(folder: Path, content: Content = CONTENT) -> Path:
    path = folder / "c.sqlite"
    write_catalogue(path, content, encode(content))
    return path


def code_of(path: Path) -> str:
    with pytest.raises(TumplineError) as caught:
        open_catalogue(path)
    assert caught.value.problems[0].where == str(path)
    assert caught.value.problems[0].hint
    return caught.value.code


class TestRoundTrip:
    def test_rows(self, tmp_path: Path) -> None:
        with open_catalogue(write(tmp_path)) as catalogue:
            assert sorted(catalogue.rows(), key=repr) == sorted(WHEELS, key=repr)
            assert catalogue.notes() == NOTES
            assert (catalogue.fingerprint, catalogue.depth) == ("f", "names")

    def test_answers(self, tmp_path: Path) -> None:
        with open_catalogue(write(tmp_path)) as catalogue:
            reader: CatalogueReader = catalogue
            assert reader.info.sources == ("second", "first")
            assert reader.info.layers == ("v4", "v3")
            assert (reader.info.wheels, reader.info.projects) == (6, 3)
            # The newest version first, not as text would have it.
            assert [wheel.file for wheel in reader.wheels(Name("b"))] == [
                f"B-1.0+x-2-{LINUX}.whl",
                f"b-1.0+x-{LINUX}.whl",
                "b-0.9-py3-none-any.whl",
            ]
            (listed,) = reader.wheels(Name("listed"))
            assert (listed.pythons, listed.file, listed.layer, listed.size) == (("3.9", "3.10", "3.14"), "", "", None)
            assert listed.requires_dist is None
            assert reader.wheels(Name("b"))[2].requires_dist == ()
            assert reader.wheels(Name("a-b"))[1].extras == ("é",)
            assert reader.dummy(Name("pyarrow")) == Dummy(Name("pyarrow"), "arrow")
            assert reader.dummy(Name("b")) is None
            assert reader.modules_for(Name("pyarrow"))[0] == MODULES[2]
            assert catalogue.names() == ("a-b", "b", "listed")

    def test_the_same_content_gives_the_same_bytes(self, tmp_path: Path) -> None:
        one = write(tmp_path / "1")
        shuffled = list(WHEELS)
        random.Random(1).shuffle(shuffled)
        other = write(tmp_path / "2", CONTENT._replace(wheels=shuffled, modules=tuple(reversed(MODULES))))
        assert one.read_bytes() == other.read_bytes()

    @pytest.mark.parametrize(
        "change",
        [
            {"date": "2030-01-01"},
            {"site": "other"},
            {"sources": ()},
            {"notes": ()},
            {"fingerprint": "g"},
            {"made_by": "tumpline 9"},
            {"wheels": tuple(wheel._replace(mtime_ns=7) for wheel in WHEELS)},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_identity_leaves_out(self, change: dict[str, object]) -> None:
        other = CONTENT._replace(**change)  # type: ignore[arg-type]  # one keyword of any kind
        assert encode(other).identity == encode(CONTENT).identity

    @pytest.mark.parametrize(
        "change",
        [
            {"grade": "listed"},
            {"layers": ("v3", "v4")},
            {"dummies": ()},
            {"modules": MODULES[1:]},
            {"pythons": ()},
            *({"wheels": WHEELS[:index] + WHEELS[index + 1 :]} for index in range(len(WHEELS))),
            {"wheels": (WHEELS[0]._replace(size=11), *WHEELS[1:])},
            {"wheels": (WHEELS[0]._replace(needs=NEEDS[1]), *WHEELS[1:])},
            {"wheels": (WHEELS[0]._replace(record=b"\7" * 32), *WHEELS[1:])},
            {"wheels": (*WHEELS[:5], WHEELS[5]._replace(pythons=("3.9",)))},
        ],
        ids=str,
    )
    def test_identity_covers(self, change: dict[str, object]) -> None:
        other = CONTENT._replace(**change)  # type: ignore[arg-type]  # one keyword of any kind
        assert encode(other).identity != encode(CONTENT).identity

    def test_in_memory(self, tmp_path: Path) -> None:
        with open_in_memory(write(tmp_path).read_bytes(), "here") as catalogue:
            assert catalogue.names() == ("a-b", "b", "listed")

    def test_odd_paths(self, tmp_path: Path) -> None:
        with open_catalogue(write(tmp_path / "a?b#c %20 é")) as catalogue:
            assert catalogue.info.wheels == 6

    def test_a_reader_keeps_what_it_opened(self, tmp_path: Path) -> None:
        with open_catalogue(write(tmp_path)) as catalogue:
            write(tmp_path, CONTENT._replace(wheels=WHEELS[:1]))
            assert catalogue.names() == ("a-b", "b", "listed")

    def test_a_folder_that_can_not_be_written_needs_no_writing_to_be_read(self, tmp_path: Path) -> None:
        write(tmp_path)
        with open_catalogue(tmp_path / "c.sqlite") as catalogue:
            assert catalogue.info.projects == 3
        assert [path.name for path in tmp_path.iterdir()] == ["c.sqlite"], "no journal or lock beside it"

    def test_a_dropped_catalogue_closes_itself(self, tmp_path: Path) -> None:
        catalogue = open_catalogue(write(tmp_path))
        connection = catalogue._connection
        del catalogue
        gc.collect()
        with pytest.raises(sqlite3.ProgrammingError):
            connection.execute("SELECT 1")

    def test_a_closed_catalogue_is_not_called_damaged(self, tmp_path: Path) -> None:
        catalogue = open_catalogue(write(tmp_path))
        catalogue.close()
        with pytest.raises(ValueError, match=r"c\.sqlite is closed"):
            catalogue.names()

    def test_closing_twice(self, tmp_path: Path) -> None:
        catalogue = open_catalogue(write(tmp_path))
        catalogue.close()
        catalogue.close()


class TestWrongFiles:
    def test_missing(self, tmp_path: Path) -> None:
        assert code_of(tmp_path / "c.sqlite") == "catalogue-missing"
        (tmp_path / "file").touch()
        assert code_of(tmp_path / "file" / "c.sqlite") == "catalogue-missing"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert code_of(tmp_path) == "catalogue-unreadable"

    @pytest.mark.parametrize("content", [b"", b"x", b"SQLite format 3\0", b"[project]\n" * 50])
    def test_another_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "c.sqlite"
        path.write_bytes(content)
        assert code_of(path) == "not-a-catalogue"

    def test_sqlite_of_another_program(self, tmp_path: Path) -> None:
        path = tmp_path / "c.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE about(key, value)")
        connection.close()
        assert code_of(path) == "not-a-catalogue"

    @pytest.mark.parametrize(("schema", "code"), [(99, "catalogue-newer"), (1, "catalogue-older")])
    def test_another_schema(self, tmp_path: Path, schema: int, code: str) -> None:
        path = write(tmp_path)
        content = bytearray(path.read_bytes())
        content[60:64] = schema.to_bytes(4, "big")
        path.write_bytes(content)
        assert code_of(path) == code

    @pytest.mark.parametrize("left", [101, 4096, 5000])
    def test_cut(self, tmp_path: Path, left: int) -> None:
        path = write(tmp_path)
        os.truncate(path, left)
        assert code_of(path) == "catalogue-damaged"

    @pytest.mark.parametrize(
        "statement",
        [
            "CREATE VIEW v AS SELECT * FROM about",
            "ALTER TABLE projects ADD COLUMN bomb BLOB GENERATED ALWAYS AS (zeroblob(900000000))",
            "CREATE INDEX i ON projects(wheels)",
            "CREATE TRIGGER t AFTER INSERT ON about BEGIN SELECT 1; END",
        ],
    )
    def test_nothing_in_a_file_is_run(self, tmp_path: Path, statement: str) -> None:
        path = write(tmp_path)
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()
        assert code_of(path) == "catalogue-damaged"

    @pytest.mark.parametrize(
        "harm",
        [
            "DROP TABLE about",
            "DELETE FROM about",
            "DELETE FROM about WHERE key = 'wheels'",
            "UPDATE about SET value = 'many' WHERE key = 'wheels'",
            "DELETE FROM layers",
            "DELETE FROM tags",
            "UPDATE projects SET wheels = wheels || char(10)",
            "UPDATE projects SET needs = '[[1, 2, 3]]'",
            "UPDATE projects SET records = 'text'",
            "UPDATE projects SET wheels = '1.0' || char(9) || 'zz'",
            "UPDATE projects SET wheels = x'00ff'",
            "UPDATE projects SET needs = '{'",
            "UPDATE projects SET needs = '[[1]]'",
            "UPDATE projects SET mtimes = x'00'",
            "ALTER TABLE projects RENAME TO p",
            "UPDATE about SET value = 'guessed' WHERE key = 'grade'",
            "UPDATE about SET value = x'00' WHERE key = 'date'",
            "UPDATE projects SET name = x'00' WHERE id = 1",
            "UPDATE projects SET wheels = 7.5",
            "UPDATE projects SET needs = replace(hex(zeroblob(50000)), '00', '[')",
            "UPDATE tags SET tags = 'x'",
            "UPDATE layers SET layer = x'00'",
            "UPDATE minors SET python = x'00'",
            "UPDATE dummies SET module = x'00'",
            "UPDATE modules SET module = x'00'",
            "UPDATE modules SET pythons = 'zz'",
            "INSERT INTO views VALUES (1, 'lake', '2023', 'v3', x'00')",
            "UPDATE pythons SET python = x'00'",
            "UPDATE notes SET why = x'00'",
            "UPDATE notes SET size = 'much'",
            "UPDATE notes SET mtime_ns = 0.5",
        ],
    )
    def test_rows_that_make_no_sense(self, tmp_path: Path, harm: str) -> None:
        path = write(tmp_path)
        connection = sqlite3.connect(path)
        connection.execute(harm)
        connection.commit()
        connection.close()
        with pytest.raises(TumplineError) as caught, open_catalogue(path) as catalogue:
            _ask_all(catalogue)
        assert caught.value.code == "catalogue-damaged"

    def test_flipped_bytes_give_an_error_or_an_answer(self, tmp_path: Path) -> None:
        path = write(tmp_path)
        whole = path.read_bytes()
        chance = random.Random(7)
        for _ in range(150):
            content = bytearray(whole)
            for _ in range(8):
                content[chance.randrange(100, len(content))] = chance.randrange(256)
            path.write_bytes(content)
            assert _code_of_asking_all(path) in ("", "catalogue-damaged", "not-a-catalogue")


def _code_of_asking_all(path: Path) -> str:
    try:
        with open_catalogue(path) as catalogue:
            _ask_all(catalogue)
    except TumplineError as error:
        return error.code
    return ""


def _ask_all(catalogue: Catalogue) -> None:
    assert catalogue.info.grade
    for name in ("a-b", "b", "listed"):
        catalogue.wheels(Name(name))
    list(catalogue.rows())
    catalogue.dummy(Name("pyarrow"))
    catalogue.modules_for(Name("pyarrow"))
    catalogue.notes()
    catalogue.pythons()
    catalogue.names()
    catalogue.minors()
    catalogue.dummies()
    catalogue.modules()
    catalogue.module_notes()
    catalogue.views()
    assert catalogue.depth
    assert catalogue.fingerprint is not None
    for _, rows in catalogue.offered():
        list(rows)


def test_the_file_is_marked_as_ours(tmp_path: Path) -> None:
    assert write(tmp_path).read_bytes()[68:72] == APPLICATION.to_bytes(4, "big") == b"TUMP"


def test_what_killed_scans_left_goes_after_a_day(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".c.sqlite.1-a", ".c.sqlite.2-b", ".other.sqlite.1-a"))
    for path in (old, new, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (1e9, 1e9))
    write_catalogue(tmp_path / "c.sqlite", CONTENT, encode(CONTENT))
    assert (old.exists(), new.exists(), other.exists()) == (False, True, True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe") == "not-a-catalogue"
