"""Stages for other machines: which wheels they may have, where they are by themselves, copying, and pruning."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.world import EXACT
from tests.environment.sources import sdist_of, source_files
from tests.environment.stageworld import StageWorld, noise
from tests.environment.worlds import record_of
from tests.index.server import Server as Web
from tests.sshd import HOST, Server
from tests.wheelmaker import make_wheel
from tumpline.lock import WheelhouseArtefact
from tumpline.lock.file import read_lock, write_lock

LAKE = ("--target", "lake")
TARGETS = '[tool.tumpline.targets.lake]\nsite = "lake"\npython = "{minor}"\n'


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, web: Web) -> StageWorld:
    """A project with two targets, of which one is a cluster whose nodes have no internet."""
    made = StageWorld(tmp_path_factory.mktemp("first") / "world", web, big=200_000)
    profile = made.sites / "lake.toml"
    profile.write_text(
        profile.read_text().replace(
            'local-tag = "computecanada"\n',
            f'local-tag = "computecanada"\ncompute-internet = "none"\nlogin-host = "{HOST}"\n',
        )
    )
    made.run("catalogue", "scan", "lake").ok()
    web.page("beta", [web.file(make_wheel(made.root / "served", "beta", "1.0"))])
    minor = ".".join(EXACT.split(".")[:2])
    made.ask("alpha", "beta", buildable=False, more=TARGETS.format(minor=minor))
    return made


@pytest.fixture
def world(tmp_path: Path, first: StageWorld, web: Web) -> Iterator[StageWorld]:
    made = StageWorld(tmp_path / "world", web, like=first)
    made.asked()
    routes = dict(web.routes)
    yield made
    web.routes.clear()
    web.routes.update(routes)


def test_what_the_wheelhouse_has_is_not_staged(world: StageWorld) -> None:
    done = world.run("stage", *LAKE, "--json").ok()
    (target,) = done.data["targets"]
    assert [row["file"] for row in target["staged"]] == ["pip-99.0-py3-none-any.whl"]
    assert (target["internet"], target["gone"]) == ("none", [])
    assert "2 in the wheelhouse" in world.run("stage", "--check", *LAKE).ok().err
    (world.layer / "beta-1.0+computecanada-py3-none-any.whl").unlink()
    done = world.run("stage", "--check", *LAKE)
    assert done.status == 1
    assert "error[wheel-gone]: target lake: the file of beta 1.0+computecanada is not there" in done.err


def test_the_wheelhouse_is_read_when_asked(world: StageWorld) -> None:
    world.run("stage", *LAKE).ok()
    check = ("stage", "--check", "--digests", *LAKE)
    world.run(*check).ok()
    name, version = "beta", "1.0+computecanada"
    right = record_of(world.layer / f"{name}-{version}-py3-none-any.whl")
    path = make_wheel(world.layer, name, version, files={"beta/__init__.py": "wrong = 1\n"}, record=right)
    world.run("stage", "--check", *LAKE).ok()
    done = world.run(*check)
    assert done.status == 1
    assert f"error[bad-record]: {path}: the wheel and its RECORD disagree" in done.err
    make_wheel(world.layer, name, version, files={"other.py": "x = 1\n"})
    done = world.run(*check)
    assert done.status == 1
    assert f"error[wrong-record]: {path}: the wheel's RECORD is not the one that was locked" in done.err
    path.unlink()
    done = world.run(*check)
    assert "error[wheel-gone]: " in done.err


def test_what_is_only_listed_is_named_and_not_counted_on(world: StageWorld) -> None:
    lock = read_lock(world.lock)
    unknown = WheelhouseArtefact("", "", "")
    packages = [
        replace(
            package,
            pins=tuple(
                replace(pin, artefact=unknown) if pin.source == "wheelhouse" and package.name == "alpha" else pin
                for pin in package.pins
            ),
        )
        for package in lock.packages
    ]
    write_lock(world.lock, replace(lock, packages=tuple(packages)))
    done = world.run("stage", *LAKE, "--json").ok()
    (target,) = done.data["targets"]
    assert [row["file"] for row in target["brought"]] == ["pip-99.0-py3-none-any.whl"]
    assert (target["complete"], target["missing"], target["gone"]) == (False, [], [])
    assert target["listed"] == [{"name": "alpha", "version": "1.0+computecanada"}]
    said = world.run("stage", *LAKE).ok().err
    assert "lake: 1 wheel in the stage, 1 in the wheelhouse or beside the project, 1 taken to be in the wheelh" in said
    assert "note[lock-is-listed]: target lake: 1 wheel taken to be in the wheelhouse of lake" in said
    assert "\n  alpha 1.0+computecanada\n" in said
    assert "in a job:" not in said, "no environment can be made of it"
    done = world.run("stage", "--check", *LAKE)
    assert done.status == 1
    assert "error[lock-is-listed]: target lake: " in done.err
    assert "not-staged" not in done.err
    world.run("sync", *LAKE).refuses("lock-is-listed", 2)


def test_several_targets_share_what_they_have(world: StageWorld) -> None:
    world.edit('"beta", ', "")
    world.run("lock").ok()
    world.asked()
    done = world.run("stage", *LAKE, "--target", "laptop", "--json").ok()
    assert "gets 2 wheels" in done.err
    assert [len(target["brought"]) for target in done.data["targets"]] == [1, 1]
    assert len([path for path in world.asked() if path.startswith("/files/pip")]) == 1
    assert len(world.staged_files()) == 2


class TestOnTheCluster:
    @pytest.fixture
    def job(self, world: StageWorld) -> StageWorld:
        """A world in a job on a node of the cluster."""
        world.run("stage", *LAKE, "--stage", str(world.root / "shared")).ok()
        world.asked()
        world.environ |= {"CC_CLUSTER": "lake", "SLURM_JOB_ID": "7", "SLURM_TMPDIR": str(world.root / "node")}
        (world.root / "node").mkdir()
        return world

    def test_nothing_is_fetched_there(self, job: StageWorld) -> None:
        job.environ["SCRATCH"] = str(job.root / "scratch")
        (job.root / "scratch").mkdir()
        job.run("sync").refuses("not-staged", 4, "pip 99.0")
        (job.root / "scratch" / "tumpline").mkdir()
        (job.root / "shared").rename(job.root / "scratch" / "tumpline" / "stage")
        job.run("stage", "--check").ok()
        job.run("sync", "-v").ok()
        assert job.asked() == [], "in a job on a node without internet no call is made (R19)"

    def test_where_nodes_have_internet_it_is_used(self, job: StageWorld) -> None:
        profile = job.sites / "lake.toml"
        profile.write_text(profile.read_text().replace('compute-internet = "none"', 'compute-internet = "full"'))
        job.run("sync").ok()
        assert job.asked() != []

    def test_home_is_not_chosen_by_itself(self, job: StageWorld) -> None:
        job.run("stage").refuses("no-stage-place", 2, "--stage DIR")
        job.run("stage", "--check", "--stage", str(job.root / "shared")).ok()
        job.environ["PROJECT"] = str(job.root / "shared")
        assert str(job.root / "shared" / "tumpline" / "stage") in job.run("stage", "--check").err


def test_compiled_code_must_be_built_where_it_runs(world: StageWorld) -> None:
    minor = ".".join(EXACT.split(".")[:2])
    files = source_files(world.diary)
    name = "lib-1.5-py3-none-any.whl"
    files["backend.py"] = files["backend.py"].replace(name, name.replace("none-any", "none-linux_x86_64"))
    path = sdist_of(world.root / "served2", files)
    world.server.page("lib", [world.server.file(path)])
    world.ask("lib", buildable=False, more=TARGETS.format(minor=minor))
    world.run("stage", *LAKE).refuses("must-be-built-there", 2, "lib 1.5 has compiled code", "a login node of lake")
    assert [path.name for path in world.staged_files()] == ["pip-99.0-py3-none-any.whl"], "what was fetched stays"
    world.run("stage", "--target", "laptop").ok()


class TestPrune:
    def old(self, world: StageWorld) -> None:
        """Let all that is in the stage be of the year before last."""
        for path in world.stage.rglob("*"):
            if path.is_file():
                os.utime(path, (time.time() - 6e7, time.time() - 6e7))

    def names(self, world: StageWorld) -> list[str]:
        return sorted(path.name.partition("-")[0] for path in world.staged_files())

    def test_what_a_lock_needs_stays(self, world: StageWorld, tmp_path: Path) -> None:
        world.run("stage", "--target", "laptop").ok()
        assert self.names(world) == ["alpha", "beta", "pip"]
        self.old(world)
        assert "freed 0 bytes in 0 files" in world.run("stage", "prune").ok().err
        other = tmp_path / "other"
        shutil.copytree(world.project, other)
        minor = ".".join(EXACT.split(".")[:2])
        world.ask("beta", buildable=False, more=TARGETS.format(minor=minor))
        assert "freed 0 bytes" in world.run("stage", "prune", "--also", str(other)).ok().err
        dry = world.run("stage", "prune", "--dry-run", "--json").ok().data
        assert [Path(file["path"]).name for file in dry["files"]] == ["alpha-1.0-py3-none-any.whl"]
        assert dry["bytes"] == sum(path.stat().st_size for path in world.staged_files() if "alpha" in path.name)
        assert self.names(world) == ["alpha", "beta", "pip"]
        world.run("stage", "prune").ok()
        assert self.names(world) == ["beta", "pip"]
        assert len(list(world.stage.glob("files/??"))) == 2, "empty folders go as well: quotas count them"

    def test_what_was_used_lately_stays(self, world: StageWorld, tmp_path: Path) -> None:
        world.run("stage", "--target", "laptop").ok()
        self.old(world)
        world.run("sync", "--offline", "--target", "laptop").ok()
        (tmp_path / "nowhere").mkdir()
        words = ("stage", "prune", "--stage", str(world.stage))
        assert "freed 0 bytes" in world.run(*words, cwd=tmp_path / "nowhere").ok().err
        world.run(*words, "--older-than", "0", cwd=tmp_path / "nowhere").ok()
        assert self.names(world) == []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture
def ssh(running: Server) -> Iterator[Server]:
    yield running
    running.session()
    running.trust("host")


class TestTo:
    @pytest.fixture(params=["rsync", "program"])
    def by(self, request: pytest.FixtureRequest, world: StageWorld, ssh: Server) -> str:
        """Copy by rsync, or, where the far side has none, by the program that is sent there."""
        if request.param == "rsync" and shutil.which("rsync") is None:
            pytest.skip("there is no rsync here (make services installs it)")
        if request.param == "program":
            ssh.session(
                'case "$SSH_ORIGINAL_COMMAND" in rsync*) exit 127;; esac; exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"'
            )
        return str(request.param)

    @pytest.mark.parametrize("name", ["stage", "a b/st'a\"g$(touch x)e;é", "-x"])
    def test_copied(self, world: StageWorld, ssh: Server, by: str, tmp_path: Path, name: str) -> None:
        there = tmp_path / "there" / name
        words = ("stage", "--target", "laptop", "--to", f"{HOST}:{there}", "--ssh", ssh.words)
        done = world.run(*words, "--json").ok()
        assert done.data["copied"]["by"] == {"rsync": "rsync", "program": "ssh"}[by]
        assert (done.data["copied"]["files"], done.data["copied"]["there"]) == (3, 0)
        assert len(world.staged_files(there)) == 3
        assert len([path for path in there.rglob("*") if path.is_file()]) == 3, "no more than what is needed"
        world.run("stage", "--check", "--target", "laptop", "--stage", str(there)).ok()
        again = world.run(*words).ok()
        assert "0 files with 0 bytes" in again.err
        (wheel,) = there.glob("files/*/*/alpha*")
        wheel.write_bytes(wheel.read_bytes()[:-1])
        assert world.run(*words, "--json").ok().data["copied"]["files"] == 1
        assert len(world.staged_files(there)) == 3

    def test_below_home_and_by_the_name_of_a_site(
        self, world: StageWorld, ssh: Server, by: str, tmp_path: Path
    ) -> None:
        ssh.session(
            f"cd {shlex.quote(str(tmp_path))}; "
            f'case "$SSH_ORIGINAL_COMMAND" in rsync*) [ {by} = rsync ] || exit 127;; esac; '
            'exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"'
        )
        done = world.run("stage", "--to", "lake:~/deep/stage", "--ssh", ssh.words, "--json").ok()
        assert [target["target"] for target in done.data["targets"]] == ["lake"]
        assert [path.name for path in world.staged_files(tmp_path / "deep" / "stage")] == ["pip-99.0-py3-none-any.whl"]

    def test_cut_off(self, world: StageWorld, ssh: Server, tmp_path: Path) -> None:
        there = tmp_path / "there"
        ssh.session(
            'case "$SSH_ORIGINAL_COMMAND" in rsync*) exit 127;; esac; '
            'dd bs=1 count=60000 2>/dev/null | "$SHELL" -c "$SSH_ORIGINAL_COMMAND"; kill -9 $PPID'
        )
        words = ("stage", "--target", "laptop", "--to", f"{HOST}:{there}", "--ssh", ssh.words)
        world.run(*words).refuses("connection-cut", 4)
        world.staged_files(there)
        ssh.session('case "$SSH_ORIGINAL_COMMAND" in rsync*) exit 127;; esac; exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"')
        world.run(*words).ok()
        assert len(world.staged_files(there)) == 3

    def test_where_nothing_can_be_written(self, world: StageWorld, ssh: Server, by: str, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        words = ("stage", "--target", "laptop", "--to", f"{HOST}:{tmp_path / 'file' / 'stage'}", "--ssh", ssh.words)
        world.run(*words).refuses("copy-failed", 4)

    @pytest.mark.parametrize(
        ("words", "code", "status"),
        [
            (("--to", "nowhere"), "bad-place", 2),
            (("--to", "nowhere:"), "bad-place", 2),
            (("--to", f"{HOST}::module"), "bad-place", 2),
            (("--to=-oProxyCommand=x:y",), "bad-host", 2),
            (("--to", f"{HOST}:x", "--python", "python3; true"), "bad-command", 2),
            (("--to", f"{HOST}:x", "--ssh", "'"), "bad-command", 2),
            (("--to", "nowhere.invalid:x", "--ssh", "ssh -F none"), "host-unreachable", 4),
        ],
    )
    def test_failures(self, world: StageWorld, words: tuple[str, ...], code: str, status: int) -> None:
        done = world.run("stage", "--target", "laptop", *words)
        assert f"error[{code}]" in done.err
        assert done.status == status


def test_a_damaged_wheel_in_the_cache_is_fetched_again(world: StageWorld) -> None:
    words = ("sync", "--renew", "--target", "laptop")
    world.run(*words).ok()
    (kept,) = (world.root / "home").rglob("files/*/*/alpha-1.0-*.whl")
    content = kept.read_bytes()
    kept.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    world.asked()
    world.run(*words, "--offline").refuses("wrong-hash", 2)
    assert kept.exists(), "nothing can be fetched in its place"
    world.run(*words).ok()
    assert kept.read_bytes() == content
    assert [path for path in world.asked() if path.startswith("/files/")] == ["/files/alpha-1.0-py3-none-any.whl"]


class TestFaults:
    WORDS = ("stage", "--target", "laptop")

    @pytest.fixture
    def slow(self, world: StageWorld) -> Iterator[StageWorld]:
        route = world.server.routes["/files/alpha-1.0-py3-none-any.whl"]
        route.delay = 0.3
        yield world
        route.delay = 0.0

    def test_many_at_once(self, slow: StageWorld) -> None:
        for count in (2, 8):
            processes = [slow.start(*self.WORDS) for _ in range(count)]
            for process in processes:
                said, _ = process.communicate(timeout=120)
                assert process.returncode == 0, said
            assert len(slow.staged_files()) == 3
            assert list(slow.stage.glob("files/partial/*")) == []
            shutil.rmtree(slow.stage)

    @pytest.mark.parametrize("after", [0.2, 0.4, 0.6, 0.8, 1.0, 1.3])
    def test_killed(self, slow: StageWorld, after: float) -> None:
        process = slow.start(*self.WORDS)
        time.sleep(after)
        process.kill()
        process.communicate(timeout=60)
        assert len(slow.staged_files()) <= 3, "and what is there is whole"
        slow.run(*self.WORDS).ok()
        assert len(slow.staged_files()) == 3
        slow.run("stage", "--check", "--target", "laptop").ok()

    def test_no_room(self, world: StageWorld, tmp_path: Path) -> None:
        small = tmp_path / "small"
        with disk_of(small, 100_000):
            world.asked()
            world.run(*self.WORDS, "--stage", str(small)).refuses("no-room", 4, "0 MB")
            assert [path for path in world.asked() if path.startswith("/files")] == []

    def test_the_disk_becomes_full(self, world: StageWorld, tmp_path: Path) -> None:
        small = tmp_path / "small"
        minor = ".".join(EXACT.split(".")[:2])
        path = make_wheel(world.root / "more", "beta", "9.0", files={"beta.bin": noise(2, 600_000)})
        entry = world.server.file(path)
        del entry["size"]
        world.server.page("beta", [entry])
        world.ask("alpha", "beta>2", buildable=False, more=TARGETS.format(minor=minor))
        with disk_of(small, 500_000):
            world.run(*self.WORDS, "--stage", str(small)).refuses("cannot-write", 4, "No space left")
            assert {path.name.partition("-")[0] for path in world.staged_files(small)} <= {"alpha", "pip"}
        world.run(*self.WORDS).ok()


@contextmanager
def disk_of(folder: Path, size: int) -> Iterator[None]:
    """A file system of so many bytes in a folder; the test is skipped where none may be mounted."""
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small tmpfs")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode:
        pytest.skip("a tmpfs can not be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
