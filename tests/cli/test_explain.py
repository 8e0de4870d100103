"""`tumpline explain` and `tumpline why` as a person calls them."""

from __future__ import annotations

import sys
import tomllib

from tests.cli.world import World, snapshot
from tests.wheelmaker import make_wheel

NEXT = f"3.{sys.version_info.minor + 1}"
"""A Python that the project's targets do not have."""


def test_explain_says_that_it_resolves_and_writes_nothing(world: World) -> None:
    before = snapshot(world.project)
    done = world.run("explain").ok()
    assert done.out.splitlines() == ["it resolves for lake, laptop: 3 packages", "tumpline.lock would not change"]
    assert snapshot(world.project) == before


def test_explain_says_what_a_requirement_would_change(world: World) -> None:
    make_wheel(world.links, "delta", "2.0", requires=["beta"])
    before = snapshot(world.project)
    done = world.run("explain", "delta>=1").ok()
    assert "  delta 2.0 (pypi) on lake, laptop" in done.out.splitlines()
    assert "  + delta 2.0" in done.out.splitlines()
    data = world.run("explain", "delta>=1", "--json").ok().data
    assert (data["schema"], data["resolves"]) == ("tumpline.explain/1", True)
    assert data["packages"] == [
        {"name": "delta", "target": target, "version": "2.0", "source": "pypi"} for target in ("lake", "laptop")
    ]
    assert data["changes"] == [
        {"name": "delta", "before": None, "after": "2.0", "targets": []},
    ]
    assert snapshot(world.project) == before


def test_explain_offers_a_change_that_makes_lock_succeed(world: World) -> None:
    world.edit('"gamma"', '"gamma==0.9"')
    done = world.run("explain")
    assert done.status == 3
    assert "gamma can not be had on lake, laptop" in done.out
    assert 'pyproject.toml, project.dependencies[1]: "gamma~=1.0"' in done.out
    assert world.run("lock").status == 3
    data = world.run("explain", "--json").data
    assert (data["resolves"], data["code"]) == (False, "not-available")
    (change,) = data["advice"]["options"][0]["changes"]
    assert (change["kind"], change["file"], change["key"]) == ("relax", "pyproject.toml", "project.dependencies[1]")
    world.edit('"gamma==0.9"', change["text"])
    world.run("lock").ok()


def test_every_single_change_that_is_offered_works(world: World) -> None:
    make_wheel(world.links, "delta", "1.0", tags="cp311-cp311-manylinux_2_17_x86_64")
    world.edit('"gamma"]', '"gamma", "beta>=5"]')
    text = world.pyproject.read_text()
    data = world.run("explain", "--json").data
    assert data["advice"]["options"]
    for option in data["advice"]["options"]:
        (change,) = option["changes"]
        declared = tomllib.loads(text)["project"]["dependencies"]
        declared[2] = tomllib.loads(f"x = {change['text']}")["x"] if change["text"] else None
        listed = ", ".join(f"'{line}'" for line in declared if line)
        start, end = text.index("dependencies = ["), text.index("]", text.index("dependencies = ["))
        world.pyproject.write_text(f"{text[:start]}dependencies = [{listed}{text[end:]}")
        world.run("lock").ok()


def test_explain_of_what_is_not_there_names_it_as_asked(world: World) -> None:
    done = world.run("explain", "nonesuch")
    assert done.status == 3
    assert "you ask for nonesuch" in done.out
    assert "hint: check the spelling of nonesuch" in done.out


def test_explain_refuses_what_is_no_requirement(world: World) -> None:
    world.run("explain", "a b c").refuses("bad-requirement", 2, "'a b c'")
    world.run("explain", "\x1b[31m").refuses("bad-requirement", 2)


def test_a_request_is_written_for_what_the_site_lacks(world: World) -> None:
    world.edit('"gamma"', '"gamma", "delta"')
    make_wheel(world.links, "delta", "1.0", tags="cp39-cp39-manylinux_2_17_x86_64")
    done = world.run("explain", "--request")
    assert done.status == 3
    assert "Subject: Request for Python packages: delta" in done.out
    assert "Objet : Demande de paquets Python : delta" in done.out
    assert "- lake with Python " in done.out


def test_no_request_where_nothing_is_lacking(world: World) -> None:
    world.run("explain", "--request").refuses("no-wheel-lacking", 1, "the requirements resolve")


def test_lock_says_the_same_in_short(world: World) -> None:
    world.edit('"gamma"', '"gamma==0.9"')
    done = world.run("lock")
    assert done.status == 3
    assert "error[not-available]: gamma can not be had on lake, laptop" in done.err
    assert "tumpline explain" in done.err


def test_why(world: World) -> None:
    make_wheel(world.links, "beta", "2.0")
    done = world.run("why", "beta").ok()
    assert done.out.splitlines() == [
        "beta 1.0",
        "asked for by",
        "  alpha 1.0: beta",
        "  the project -> alpha -> beta",
        "taken",
        "  lake: 1.0+computecanada from the wheelhouse, which goes before the index",
        "  laptop: 1.0 from the index, the only source there",
        "passed over",
        "  2.0: lake: only the index has it there, and the wheelhouse goes first",
    ]


def test_why_as_json(world: World) -> None:
    data = world.run("why", "Gamma", "--json").ok().data
    assert (data["schema"], data["name"], data["version"]) == ("tumpline.why/1", "gamma", "1.0")
    assert data["asked-by"] == [
        {"asker": None, "version": None, "specifier": "", "targets": [], "origin": "project.dependencies[1]"}
    ]
    assert data["passed-over"] == []
    assert [row["source"] for row in data["targets"]] == ["pypi", "pypi"]


def test_why_of_what_is_not_locked(world: World) -> None:
    world.run("why", "gama").refuses("not-locked", 1, "did you mean gamma?")
    world.run("why", "zzz").refuses("not-locked", 1, "tumpline explain zzz")


def test_why_without_the_index_says_what_it_knows(world: World) -> None:
    world.use_index("http://127.0.0.1:9/simple")
    done = world.run("why", "gamma").ok()
    assert "  the project: gamma (project.dependencies[1])" in done.out.splitlines()
    assert "  not known: " in done.out


def test_why_of_what_is_taken_by_address(world: World) -> None:
    wheel = make_wheel(world.links, "gamma", "3.0")
    world.edit('"gamma"', f'"gamma @ {wheel.as_uri()}"')
    world.run("lock").ok()
    make_wheel(world.links, "gamma", "4.0")
    lines = world.run("why", "gamma").ok().out.splitlines()
    assert "  laptop: 3.0 from the address that the project gives" in lines
    assert "  nothing where an address decides the version" in lines
    assert not any("4.0" in line for line in lines)


def test_a_constraint_that_stands_in_the_way_is_relaxed(world: World) -> None:
    world.edit(
        "[tool.tumpline.targets.lake]", '[tool.tumpline]\nconstraints = ["gamma==0.9"]\n[tool.tumpline.targets.lake]'
    )
    data = world.run("explain", "--json").data
    (option,) = data["advice"]["options"]
    (change,) = option["changes"]
    assert (change["kind"], change["key"]) == ("constraint", "tool.tumpline.constraints[0]")
    world.edit('"gamma==0.9"', change["text"])
    world.run("lock").ok()


def test_a_python_that_the_project_does_not_admit_is_replaced(world: World) -> None:
    world.edit('version = "0.1"', f'version = "0.1"\nrequires-python = ">={NEXT}"')
    world.run("lock").refuses("python-excluded", 2)
    data = world.run("explain", "--json").data
    assert (data["code"], {row["target"] for row in data["excluded"]}) == ("python-excluded", {"lake", "laptop"})


def test_a_target_that_stands_in_no_file_is_offered_with_its_site(world: World) -> None:
    text = world.pyproject.read_text().partition("[tool.tumpline")[0]
    world.pyproject.write_text(text.replace('version = "0.1"', f'version = "0.1"\nrequires-python = ">={NEXT}"'))
    (option, *_) = world.run("explain", "--json").data["advice"]["options"]
    change = option["changes"][0]
    assert change["key"] == "tool.tumpline.targets.here"
    table = tomllib.loads(change["text"])
    assert table == {"site": "here", "python": NEXT}
    world.pyproject.write_text(f"{world.pyproject.read_text()}[{change['key']}]\n{change['text']}\n")
    assert world.run("explain").status == 0
