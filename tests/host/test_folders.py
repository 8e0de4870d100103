"""Where the user's folders are, and what moves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tumpline.host import cache_folder, config_folder


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TUMPLINE_CACHE", "SLURM_TMPDIR", "SLURM_JOB_ID", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_by_default_they_are_the_platforms(tmp_path: Path) -> None:
    assert tmp_path in cache_folder().parents
    assert tmp_path in config_folder().parents
    assert cache_folder() != config_folder()


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"TUMPLINE_CACHE": "/elsewhere"}, "/elsewhere"),
        ({"SLURM_TMPDIR": "/node", "SLURM_JOB_ID": "1"}, "/node/tumpline-cache"),
        ({"TUMPLINE_CACHE": "/elsewhere", "SLURM_TMPDIR": "/node", "SLURM_JOB_ID": "1"}, "/elsewhere"),
    ],
)
def test_what_moves_the_cache(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder)


def test_outside_a_job_the_nodes_storage_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLURM_TMPDIR", "/node")
    assert tmp_path in cache_folder().parents
