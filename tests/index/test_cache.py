"""The folder of checksummed files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.index.cache import Cache, Entry


def test_what_was_written_is_read(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    first, second = cache.framed(b"first"), cache.framed(b"second" * 20_000)
    cache.write("a/b", b"head" * 20_000, 1000.0, first + second)

    entry = cache.read("a/b")

    assert entry is not None
    assert entry.head == b"head" * 20_000
    assert cache.part("a/b", entry.mark, 0, len(first)) == b"first"
    assert cache.part("a/b", entry.mark, len(first), len(second)) == b"second" * 20_000
    assert cache.written_at("a/b") == 1000.0
    cache.confirm("a/b", 2000.0)
    assert cache.written_at("a/b") == 2000.0
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["b"]


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    assert cache.read("a/b") is None
    assert cache.part("a/b", b"", 0, 1) is None
    assert cache.written_at("a/b") == 0.0
    cache.confirm("a/b", 1.0)


@pytest.mark.parametrize("damage", range(6))
def test_a_damaged_file_is_absent(tmp_path: Path, damage: int) -> None:
    cache = Cache(tmp_path)
    cache.write("a", b"head", 1.0, cache.framed(b"part"))
    path = tmp_path / "a"
    whole = path.read_bytes()
    at = whole.index(b"head")
    path.write_bytes(
        [
            b"",
            whole[:20],
            whole[:-1],
            whole + b"x",
            whole[:at] + b"heap" + whole[at + 4 :],
            b"another-cache-9" + whole[15:],
        ][damage]
    )

    assert cache.read("a") is None


def test_a_damaged_or_replaced_part_is_absent(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    part = cache.framed(b"part")
    cache.write("a", b"head", 1.0, part)
    entry = cache.read("a")
    assert entry is not None
    path = tmp_path / "a"
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert cache.part("a", entry.mark, 0, len(part)) is None

    cache.write("a", b"other head", 1.0, part)
    assert cache.part("a", entry.mark, 0, len(part)) is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "cache")

    cache.write("a", b"head", 1.0)

    assert cache.read("a") is None


def test_a_second_writer_wins_whole(tmp_path: Path) -> None:
    one, other = Cache(tmp_path), Cache(tmp_path)
    one.write("a", b"one", 1.0)
    other.write("a", b"other", 1.0)

    entry = one.read("a")

    assert isinstance(entry, Entry)
    assert entry.head == b"other"
