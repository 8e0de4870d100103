"""Environments in jobs: on every node, without internet, the same as in the way that is documented."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime

import pytest

from cluster.network import packets_out
from tests.cluster.conftest import World

SYNC = 'srun --ntasks="$SLURM_NNODES" --ntasks-per-node=1 tumpline sync --env "$SLURM_TMPDIR/env"'
MODULES = "module load StdEnv/2023 python/3.11 arrow/23.0.1"


def told(said: str) -> dict[str, list[str]]:
    """Return, by node, what ``tell.py`` printed."""
    lines = [line.split() for line in said.splitlines() if re.match(r"n\d /", line)]
    return {node: rest for node, *rest in lines}


def test_every_rank_on_four_nodes_and_no_packet_leaves(world: World) -> None:
    before = [packets_out(node) for node in world.cluster.nodes]
    job = world.job(MODULES, SYNC, 'srun tumpline run --env "$SLURM_TMPDIR/env" -- python tell.py', nodes=4)
    assert job.status == 0, job.said
    answers = told(job.said)
    assert sorted(answers) == ["n1", "n2", "n3", "n4"]
    for prefix, *versions in answers.values():
        # One path that is another disk on each node; its last part is the generation's, and told by lot.
        assert prefix.startswith(f"{world.cluster.local}/")
        assert versions == ["2.4.2", "3.0.0", "23.0.1"]
    assert [packets_out(node) for node in world.cluster.nodes] == before


def test_packets_are_counted(world: World) -> None:
    """Without this the test above would show nothing."""
    node = world.cluster.nodes[1]
    before = packets_out(node)
    reach = "import socket; s = socket.socket(); s.settimeout(0.5); s.connect(('192.0.2.77', 80))"
    done = world.login("srun", f"--nodelist={node.name}", "python3", "-c", reach, check=False)
    assert done.returncode != 0
    assert packets_out(node) > before


def test_the_documented_way_gives_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    listing = "pip list --format=json | sed 's/^/packages /'; echo"
    by_hand = world.job(
        MODULES,
        'virtualenv --no-download "$SLURM_TMPDIR/env" >/dev/null',
        'source "$SLURM_TMPDIR/env/bin/activate"',
        "pip install --no-index --quiet numpy pandas pyarrow",
        "srun python tell.py",
        listing,
        'echo "seconds $SECONDS"',
    )
    made = world.submit("--", "bash", "-ec", f"python tell.py; {listing}")
    made.wait()
    assert by_hand.status == 0, by_hand.said
    assert made.record()["status"] == 0, made.said()
    assert versions(by_hand.said) == versions(made.said())
    # virtualenv gives environments of Python 3.11 a setuptools by itself; ours have one where the lock has.
    by_hand_has = packages(by_hand.said)
    assert by_hand_has.pop("setuptools")
    assert by_hand_has == packages(made.said())
    begun, ended = (datetime.fromisoformat(made.record()[key]) for key in ("start", "end"))
    took = re.findall(r"seconds (\d+)", by_hand.said)[0]
    with capsys.disabled():
        sys.stdout.write(f"\n3 packages: documented {took} s, job submit {(ended - begun).seconds} s (not compared)\n")


def versions(said: str) -> list[str]:
    """The versions that ``tell.py`` printed, on one node."""
    ((_, *found),) = told(said).values()
    return found


def packages(said: str) -> dict[str, str]:
    """What pip listed, by name."""
    lines = [line.removeprefix("packages ") for line in said.splitlines() if line.startswith("packages ")]
    return {package["name"]: package["version"] for line in lines for package in json.loads(line)}


def test_run_makes_the_environment_that_is_not_there(world: World) -> None:
    job = world.job(
        # No module is loaded: it does that as well.
        "module --force purge",
        "tumpline run -- python tell.py",
        "tumpline run -- python tell.py",
        'eval "$(tumpline activate)"',
        "python tell.py",
        # Where the site says that environments are made on the login node, none is made.
        'mkdir "$SLURM_TMPDIR/sites"',
        "profile=${TUMPLINE_SITES%%:*}/narval.toml",
        'sed "/^build-in/s/in-job/login-node/" "$profile" >"$SLURM_TMPDIR/sites/narval.toml"',
        'export TUMPLINE_SITES="$SLURM_TMPDIR/sites:$TUMPLINE_SITES"',
        'rm "$SLURM_TMPDIR/narval"',
        "tumpline run -- true || echo refused",
    )
    assert job.status == 0, job.said
    prefixes = [line.split()[1] for line in job.said.splitlines() if re.match(r"n\d /", line)]
    assert len(prefixes) == 3
    assert len(set(prefixes)) == 1
    assert prefixes[0].startswith(f"{world.cluster.local}/")
    assert job.said.count("making the environment") == 1
    assert "no-environment" in job.said.partition("making the environment")[2]
    assert job.said.endswith("refused\n")


def test_tasks_on_one_node_make_it_once(world: World) -> None:
    job = world.job(MODULES, "srun tumpline run -- python tell.py", options=("--ntasks=4", "--ntasks-per-node=4"))
    assert job.status == 0, job.said
    assert job.said.count("making the environment") == 1
    assert len({line for line in job.said.splitlines() if re.match(r"n\d /", line)}) == 1


def test_run_unpacks_an_image_of_what_is_locked(world: World) -> None:
    made = world.job(MODULES, "tumpline run -- true", 'tumpline pack --no-compile --env "$SLURM_TMPDIR/narval"')
    assert made.status == 0, made.said
    (image,) = world.project.glob("narval-*.tar*")
    (world.project / "narval-notes.tar").write_text("something else")
    try:
        job = world.job(MODULES, "tumpline run -- python tell.py")
        assert job.status == 0, job.said
        assert f"unpacking {image.name}" in job.said
        assert "making the environment" not in job.said
        ((prefix, *versions),) = told(job.said).values()
        assert prefix.startswith(f"{world.cluster.local}/")
        assert versions == ["2.4.2", "3.0.0", "23.0.1"]
    finally:
        image.unlink()
        (world.project / "narval-notes.tar").unlink()


ENV = '--env "$SLURM_TMPDIR/env"'

CASES = {
    "another CPU level": f"RSNT_ARCH=avx512 tumpline run {ENV} -- true",
    "a module is loaded in another version": (
        f'mkdir -p "$SLURM_TMPDIR/m/arrow"; touch "$SLURM_TMPDIR/m/arrow/9.0.lua"; module use "$SLURM_TMPDIR/m"; '
        f"module load arrow/9.0; tumpline run {ENV} -- python tell.py"
    ),
    "modules are loaded by run": f"module purge --force; tumpline run {ENV} -- python tell.py",
    "another software environment": f"module load StdEnv/2026; tumpline run {ENV} -- true",
    "a module that is not here": f'module unload arrow; MODULEPATH="$SLURM_TMPDIR"; eval "$(tumpline activate {ENV})"',
    "another environment is active": f'source "$SLURM_TMPDIR/other/bin/activate"; tumpline run {ENV} -- python tell.py',
}


def test_what_does_not_fit_is_told_in_words(world: World) -> None:
    cases = [f"echo '@{name}'; ({lines}) 2>&1; echo \"status $?\"" for name, lines in CASES.items()]
    other = 'virtualenv --no-download "$SLURM_TMPDIR/other" >/dev/null'
    job = world.job(MODULES, SYNC, other, "set +e", *cases)
    said = {part.partition("\n")[0]: part for part in job.said.split("@")}
    assert said.keys() > CASES.keys(), job.said
    for name in CASES:
        fits = name in ("another environment is active", "modules are loaded by run")
        assert ("status 0\n" in said[name]) == fits, said[name]
    assert "wrong-cpu-level" in said["another CPU level"]
    assert "x86-64-v4" in said["another CPU level"]
    another = said["a module is loaded in another version"]
    assert "the module arrow/23.0.1 is not loaded, and it brings pyarrow 23.0.1" in another
    assert "arrow/9.0 is loaded" in another
    assert "2.4.2 3.0.0 23.0.1" in said["modules are loaded by run"]
    assert "wrong-software-environment" in said["another software environment"]
    assert "these modules can not be loaded: arrow/23.0.1" in said["a module that is not here"]
    ((prefix, *_),) = told(said["another environment is active"]).values()
    assert "/.env.tumpline-" in prefix
