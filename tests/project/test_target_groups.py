"""Groups of single targets: what is asked for on some targets only."""

from __future__ import annotations

import pytest

from tests.project.conftest import Read, Refuse, line

TARGETS = """
[tool.tumpline.targets.cluster]
site = "narval"
groups = ["gpu"{more}]

[tool.tumpline.targets.laptop]
site = "here"
"""
GROUPS = '[project]\nname = "x"\ndependencies = ["a"]\n\n[dependency-groups]\ngpu = ["b", "x[more]"]\ndev = ["c"]\n'
EXTRA = '\n[project.optional-dependencies]\nmore = ["d"]\n'
PROJECT = GROUPS + EXTRA + TARGETS.format(more="")


def targets(read: Read, text: str) -> dict[str, tuple[str, ...]]:
    return {declared.requirement.name: declared.targets for declared in read(text).requirements}


def test_they_are_for_these_targets(read: Read) -> None:
    project = read(PROJECT)
    assert targets(read, PROJECT) == {"a": (), "b": ("cluster",), "d": ("cluster",)}
    (b,) = [declared for declared in project.requirements if declared.requirement.name == "b"]
    assert b.meant_for("cluster")
    assert not b.meant_for("laptop")
    assert project.requirements[0].meant_for("laptop")


@pytest.mark.parametrize(
    "more",
    [
        '\ngroups = ["gpu"]\n',  # of the laptop as well, which is all there are
        '\n[tool.tumpline]\ngroups = ["gpu"]\n',
        '\n[tool.tumpline]\npypi-group = "GPU"\n',
    ],
)
def test_what_is_for_all_is_for_all(read: Read, more: str) -> None:
    assert set(targets(read, PROJECT + more).values()) == {()}


def test_a_lock_is_out_of_date_where_they_change(read: Read) -> None:
    first = read(PROJECT).inputs
    assert read(PROJECT.replace('groups = ["gpu"]', 'groups = ["GPU"]')).inputs == first
    assert read(PROJECT.replace('groups = ["gpu"]', "groups = []")).inputs != first
    assert read(PROJECT + 'groups = ["gpu"]\n').inputs != first


def test_a_group_that_is_not_there(refuse: Refuse) -> None:
    (problem,) = refuse(GROUPS + EXTRA + TARGETS.format(more=', "gpus"'))
    assert (problem.code, line(problem)) == ("unknown-group", 14)
    assert problem.message.startswith("tool.tumpline.targets.cluster.groups[1] is 'gpus'")
    assert problem.hint == "did you mean gpu?"
