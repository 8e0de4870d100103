"""Where the user's folders are, and what moves them."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_cache_path, user_config_path

from tumpline.errors import InputError
from tumpline.host import Place, cache_folder, cache_limit, cache_place, config_folder, stage_place

_MOVING = (
    *("TUMPLINE_CACHE", "TUMPLINE_STAGE", "TUMPLINE_CACHE_SIZE", "SLURM_TMPDIR", "SLURM_JOB_ID"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SCRATCH", "PROJECT"),
)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _MOVING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_by_default_they_are_the_platforms(tmp_path: Path) -> None:
    assert tmp_path in cache_folder().parents
    assert tmp_path in config_folder().parents
    assert cache_folder() != config_folder()


@pytest.mark.parametrize("base", [None, "", " ", "/elsewhere", "relative", "~/below"])
def test_they_are_what_platformdirs_says(monkeypatch: pytest.MonkeyPatch, base: str | None) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        if base is not None:
            monkeypatch.setenv(name, base)
    assert cache_folder() == user_cache_path("tumpline", appauthor=False)
    assert config_folder() == user_config_path("tumpline", appauthor=False)


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


def test_where_there_is_scratch_the_cache_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    monkeypatch.setenv("SCRATCH", str(scratch))
    assert cache_place().reason == "", "it is not there"
    scratch.mkdir()
    assert cache_place() == Place(scratch / "tumpline" / "cache", "SCRATCH")
    # Whoever names a folder for caches means it; a job's own disk is nearer.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_place() == Place(tmp_path / "xdg" / "tumpline", "XDG_CACHE_HOME")
    monkeypatch.setenv("SLURM_TMPDIR", "/node")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    assert cache_place() == Place(Path("/node/tumpline-cache"), "SLURM_TMPDIR")
    monkeypatch.setenv("SCRATCH", "relative")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "relative").mkdir()
    assert stage_place(cluster=True) is None


def test_where_a_stage_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert stage_place(cluster=True) is None, "never in home by itself (R18)"
    beside = stage_place(cluster=False)
    assert beside == Place(cache_folder() / "stage", "")
    monkeypatch.setenv("SLURM_TMPDIR", "/node")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    assert stage_place(cluster=False) == beside, "a stage outlives the job"
    for variable in ("PROJECT", "SCRATCH"):
        folder = tmp_path / variable
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
        assert stage_place(cluster=True) == Place(folder / "tumpline" / "stage", variable)
    monkeypatch.setenv("TUMPLINE_STAGE", "/mine")
    assert stage_place(cluster=True) == Place(Path("/mine"), "TUMPLINE_STAGE")


def test_the_limit_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_limit() == 20_000_000_000
    monkeypatch.setenv("TUMPLINE_CACHE_SIZE", "1.5 GiB")
    assert cache_limit() == 3 * 2**29
    monkeypatch.setenv("TUMPLINE_CACHE_SIZE", "unlimited")
    assert cache_limit() is None
    monkeypatch.setenv("TUMPLINE_CACHE_SIZE", "much")
    with pytest.raises(InputError) as caught:
        cache_limit()
    assert (caught.value.code, caught.value.problems[0].where) == ("bad-size", "TUMPLINE_CACHE_SIZE")
