"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.errors import EnvironmentFailure
from tumpline.host.files import write_atomically


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b", b"one")
    assert (tmp_path / "a" / "b").read_bytes() == b"one"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_the_mode_of_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for mode in (0o600, 0o664, 0o755):
        path.write_bytes(b"old")
        path.chmod(mode)
        write_atomically(path, b"new")
        assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", mode)


def test_what_can_not_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(EnvironmentFailure) as caught:
        write_atomically(tmp_path / "file", b"x")
    assert caught.value.code == "cannot-write"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
