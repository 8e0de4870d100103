"""Reading the tail of wheels: right ones, broken ones, and hostile ones."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.wheelmaker import make_wheel
from tumpline.errors import EnvironmentFailure, TumplineError
from tumpline.wheels import parse_wheel_name
from tumpline.wheels.tail import DistInfo, read_dist_info, read_wheel_file

if TYPE_CHECKING:
    from tumpline.wheels.tail import Part

RECORD: tuple[Part, ...] = ("RECORD",)


def read(path: Path, file: str = "", *, headers_only: bool = False) -> DistInfo:
    return read_wheel_file(path, parse_wheel_name(file or path.name), headers_only=headers_only)


def failure(path: Path, file: str = "") -> TumplineError:
    with pytest.raises(TumplineError) as caught:
        read(path, file)
    assert len(caught.value.problems) == 1
    return caught.value


class Remote:
    """A file behind a function that reads ranges, and what was asked of it."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.asked: list[tuple[int, int]] = []

    def __call__(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length >= 0
        self.asked.append((offset, length))
        return self.content[offset : offset + length]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("headers_only", [False, True])
def test_reads_what_zipfile_reads(tmp_path: Path, compression: int, headers_only: bool) -> None:
    path = make_wheel(tmp_path, "Foo.Bar", "1.0+computecanada", requires=["numpy<2"], compression=compression)
    info = read(path, headers_only=headers_only)
    assert info.folder == "Foo_Bar-1.0+computecanada.dist-info"
    with zipfile.ZipFile(path) as archive:
        assert info.metadata == archive.read(f"{info.folder}/METADATA")
        assert info.wheel == archive.read(f"{info.folder}/WHEEL")
        assert info.record == archive.read(f"{info.folder}/RECORD")
    assert (info.core.name, info.core.version) == ("Foo.Bar", "1.0+computecanada")
    assert info.core.requires_dist == ("numpy<2",)


def test_only_the_parts_asked_for(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a", "1")
    name = parse_wheel_name(path.name)
    info = read_wheel_file(path, name, parts=RECORD)
    assert info.record
    assert not info.wheel
    assert not read_wheel_file(path, name, parts=()).record


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_headers_only_stops_early(tmp_path: Path, end: str) -> None:
    text = f"Name: a{end}Version: 1{end}Requires-Dist: b{end}{end}" + os.urandom(50_000).hex()
    path = make_wheel(tmp_path, "a", "1", metadata=text)
    info = read(path, headers_only=True)
    assert info.core.requires_dist == ("b",)
    assert len(info.metadata) < 10_000
    assert read(path).metadata == text.encode()


def test_headers_longer_than_a_piece(tmp_path: Path) -> None:
    requires = [f"package-{number}>={number}" for number in range(2000)]
    info = read(make_wheel(tmp_path, "a", "1", requires=requires), headers_only=True)
    assert info.core.requires_dist == tuple(requires)


def test_metadata_without_description(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a", "1", metadata="Name: a\nVersion: 1\n")
    assert read(path, headers_only=True).metadata == b"Name: a\nVersion: 1\n"


def test_a_long_extra_field_in_the_local_header(tmp_path: Path) -> None:
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for part, text in (("METADATA", "Name: a\nVersion: 1\n"), ("WHEEL", ""), ("RECORD", "here")):
            entry = zipfile.ZipInfo(f"a-1.dist-info/{part}")
            entry.extra = struct.pack("<2H", 0x7075, 5000) + b"x" * 5000
            archive.writestr(entry, text)
    assert read(path).record == b"here"


def test_headers_only_of_a_bad_stream(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a", "1")
    content = bytearray(path.read_bytes())
    start = content.index(b"a-1.dist-info/METADATA") + len(b"a-1.dist-info/METADATA")
    content[start : start + 10] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(TumplineError, match="damaged"):
        read(path, headers_only=True)


@pytest.mark.parametrize(
    ("file", "metadata_version"),
    [
        ("a-1.0.0-py3-none-any.whl", "1.0"),
        ("a-1.0_rc1-py3-none-any.whl", "1.0rc1"),
        ("a-1.0-py3-none-any.whl", "v1.0"),
        ("A-2004d-py3-none-any.whl", "2004D"),
    ],
)
def test_versions_are_compared_as_pep_440_says(tmp_path: Path, file: str, metadata_version: str) -> None:
    version = file.split("-")[1]
    path = make_wheel(tmp_path, "a", version, metadata_version=metadata_version, file_name=file)
    assert read(path).core.version == metadata_version


class TestReads:
    """How much is read, and in how many pieces."""

    def test_one_read_for_a_small_wheel(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        remote = Remote(path)
        read_dist_info(remote, path.stat().st_size, parse_wheel_name(path.name))
        assert remote.asked == [(0, path.stat().st_size)]

    def test_a_large_wheel_is_not_fetched(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", files={"a/big.bin": os.urandom(2_000_000)})
        remote = Remote(path)
        read_dist_info(remote, path.stat().st_size, parse_wheel_name(path.name))
        assert len(remote.asked) == 1
        assert sum(length for _, length in remote.asked) < 70_000

    def test_a_large_directory_is_read_in_two_pieces_or_three(self, tmp_path: Path) -> None:
        files = {f"a/{'deep' * 20}/{number:05}.py": b"" for number in range(3000)}
        path = make_wheel(tmp_path, "a", "1", files=files)
        remote = Remote(path)
        info = read_dist_info(remote, path.stat().st_size, parse_wheel_name(path.name))
        assert info.core.name == "a"
        assert len(remote.asked) <= 3
        assert sum(length for _, length in remote.asked) <= path.stat().st_size

    def test_dist_info_at_the_front_of_a_large_wheel(self, tmp_path: Path) -> None:
        big = {"a/big.bin": os.urandom(3_000_000)}
        path = make_wheel(tmp_path, "a", "1", files={}, extra_members=big)
        remote = Remote(path)
        info = read_dist_info(remote, path.stat().st_size, parse_wheel_name(path.name))
        assert info.record.startswith(b"a-1.dist-info/METADATA")
        assert sum(length for _, length in remote.asked) < 80_000

    def test_a_comment_longer_than_the_tail_read_from_a_disk(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", comment=b"PK\x05\x06" * 15_000)
        assert read(path).core.name == "a"

    def test_a_short_answer_is_a_cut_file(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        with pytest.raises(TumplineError, match="cut short"):
            read_dist_info(Remote(path), path.stat().st_size + 1, parse_wheel_name(path.name))

    def test_errors_of_the_reader_come_through(self, tmp_path: Path) -> None:
        def broken(offset: int, length: int) -> bytes:
            raise ConnectionError

        with pytest.raises(ConnectionError):
            read_dist_info(broken, 1000, parse_wheel_name("a-1-py3-none-any.whl"))


class TestNotAWheel:
    """Files that are something else, or a wheel of something else."""

    def test_another_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a-1-py3-none-any.whl"
        path.write_bytes(b"<html>not found</html>")
        error = failure(path)
        assert error.code == "not-a-wheel"
        assert error.problems[0].where == path.name
        assert "not a zip archive" in error.problems[0].why

    def test_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a-1-py3-none-any.whl"
        path.touch()
        assert failure(path).code == "truncated-wheel"

    @pytest.mark.parametrize("part", [0.01, 0.3, 0.9, 0.999])
    def test_cut(self, tmp_path: Path, part: float) -> None:
        path = make_wheel(tmp_path, "a", "1", files={"a.py": os.urandom(100_000)})
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * part)])
        error = failure(path)
        assert error.code == "truncated-wheel"
        assert "again" in error.problems[0].hint

    def test_a_pipe_does_not_hold_us_up(self, tmp_path: Path) -> None:
        path = tmp_path / "a-1-py3-none-any.whl"
        os.mkfifo(path)
        assert failure(path).code == "not-a-wheel"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        error = failure(tmp_path / "a-1-py3-none-any.whl")
        assert error.code == "unreadable-wheel"
        assert isinstance(error, EnvironmentFailure)

    def test_no_dist_info(self, tmp_path: Path) -> None:
        path = tmp_path / "a-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/sub-1.dist-info/METADATA", "Name: sub\n")
        assert "no dist-info folder" in failure(path).problems[0].why

    def test_two_dist_info_folders(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", extra_members={"b-1.dist-info/METADATA": b"Name: b\n"})
        assert "a-1.dist-info, b-1.dist-info" in failure(path).problems[0].why

    def test_a_vendored_dist_info_is_no_second_one(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", extra_members={"a/_vendor/b-1.dist-info/METADATA": b"Name: b\n"})
        assert read(path).core.name == "a"

    @pytest.mark.parametrize("part", ["METADATA", "RECORD"])
    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_part_twice(self, tmp_path: Path, part: str) -> None:
        path = make_wheel(tmp_path, "a", "1")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"a-1.dist-info/{part}", "Name: other\n")
        error = failure(path)
        assert error.code == "not-a-wheel"
        assert "twice" in error.problems[0].why

    def test_a_part_is_missing(self, tmp_path: Path) -> None:
        path = tmp_path / "a-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a-1.dist-info/METADATA", "Name: a\nVersion: 1\n")
            archive.writestr("a-1.dist-info/WHEEL", "")
        assert "holds no a-1.dist-info/RECORD" in failure(path).problems[0].why

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"metadata_name": "b"}, "its METADATA says b 1"),
            ({"metadata_version": "2"}, "its METADATA says a 2"),
            ({"metadata_version": "1+computecanada"}, "its METADATA says a 1+computecanada"),
            ({"metadata": "Summary: nothing else\n\n"}, "its METADATA says nothing"),
            ({"dist_info": "b-1.dist-info"}, "its folder b-1.dist-info says b 1"),
            ({"dist_info": "a-2.dist-info"}, "its folder a-2.dist-info says a 2"),
            ({"dist_info": ".dist-info"}, "its folder .dist-info says nothing"),
        ],
    )
    def test_disagreement(self, tmp_path: Path, wrong: dict[str, str], said: str) -> None:
        error = failure(make_wheel(tmp_path, "a", "1", **wrong))  # type: ignore[arg-type]  # any keyword of text
        assert error.code == "wheel-metadata-disagrees"
        assert said in error.problems[0].why

    def test_renamed(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        assert failure(path, "a-2-py3-none-any.whl").code == "wheel-metadata-disagrees"


def _directory_at(content: bytes | bytearray) -> int:
    (at,) = struct.unpack_from("<L", content, content.rindex(b"PK\x05\x06") + 16)
    return int(at)


def _entry_of(content: bytes | bytearray, path: bytes) -> int:
    return content.index(path, _directory_at(content)) - 46


def _set(content: bytearray, at: int, layout: str, *values: int) -> None:
    struct.pack_into(layout, content, at, *values)


def _prepend(content: bytearray) -> None:
    content[:0] = b"#!/bin/sh\n"


def _gap(content: bytearray) -> None:
    end = content.rindex(b"PK\x05\x06")
    content[end:end] = b"x" * 10


def _count(content: bytearray) -> None:
    _set(content, content.rindex(b"PK\x05\x06") + 8, "<2H", 3, 3)


def _mark(content: bytearray) -> None:
    _set(content, _directory_at(content), "<L", 0)


def _long_path(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 28, "<H", 60_000)


def _crc(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 16, "<L", 1)


def _size_too_small(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 24, "<L", 3)


def _size_zero(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 24, "<L", 0)


def _garbled(content: bytearray) -> None:
    local = content.index(b"a-1.dist-info/RECORD") - 30
    content[local + 30 + 20 : local + 30 + 30] = b"\xff" * 10


def _far_offset(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 42, "<L", 0x7FFFFFFF)


def _other_offset(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 42, "<L", 0)


def _other_path(content: bytearray) -> None:
    at = content.index(b"a-1.dist-info/RECORD")
    content[at : at + 1] = b"b"


def _long_extra(content: bytearray) -> None:
    _set(content, content.index(b"a-1.dist-info/RECORD") - 2, "<H", 60_000)


def _fake_zip64_size(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/RECORD") + 24, "<L", 0xFFFFFFFF)


def _fake_zip64_end(content: bytearray) -> None:
    _set(content, content.rindex(b"PK\x05\x06") + 16, "<L", 0xFFFFFFFF)


@pytest.mark.parametrize(
    "harm",
    [
        _prepend,
        _gap,
        _count,
        _mark,
        _long_path,
        _crc,
        _size_too_small,
        _size_zero,
        _garbled,
        _far_offset,
        _other_offset,
        _other_path,
        _long_extra,
        _fake_zip64_size,
        _fake_zip64_end,
    ],
)
def test_damaged(tmp_path: Path, harm: Callable[[bytearray], None]) -> None:
    path = make_wheel(tmp_path, "a", "1", files={"a.py": os.urandom(1000)})
    content = bytearray(path.read_bytes())
    harm(content)
    path.write_bytes(content)
    error = failure(path)
    assert error.code == "damaged-wheel"
    assert error.problems[0].why


def _encrypted(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/METADATA") + 8, "<H", 1)


def _bzip2(content: bytearray) -> None:
    _set(content, _entry_of(content, b"a-1.dist-info/METADATA") + 10, "<H", 12)


def _second_disk(content: bytearray) -> None:
    _set(content, content.rindex(b"PK\x05\x06") + 4, "<H", 1)


@pytest.mark.parametrize("odd", [_encrypted, _bzip2, _second_disk])
def test_unusual_archives_are_no_wheels(tmp_path: Path, odd: Callable[[bytearray], None]) -> None:
    path = make_wheel(tmp_path, "a", "1")
    content = bytearray(path.read_bytes())
    odd(content)
    path.write_bytes(content)
    assert failure(path).code == "not-a-wheel"


class TestBombs:
    """What an archive states is not believed before it is bounded."""

    def test_metadata_that_inflates_to_much(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", metadata=b"Name: a\nVersion: 1\nSummary: " + b" " * 17_000_000)
        assert path.stat().st_size < 100_000
        assert failure(path).code == "oversized-wheel"

    def test_metadata_that_inflates_to_more_than_stated(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1", metadata=b"Name: a\nVersion: 1\nSummary: " + b" " * 10_000_000)
        content = bytearray(path.read_bytes())
        _set(content, _entry_of(content, b"a-1.dist-info/METADATA") + 24, "<L", 1000)
        path.write_bytes(content)
        assert failure(path).code == "damaged-wheel"

    def test_a_directory_stated_to_be_huge(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        content = bytearray(path.read_bytes())
        _set(content, content.rindex(b"PK\x05\x06") + 12, "<L", 0x7FFFFFFF)
        path.write_bytes(content)
        error = failure(path)
        assert error.code == "oversized-wheel"
        assert "list of files" in error.problems[0].why

    def test_the_name_of_a_member_hidden_in_a_header(self, tmp_path: Path) -> None:
        """A first occurrence of the bytes outside of the path must not hide the one in the path."""
        path = make_wheel(tmp_path, "a", "1")
        with zipfile.ZipFile(path, "a") as archive:
            entry = zipfile.ZipInfo("b-1.dist-info/METADATA")
            archive.writestr(entry, "Name: b\n")
        content = bytearray(path.read_bytes())
        at = _entry_of(content, b"b-1.dist-info/METADATA")
        content[at + 4 : at + 15] = b".dist-info/"
        path.write_bytes(content)
        assert "several dist-info folders" in failure(path).problems[0].why


def test_marks_of_entries_in_other_places(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, "a", "1", extra_members={"a/PK\x01\x02.txt": b"PK\x01\x02"})
    assert read(path).core.name == "a"


@pytest.mark.parametrize("stated", [0, 1])
def test_an_entry_within_the_comment_of_another_is_none(tmp_path: Path, stated: int) -> None:
    """What others, who walk the directory, do not see is not seen here either."""
    path = make_wheel(tmp_path, "a", "1")
    content = bytearray(path.read_bytes())
    entry = _entry_of(content, b"a-1.dist-info/RECORD")
    hidden = bytes(content[entry : entry + 46]) + b"b-1.dist-info/RECORD"
    after = entry + 46 + len(b"a-1.dist-info/RECORD")
    content[after:after] = hidden
    _set(content, entry + 32, "<H", len(hidden))
    end = content.rindex(b"PK\x05\x06")
    (count, length) = struct.unpack_from("<HL", content, end + 10)
    _set(content, end + 8, "<2HL", count + stated, count + stated, length + len(hidden))
    path.write_bytes(content)
    if stated:
        assert failure(path).code == "damaged-wheel"
    else:
        assert read(path).core.name == "a"


class TestZip64:
    """Archives beyond the limits of the old format, made small by filling the long fields only."""

    def test_end_record(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        path = make_wheel(tmp_path, "a", "1")
        assert b"PK\x06\x06" in path.read_bytes()
        assert read(path).core.name == "a"

    def test_member(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        content = bytearray(path.read_bytes())
        entry = _entry_of(content, b"a-1.dist-info/RECORD")
        compressed, size = struct.unpack_from("<2L", content, entry + 20)
        (offset,) = struct.unpack_from("<L", content, entry + 42)
        extra = struct.pack("<2H4x2H3Q", 0x5455, 4, 1, 24, size, compressed, offset)
        _set(content, entry + 20, "<2L", 0xFFFFFFFF, 0xFFFFFFFF)
        _set(content, entry + 42, "<L", 0xFFFFFFFF)
        _set(content, entry + 30, "<H", len(extra))
        after = entry + 46 + len(b"a-1.dist-info/RECORD")
        content[after:after] = extra
        end = content.rindex(b"PK\x05\x06")
        (length,) = struct.unpack_from("<L", content, end + 12)
        _set(content, end + 12, "<L", length + len(extra))
        path.write_bytes(content)
        assert read(path).record.endswith(b"RECORD,,\n")

    def test_a_short_extra_field(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        content = bytearray(path.read_bytes())
        entry = _entry_of(content, b"a-1.dist-info/RECORD")
        extra = struct.pack("<2HL", 1, 4, 7)
        _set(content, entry + 24, "<L", 0xFFFFFFFF)
        _set(content, entry + 30, "<H", len(extra))
        after = entry + 46 + len(b"a-1.dist-info/RECORD")
        content[after:after] = extra
        end = content.rindex(b"PK\x05\x06")
        (length,) = struct.unpack_from("<L", content, end + 12)
        _set(content, end + 12, "<L", length + len(extra))
        path.write_bytes(content)
        assert failure(path).code == "damaged-wheel"

    @pytest.mark.parametrize(("mark", "shift"), [(b"PK\x06\x06", 0), (b"PK\x06\x07", 8)])
    def test_broken_end_records(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: bytes, shift: int) -> None:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
        path = make_wheel(tmp_path, "a", "1")
        content = bytearray(path.read_bytes())
        content[content.rindex(mark) + shift] ^= 1
        path.write_bytes(content)
        assert failure(path).code == "damaged-wheel"

    def test_a_plain_end_record_that_only_looks_full(self, tmp_path: Path) -> None:
        path = make_wheel(tmp_path, "a", "1")
        content = bytearray(path.read_bytes())
        _fake_zip64_end(content)
        path.write_bytes(content)
        assert failure(path).code == "damaged-wheel"
