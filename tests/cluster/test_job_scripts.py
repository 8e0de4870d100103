"""``tumpline job submit`` on a cluster: every node gets the environment, in each way, whatever things are called."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter

import pytest

from tests.cluster.conftest import PROJECT, TELL, Submitted, World
from tests.cluster.interpreter import Interpreter
from tests.cluster.test_jobs import MODULES

FOUR = ("--nodes", "4", "--tasks-per-node", "2")
VERSIONS = ["2.4.2", "3.0.0", "23.0.1"]
HOSTILE = (
    "a b; touch harm", "it's", '"$(touch harm)"', "`touch harm`", "two\nlines; touch harm", "\\", "héé ✓", "", "-n",
)  # fmt: skip


def ranks(said: str) -> list[tuple[str, str, list[str]]]:
    """Return what ``tell.py`` printed on each rank: the node, the prefix, the versions."""
    lines = [line.split() for line in said.splitlines() if re.match(r"n\d /", line)]
    return [(node, prefix, versions) for node, prefix, *versions in lines]


@pytest.mark.parametrize("way", ["tumpline", "plain", "image", "login-node"])
def test_each_of_four_nodes_has_its_own(world: World, way: str) -> None:
    words = {"plain": ["--plain"], "login-node": ["--environment", "login-node"]}.get(way, [])
    if way in ("image", "login-node"):
        world.shell(f"{MODULES}; tumpline sync -q")
    if way == "image":
        world.shell(f"{MODULES}; tumpline pack -q --no-compile")
    try:
        job = world.submit(*FOUR, *words, "--", "python", "tell.py")
        job.wait()
    finally:
        for image in world.project.glob("narval-*.tar*"):
            image.unlink()
        # `run` of other tests would take it.
        shutil.rmtree(world.project / ".tumpline", ignore_errors=True)
    said = ranks(job.said())
    assert job.record()["status"] == 0, job.said()
    assert job.record()["way"] == {"image": "image", "login-node": "login-node"}.get(way, "build")
    assert Counter(node for node, _, _ in said) == {"n1": 2, "n2": 2, "n3": 2, "n4": 2}
    assert all(versions == VERSIONS for _, _, versions in said)
    local = world.project / ".tumpline" if way == "login-node" else world.cluster.local
    assert all(prefix.startswith(f"{local}/") for _, prefix, _ in said)
    assert "error" not in job.said()


def test_an_array_makes_one_environment_on_each_node(world: World, interpreter: Interpreter) -> None:
    code = "import os, sys; print(os.uname().nodename, os.path.realpath(sys.prefix))"
    job = world.submit("--array", "1-200", "--memory", "50M", "--", "python", "-c", code)
    job.wait(300)
    outputs = [job.said(f"_{task}") for task in range(1, 201)]
    assert all(job.record(f"_{task}")["status"] == 0 for task in range(1, 201)), job.everything()[:3000]
    assert not [said for said in outputs if said.count("\n") != 1], job.everything()
    places = {tuple(said.split()) for said in outputs}
    assert sorted(node for node, _ in places) == ["n1", "n2", "n3", "n4"], places
    assert len(interpreter.starts()) == 4, interpreter.starts()
    # The last on each node has taken it away.
    for node in world.cluster.nodes:
        assert not list((node.folder / "disk").glob("tumpline-*/*")), node.name


def test_a_task_of_an_array_on_several_nodes(world: World) -> None:
    job = world.submit("--array", "1-2", "--nodes", "2", "--tasks-per-node", "2", "--", "python", "tell.py")
    job.wait()
    for task in ("_1", "_2"):
        said = ranks(job.said(task))
        assert sorted(Counter(node for node, _, _ in said).values()) == [2, 2], job.said(task)
        assert all(prefix.startswith(f"{world.cluster.local}/") for _, prefix, _ in said)
        assert all(versions == VERSIONS for _, _, versions in said)
    for node in world.cluster.nodes:
        assert not list((node.folder / "disk").glob("tumpline-*/*")), node.name


@pytest.mark.parametrize("flavour", ["tumpline", "plain"])
def test_names_are_never_code(world: World, flavour: str) -> None:
    folder = f'{flavour} ; touch harm; it\'s "$(touch harm)" `touch harm` \\ ✓\n#SBATCH --nodes=9\ntouch harm'
    odd = world.elsewhere(folder, PROJECT)
    output = world.cluster.scratch / f"{flavour} out;touch harm;'\"$(touch harm)`touch harm`%j #é"
    words = ["--plain"] if flavour == "plain" else []
    code = "import json; print('argv', json.dumps(sys.argv[1:]), flush=True); "
    command = ("--", "python", "-c", f"import sys; {code}{TELL}", *HOSTILE)
    options = ("--nodes", "2", "--tasks-per-node", "1", "--option=--comment=x\"; touch harm; '#", *words)
    job = odd.submit(*options, *command, output=output)
    job.wait()
    assert job.said().count(f"argv {json.dumps(list(HOSTILE))}\n") == 2, job.said()
    assert len({node for node, _, _ in ranks(job.said())}) == 2, job.said()
    assert job.record()["status"] == 0
    assert job.record()["command"][-len(HOSTILE) :] == list(HOSTILE)
    assert not list(world.cluster.root.rglob("harm"))


def test_submitted_where_another_environment_is_active(world: World) -> None:
    other = world.cluster.scratch / "other"
    world.shell(f'{MODULES}; virtualenv --no-download -q "$1"', str(other))
    code = f'{MODULES}; . "$1/bin/activate"; cd "$2"; tumpline job submit --output "$3" -- bash -c "$4"'
    tell = 'python tell.py; command -v python; echo "${VIRTUAL_ENV:-none}"'
    number = world.shell(code, str(other), str(world.project), str(world.cluster.scratch / "runs"), tell).stdout.strip()
    job = Submitted(world, number, world.cluster.scratch / "runs")
    job.wait()
    ((_, prefix, versions),) = ranks(job.said())
    assert versions == VERSIONS
    assert prefix.startswith(f"{world.cluster.local}/")
    assert job.said().splitlines()[-2:] == [f"{prefix}/bin/python", prefix], job.said()


class TestRefused:
    """What would fail later is told before a job is submitted."""

    def test_a_module_without_a_binding_for_the_python(self, world: World) -> None:
        text = PROJECT.replace('"numpy", "pandas", "pyarrow"', '"mpi4py"').replace("arrow/23.0.1", "mpi4py/4.0.3")
        with pytest.raises(AssertionError) as caught:
            world.elsewhere("binding", text.replace('"3.11"', '"3.12"'))
        said = str(caught.value)
        assert "error[not-available]: mpi4py can not be had on narval" in said
        assert "mpi4py/4.0.3 is loaded, which in StdEnv 2023 has mpi4py only for Python 3.11" in said
        assert "hint: choose another Python for target narval: modules have it for 3.11" in said
        # What was locked for one Python is not submitted once the project asks for the other.
        (world.cluster.scratch / "binding" / "pyproject.toml").write_text(text)
        study = World(world.cluster, world.cluster.scratch / "binding")
        study.login("tumpline", "lock")
        (study.project / "pyproject.toml").write_text(text.replace('"3.11"', '"3.12"'))
        assert "error[lock-outdated]" in study.login("tumpline", "job", "submit", "--", "true", check=False).stderr

    def test_a_module_that_is_not_here(self, world: World) -> None:
        text = PROJECT.replace('"numpy", "pandas", "pyarrow"', '"numpy"').replace("arrow/23.0.1", "arrow/9.9")
        study = world.elsewhere("module", text)
        done = study.login("tumpline", "job", "submit", "--", "true", check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "error[module-load-failed]" in done.stderr
        assert "there is no module arrow/9.9 in what can be loaded here" in done.stderr
        assert "\nhint: " in done.stderr
        # What is lost after submission is told by the job.
        good = world.submit("--option=--hold", "--", "true")
        modules = world.cluster.root / "modules"
        (kept,) = modules.rglob("arrow/23.0.1.lua")
        kept.rename(kept.with_suffix(".gone"))
        try:
            world.login("scontrol", "release", good.number)
            good.wait()
        finally:
            kept.with_suffix(".gone").rename(kept)
        assert good.record()["status"] == 1
        assert "these modules can not be loaded: StdEnv/2023 python/3.11.7 arrow/23.0.1" in good.said()
