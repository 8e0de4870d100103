"""A cache keeps within its size, and what a running command uses stays."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tumpline.errors import InputError
from tumpline.host.caches import CacheUse, parse_size


def add(folder: Path, name: str, size: int, age: float) -> Path:
    """A file of the cache that was used so many seconds ago."""
    path = folder / "index" / "files" / name[:2] / name / "wheel"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    files = [add(tmp_path, f"{number}{number}x", 100, age=100.0 - number) for number in range(5)]
    with CacheUse(tmp_path, 500) as use:
        use.make_room(150)
        assert [path.exists() for path in files] == [False, False, True, True, True]
        assert not files[0].parent.parent.exists(), "empty folders go as well"
        use.make_room(50)
        assert files[2].exists(), "it was room for both"


def test_what_this_command_uses_stays_until_it_ends(tmp_path: Path) -> None:
    old = [add(tmp_path, name, 100, age=1000.0) for name in ("aa1", "bb1", "cc1")]
    with CacheUse(tmp_path, 250) as use:
        assert use.has(old[0])
        use.make_room(200)
        new = add(tmp_path, "dd1", 200, age=0.0)
        assert [path.exists() for path in old] == [True, False, False]
        use.make_room(100)
        assert new.exists(), "the limit is exceeded rather than what is needed lost"
    assert not old[0].exists()
    assert new.exists()


def test_what_another_command_uses_stays(tmp_path: Path) -> None:
    path = add(tmp_path, "aa1", 100, age=1000.0)
    other = CacheUse(tmp_path, 50)
    assert other.has(path)
    with CacheUse(tmp_path, 50) as use:
        use.make_room(10)
    assert path.exists()
    other.close()
    with CacheUse(tmp_path, 50) as use:
        use.make_room(10)
    assert not path.exists()


def test_a_command_that_was_killed_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = add(tmp_path, "aa1", 100, age=1000.0)
    assert CacheUse(tmp_path, 50).has(path)
    (note,) = (tmp_path / "in-use").iterdir()
    os.utime(note, (1.0, 1.0))
    with CacheUse(tmp_path, 50) as use:
        use.make_room(10)
    assert not path.exists()
    assert list((tmp_path / "in-use").iterdir()) == []


def test_catalogues_stages_and_what_is_being_fetched_stay(tmp_path: Path) -> None:
    for name in ("catalogues/lake.sqlite", "stage/files/aa/aa1/wheel", "index/files/partial/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1.0, 1.0))
    with CacheUse(tmp_path, 0) as use:
        use.make_room(1)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


def test_without_a_limit_nothing_goes(tmp_path: Path) -> None:
    path = add(tmp_path, "aa1", 100, age=1000.0)
    with CacheUse(tmp_path, None) as use:
        use.make_room(10**15)
    assert path.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(bytes(100))
    os.utime(outside, (1.0, 1.0))
    cache = tmp_path / "cache"
    (cache / "built").mkdir(parents=True)
    (cache / "built" / "link").symlink_to(outside)
    (cache / "built" / "folder").symlink_to(tmp_path, target_is_directory=True)
    with CacheUse(cache, 0) as use:
        assert not use.has(cache / "built" / "link")
        use.make_room(1)
    assert outside.exists()


def test_what_can_not_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "in-use").write_text("in the way")
    path = add(tmp_path, "aa1", 100, age=1000.0)
    with CacheUse(tmp_path, 50) as use:
        assert use.has(path)
        use.make_room(10)
    with CacheUse(tmp_path / "nowhere", 50) as use:
        assert not use.has(tmp_path / "nowhere" / "x")
        use.make_room(10)


def test_many_threads(tmp_path: Path) -> None:
    with CacheUse(tmp_path, 1000) as use:

        def work(number: int) -> None:
            use.make_room(100)
            add(tmp_path, f"{number:02}x", 100, age=0.0)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(list((tmp_path / "in-use").iterdir())) == 1
    assert sum(path.stat().st_size for path in tmp_path.rglob("wheel")) <= 1000


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("5GB", 5 * 10**9), ("1.5 MiB", 3 * 2**19), ("2t", 2 * 10**12), ("unlimited", None)],
)
def test_sizes(text: str, size: int | None) -> None:
    assert parse_size(text, "--size") == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1e9", "5 PB", "5 GB more", "1" * 40])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(InputError):
        parse_size(text, "--size")
