"""The script of a job: the same text for the same job, clean for shellcheck, harmless whatever names are in it."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.jobs.jobworld import JobWorld
from tumpline.jobs.description import JobDescription
from tumpline.jobs.script import directive, job_script
from tumpline.project.job import JobRequest

GOLDEN = Path(__file__).parent / "golden"
ODD = ("a b; rm -rf ~", "it's", '"$(touch harm)"', "`touch harm`", "two\nlines", "\\", "héé ✓", "", "-n", "TUMPLINE")

_REQUEST = JobRequest(
    name="train", account="def-pi", time="3:00:00", nodes="4", tasks_per_node="2", cpus="8", memory="32G",
    gpus="a100:2", mail="me@example.org", mail_events="END,FAIL", output="/scratch/me/runs",
    options=("--exclusive", "--comment=a # b"),
)  # fmt: skip
_JOB = JobDescription(
    request=_REQUEST,
    target="narval",
    title="training",
    key="0123456789abcdef" * 4,
    way="build",
    flavour="tumpline",
    command=("python", "train.py", "--rate", "0.1"),
    modules=("StdEnv/2023", "python/3.11.5", "arrow/17.0.0"),
    tumpline=("/project/me/tumpline/bin/python", "-P", "-m", "tumpline"),
    project="/project/me/training",
    stage="/scratch/me/tumpline/stage",
    record=(("schema", '"tumpline.run/1"'), ("command", '["python", "train.py"]')),
)
JOBS = {
    "build": _JOB,
    "array": replace(_JOB, request=replace(_REQUEST, nodes="", array="1-200%50"), shared_folder="/tmp"),
    "image": replace(_JOB, way="image", image="/scratch/me/narval-0123456789ab.tar.zst"),
    "login-node": replace(_JOB, way="login-node", ready="/home/me/training/.tumpline/env/narval"),
    "plain": replace(_JOB, flavour="plain", wheels=("/cvmfs/wheels/generic/alpha-1.0+computecanada-py3-none-any.whl",)),
    "nothing": JobDescription(JobRequest(), "laptop", "toy", "0" * 64, "build", "tumpline", ("true",)),
}
HOSTILE = JobDescription(
    request=replace(
        _REQUEST, output="/tmp/a b;'\"$(touch harm)#%j", options=("--comment=\"';#$(touch harm)",), array="1"
    ),
    target=ODD[0],
    title="x\nrm -rf ~\u2028",
    key="0" * 64,
    way="build",
    flavour="plain",
    command=("printf", "[%s]", *ODD),
    modules=ODD[:3],
    project=ODD[2],
    wheels=ODD,
    shared_folder="/a b'",
    record=(("command", json.dumps(ODD)),),
)


@pytest.mark.parametrize("name", JOBS)
def test_the_text_is_the_recorded_one(name: str) -> None:
    """To record it anew after a change that is wanted: write what `job_script` returns into the file, and read it."""
    assert job_script(JOBS[name]) == (GOLDEN / f"{name}.sh").read_text()


@pytest.mark.parametrize("name", [*JOBS, "hostile"])
def test_shellcheck_finds_nothing(tmp_path: Path, name: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("there is no shellcheck here")
    path = tmp_path / "job.sh"
    path.write_text(job_script(JOBS.get(name, HOSTILE)))
    # A dollar between single quotes is worth a remark to it, and what is meant here.
    severity = "error" if name == "hostile" else "style"
    done = subprocess.run(
        ["shellcheck", f"--severity={severity}", str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", [*JOBS, "hostile"])
def test_bash_can_read_it(name: str) -> None:
    script = job_script(JOBS.get(name, HOSTILE))
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_options_stay_in_their_lines() -> None:
    assert directive("time", "1-12:00") == "#SBATCH --time=1-12:00"
    assert directive("comment", 'a # "b" \\') == '#SBATCH --comment="a # \\"b\\" \\\\"'
    head = job_script(HOSTILE).partition("\nset -euo")[0].splitlines()
    assert all(line.startswith("#") for line in head if line)
    assert '#SBATCH --output="/tmp/a b;\'\\"$(touch harm)#%%j/%x-%A_%a.out"' in head


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> JobWorld:
    world = JobWorld(tmp_path_factory.mktemp("job"))
    world.stand_ins()
    return world


class TestRun:
    """Scripts run by a real bash, under stand-ins of Slurm's programs."""

    def test_words_arrive_as_they_are(self, world: JobWorld) -> None:
        script = world.script(
            "--output", f"{world.odd}/out 1;#%j", "--", "python", "-c", "import sys; print(sys.argv[1:])", *ODD
        )
        (world.odd / "out 1;#%j").mkdir()
        done = world.runs(script).ok()
        assert done.out == f"{list(ODD)}\n"
        record = json.loads((world.odd / "out 1;#%j" / "toy-project-7.json").read_text())
        assert record["command"][3:] == list(ODD)
        assert not list(world.root.rglob("harm"))

    def test_the_command_runs_in_the_environment(self, world: JobWorld) -> None:
        script = world.script("--", "python", "-c", "import alpha, sys; print(alpha.says, sys.prefix)")
        done = world.runs(script, environ={"VIRTUAL_ENV": "/another", "PYTHONHOME": "/nowhere"}).ok()
        says, _, prefix = done.out.strip().partition(" ")
        assert (says, prefix.startswith(str(world.root / "disk.7"))) == ("alpha", True)
        assert done.err == ""

    def test_every_node_makes_one_and_an_image_is_sent(self, world: JobWorld) -> None:
        world.run("sync").ok()
        world.run("pack").ok()
        script = world.script(
            "--environment", "image", "--nodes", "2", "--", "python", "-c", "import alpha; print(alpha.says)"
        )
        world.diary.unlink(missing_ok=True)
        done = world.runs(script, environ={"SLURM_JOB_NUM_NODES": "2"}).ok()
        assert done.out == "alpha\n"
        assert (world.asked("sbcast"), world.asked("srun")) == (1, 2)
        assert "--ntasks-per-node=1" in world.diary.read_text()
        for image in world.project.glob("pond-*"):
            image.unlink()

    def test_a_job_that_is_started_anew_says_so(self, world: JobWorld) -> None:
        script = world.script("--", "true")
        assert "started this job anew" not in world.runs(script, environ={"SLURM_RESTART_COUNT": "0"}).ok().err
        done = world.runs(script, environ={"SLURM_RESTART_COUNT": "2"}).ok()
        assert "tumpline: Slurm has started this job anew" in done.err
        assert "(time 2)" in done.err

    def test_plain_needs_no_tumpline(self, world: JobWorld) -> None:
        text = world.script("--plain", "--", "true").read_text()
        assert "sync" not in text
        assert "-m tumpline" not in text
        assert f"{world.odd}/stage/files/" in text.replace("'\"'\"'", "'")

    @pytest.mark.parametrize("status", [0, 3])
    def test_the_record_says_how_it_ended(self, world: JobWorld, status: int) -> None:
        done = world.runs(world.script("--", "bash", "-c", f"exit {status}"))
        assert done.status == status
        record = json.loads((world.project / "toy-project-7.json").read_text())
        assert (record["status"], record["nodes"], record["job"]) == (status, "n1", "7")
        assert record["packages"] == {"alpha": "1.0", "pip": "99.0"}
        assert record["start"] <= record["end"]

    def test_modules_that_can_not_be_loaded_are_told(self, tmp_path: Path) -> None:
        path = tmp_path / "job.sh"
        path.write_text(job_script(replace(_JOB, record=())))
        code = 'module() { [ "$1" != load ]; }; export -f module; exec bash "$1"'
        done = subprocess.run(["bash", "-c", code, "bash", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "these modules can not be loaded: StdEnv/2023 python/3.11.5 arrow/17.0.0" in done.stderr


@pytest.mark.parametrize("array", [False, True])
def test_a_full_disk_is_told(tmp_path: Path, array: bool) -> None:
    world = JobWorld(tmp_path)
    world.stand_ins()
    script = world.script(*(["--array", "1-2"] if array else []), "--", "true")
    disk = world.root / "shared"
    code = f'mount -t tmpfs -o size=40k tmpfs "{disk}" || exit 99; mkdir "{disk}/job"; exec bash "$1"'
    (world.root / "mounting.sh").write_text(f"set -- {shlex.quote(str(script))}\n{code}\n")
    task = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"} if array else {}
    command = ("unshare", "-rm", "bash")
    try:
        done = world.runs(world.root / "mounting.sh", environ={"SLURM_TMPDIR": f"{disk}/job", **task}, command=command)
    except OSError:
        pytest.skip("there is no unshare here")
    if done.status == 99 or "unshare" in done.err:
        pytest.skip("no file system may be mounted here")
    assert done.status == 1
    for words in ("error[disk-full]", "hint: free some space", "tumpline: no environment on "):
        assert words in done.err


def test_an_emptied_stage_is_told(tmp_path: Path) -> None:
    world = JobWorld(tmp_path)
    world.stand_ins()
    script = world.script("--", "true")
    world.lose_wheels()
    done = world.runs(script)
    assert done.status == 1
    for words in ("alpha", "hint: ", "tumpline stage", "tumpline: no environment on "):
        assert words in done.err
