"""The quota that a site states, held against what an environment or a stage will have."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from tests.environment.test_commands import Folder
from tumpline.cli.sync_progress import tell_footprint
from tumpline.cli.terminal import Terminal
from tumpline.environment.footprint import Footprint
from tumpline.environment.quotas import stated_quota
from tumpline.environment.staging import Load, check_room
from tumpline.errors import EnvironmentFailure
from tumpline.host.room import Room
from tumpline.sites import Site
from tumpline.sites.load import load_site
from tumpline.sites.profile import Quota


@pytest.fixture
def site() -> Site:
    quotas = {"home": Quota(1000, 10), "scratch": Quota(None, 20), "project": Quota(3000, None)}
    return replace(load_site("narval"), quotas=quotas)


def test_which_quota_holds_for_a_folder(tmp_path: Path, site: Site) -> None:
    variables = {"HOME": str(tmp_path / "home"), "SCRATCH": str(tmp_path / "home" / "in" / "scratch")}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "linked").symlink_to("/project/def-someone")
    asked = {
        "home/x": "home",
        "home": "home",
        "home/in/scratch/x": "scratch",
        "home/linked/x": "project",
        "homes/x": "",
    }
    for folder, area in asked.items():
        found = stated_quota(site, tmp_path / folder, variables)
        assert (found.of if found else "") == (f"the quota of {area} on narval" if area else "")
    assert stated_quota(site, Path("/scratch/someone"), {}) == Room("the quota of scratch on narval", None, 20, True)
    assert stated_quota(replace(site, quotas=None), Path("/scratch/someone"), {}) is None


def test_the_share_is_told(site: Site) -> None:
    err = io.StringIO()
    quota = stated_quota(site, Path("/home/someone/env"), {})
    assert quota is not None
    tell_footprint(Footprint(5, 250, True), (), quota, Terminal(io.StringIO(), err))
    assert "5 files and folders, 0 MiB: 50.0% of the files and 25.0% of the space of the quota of home on narval\n" in (
        err.getvalue()
    )
    tell_footprint(Footprint(11, 250, False), (quota,), quota, Terminal(io.StringIO(), err))
    assert "note[may-not-fit]" in err.getvalue()
    assert "the quota of home on narval is 10 files and 0 MB" in err.getvalue()


def test_a_stage_that_no_quota_has_room_for(site: Site) -> None:
    quota = stated_quota(site, Path("/home/someone/stage"), {})
    assert quota is not None
    check_room(Load(3, 0, 900, 9), [quota], Path("stage"))
    with pytest.raises(EnvironmentFailure) as caught:
        check_room(Load(4, 0, 900, 12), [quota], Path("stage"))
    assert caught.value.code == "no-room"
    assert "the quota of home on narval is 10 files" in caught.value.problems[0].why


def test_a_sync_where_no_quota_is_stated(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    done = folder.run("sync", "--target", "here")
    assert done.returncode == 0, done.stderr
    assert "the environment will have " in done.stderr
    assert "quota" not in done.stderr, "the profile of any Linux machine states none"
