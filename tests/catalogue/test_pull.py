"""Pulls over a real OpenSSH server: they make the catalogue that a scan there makes, and survive what goes wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from replica.build import Replica
from replica.contents import LAYERS
from tests.catalogue.sites import FACTS, lake, make_wheelhouse
from tests.sshd import HOST, Server
from tests.wheelmaker import make_wheel
from tumpline.catalogue.far.conversation import COMMAND
from tumpline.catalogue.far.journal import journal_path
from tumpline.catalogue.far.link import Link
from tumpline.catalogue.pull import PullReport, pull
from tumpline.catalogue.scan import ScanReport, scan
from tumpline.catalogue.store import open_catalogue
from tumpline.catalogue.wheelhouse import LocalWheelhouse
from tumpline.cli.app import run_command
from tumpline.errors import TumplineError
from tumpline.host.pythons import find_python
from tumpline.host.ssh import RemoteProgram

TODAY = date(2026, 11, 23)
MINORS = tuple(f"3.{minor}" for minor in range(6, 15))


class Far:
    """A wheelhouse behind the server, and what pulls of it transferred."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.root = folder / "far" / "wheelhouse"
        self.layers = make_wheelhouse(self.root)
        self.output = folder / "cache" / "lake.sqlite"
        self.said: list[str] = []
        self.sent = self.received = 0

    def pull(self, *, python: str = "python3", progress: Callable[[int, int], None] | None = None) -> PullReport:
        command = f"{python} {COMMAND}"
        with RemoteProgram(self.server.ssh, HOST, command, self.said.append) as program:
            try:
                return pull(
                    lake(self.root),
                    Link(program),
                    [(layer, str(folder)) for layer, folder in self.layers],
                    self.output,
                    today=TODAY,
                    facts=FACTS,
                    progress=progress or (lambda done, total: None),
                )
            finally:
                self.sent, self.received = program.sent, program.received

    def failure(self, *, python: str = "python3") -> TumplineError:
        with pytest.raises(TumplineError) as caught:
            self.pull(python=python)
        assert caught.value.problems[0].hint
        return caught.value

    def scan(self) -> ScanReport:
        """Scan it as on the machine where it is."""
        wheelhouse = LocalWheelhouse(self.layers, 1)
        return scan(lake(self.root), wheelhouse, self.folder / "local.sqlite", today=TODAY, facts=FACTS)

    def check(self, report: PullReport) -> None:
        """Check that the catalogue of a pull is that of a scan, but for where the layers are."""
        local = self.scan()
        assert report.scan.info._replace(sources=()) == local.info._replace(sources=())
        assert report.scan.notes == local.notes
        with open_catalogue(self.output) as pulled, open_catalogue(local.path) as scanned:
            assert list(pulled.rows()) == list(scanned.rows())
            assert (pulled.fingerprint, pulled.dummies()) == (scanned.fingerprint, scanned.dummies())

    def fill(self, count: int, size: int = 20) -> None:
        """Add many wheels, each with that many requirements which no other has."""
        for number in range(count):
            requires = [os.urandom(20).hex() for _ in range(size)]
            make_wheel(self.root / "generic", "tqdm", f"4.{number}", requires=requires, files={})


@pytest.fixture
def far(server: Server, tmp_path: Path) -> Far:
    return Far(server, tmp_path)


def other_python(minor: str) -> str:
    """Return an interpreter of a minor version: on PATH, or one that pyenv keeps."""
    kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions").glob(f"{minor}.*/bin")
    path = ":".join([os.environ.get("PATH", os.defpath), *map(str, kept)])
    try:
        return str(find_python(minor, {**os.environ, "PATH": path}).path)
    except TumplineError:
        pytest.skip(f"there is no Python {minor} at hand")


class TestAsAScan:
    def test_small(self, far: Far) -> None:
        report = far.pull()
        assert (report.scan.changed, report.scan.read, report.resumed) == (True, 8, 0)
        far.check(report)
        assert report.scan.info.sources[2] == f"generic: {HOST}:{far.root / 'generic'}"
        assert not journal_path(far.output).exists()

    def test_replica(self, replica: Replica, far: Far) -> None:
        far.root = replica.wheelhouse
        far.layers = tuple((layer, replica.wheelhouse / layer) for layer in LAYERS)
        report = far.pull()
        assert report.scan.info.wheels > 20
        far.check(report)

    @pytest.mark.parametrize("minor", MINORS)
    def test_every_python_there(self, far: Far, minor: str) -> None:
        python = other_python(minor)
        odd_wheels(far.root / "generic")
        far.check(far.pull(python=python))

    @pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "tcsh", "fish"])
    def test_every_login_shell(self, far: Far, shell: str) -> None:
        if (program := shutil.which(shell)) is None:
            pytest.skip(f"there is no {shell} here")
        far.server.session(f'exec {program} -c "$SSH_ORIGINAL_COMMAND"\n')
        far.check(far.pull())

    def test_a_banner(self, far: Far) -> None:
        far.server.session('echo Welcome; echo "quota: full" >&2; printf "no newline"; eval "$SSH_ORIGINAL_COMMAND"\n')
        far.check(far.pull())
        assert far.said == ["quota: full"], "standard error is passed on"

    def test_odd_wheels(self, far: Far) -> None:
        odd_wheels(far.root / "generic")
        report = far.pull()
        codes = {note.file.partition("-")[0]: note.code for note in report.scan.notes if note.kind == "refused"}
        assert codes == {
            "cut": "truncated-wheel",
            "liar": "wheel-metadata-disagrees",
            "broken": "damaged-wheel",
            "page": "not-a-wheel",
        }
        far.check(report)
        with open_catalogue(far.output) as catalogue:
            assert {"spelled", "long"} < set(catalogue.names()), "those that the far side is not sure of"
        again = far.pull()
        assert again.scan.read == 0, "what is known to be bad is not read again"
        far.check(again)


def odd_wheels(folder: Path) -> None:
    """Make wheels and other files of which the far side can not be sure, or which no listing shows as they are."""
    cut = make_wheel(folder, "cut", "1")
    cut.write_bytes(cut.read_bytes()[:100])
    broken = make_wheel(folder, "broken", "1")
    broken.write_bytes(broken.read_bytes().replace(b"PK\1\2", b"PK\1\3"))
    make_wheel(folder, "liar", "1", metadata_version="2")
    make_wheel(folder, "spelled", "1.0", metadata_version="1.0.0")
    make_wheel(folder, "long", "1", requires=[os.urandom(500).hex() for _ in range(400)])
    (folder / "page-1-py3-none-any.whl").write_text("<html>not found</html>" * 2000)
    (folder / "dangling-1-py3-none-any.whl").symlink_to(folder / "nowhere")
    (folder / "folder-1-py3-none-any.whl").mkdir()
    (folder / "bell\x07-1-py3-none-any.whl").touch()
    (folder / "nonsense.whl").touch()
    os.mkfifo(folder / "pipe-1-py3-none-any.whl")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9-1-py3-none-any.whl")).touch()


class TestOnlyWhatChanged:
    def test_nothing(self, far: Far) -> None:
        far.fill(300)
        far.pull()
        before = far.output.read_bytes()
        assert far.received > 100_000
        report = far.pull()
        assert (report.scan.changed, report.scan.read) == (False, 0)
        assert far.received < 1000
        assert far.output.read_bytes() == before
        assert not journal_path(far.output).exists()

    def test_a_few(self, far: Far) -> None:
        far.fill(600)
        far.pull()
        whole = far.received
        make_wheel(far.root / "generic", "tqdm", "5.0", requires=["numpy"])
        next((far.root / "2023/v3").glob("pandas-2.2.3+computecanada-1-*")).unlink()
        make_wheel(far.root / "generic", "tqdm", "4.0", requires=["another"], files={})
        report = far.pull()
        assert (report.scan.read, report.scan.kept, report.scan.gone) == (2, 606, 1)
        assert far.received < whole / 50
        far.check(report)

    def test_after_a_local_scan(self, far: Far) -> None:
        far.output = far.scan().path
        report = far.pull()
        assert (report.scan.changed, far.received < 1000) == (False, True)


class TestCut:
    """What was received is kept: the same command goes on where it stopped."""

    @pytest.mark.parametrize("after", [200, 5_000, 60_000, 200_000])
    def test_cut(self, far: Far, after: int) -> None:
        far.fill(600)
        # The server's process for this session is killed when so many bytes have passed.
        far.server.session(f'eval "$SSH_ORIGINAL_COMMAND" | (dd bs=1 count={after} 2>/dev/null; kill -9 $PPID)\n')
        error = far.failure()
        assert (error.code, error.exit_status) == ("connection-cut", 4)
        assert "run the same command again" in error.problems[0].hint
        assert not far.output.exists()
        far.server.session()
        report = far.pull()
        far.check(report)
        assert report.scan.read == 608
        if after > 50_000:
            assert report.resumed > 0
            assert far.received < 700_000 - after / 2
        assert not journal_path(far.output).exists()

    def test_again_and_again(self, far: Far) -> None:
        far.fill(600)
        far.server.session('eval "$SSH_ORIGINAL_COMMAND" | (dd bs=1 count=60000 2>/dev/null; kill -9 $PPID)\n')
        received: list[int] = []
        for _ in range(3):
            assert far.failure().code == "connection-cut"
            received.append(journal_path(far.output).stat().st_size)
        assert received[0] < received[1] < received[2], "each goes on where the one before stopped"
        far.server.session()
        report = far.pull()
        assert report.resumed > 100
        far.check(report)

    def test_killed_here(self, far: Far) -> None:
        far.fill(300)

        class Killed(Exception):
            pass

        def kill(done: int, total: int) -> None:
            if done > 100:
                raise Killed

        with pytest.raises(Killed):
            far.pull(progress=kill)
        # As if the last write had been cut short as well.
        journal = journal_path(far.output)
        journal.write_bytes(journal.read_bytes()[:-5])
        report = far.pull()
        assert 0 < report.resumed < 300
        far.check(report)

    def test_a_wheel_that_changed_meanwhile_is_read_again(self, far: Far) -> None:
        far.fill(300)
        far.server.session('eval "$SSH_ORIGINAL_COMMAND" | (dd bs=1 count=150000 2>/dev/null; kill -9 $PPID)\n')
        assert far.failure().code == "connection-cut"
        for number in range(300):
            make_wheel(far.root / "generic", "tqdm", f"4.{number}", requires=["new"], files={})
        far.server.session()
        report = far.pull()
        assert report.resumed < 10, "only those that are as they were"
        far.check(report)


class TestErrors:
    def test_a_host_key_that_is_not_trusted(self, far: Far) -> None:
        far.server.trust("other")
        error = far.failure()
        assert (error.code, error.exit_status) == ("host-key-mismatch", 4)
        assert any("HOST IDENTIFICATION HAS CHANGED" in line for line in far.said)

    def test_a_key_that_is_not_accepted(self, far: Far) -> None:
        key = far.server.folder / "user.pub"
        text = key.read_text()
        key.write_text("")
        try:
            assert far.failure().code == "ssh-permission-denied"
        finally:
            key.write_text(text)

    def test_no_python(self, far: Far) -> None:
        error = far.failure(python="python3-of-nowhere")
        assert error.code == "no-python-there"
        assert "not found" in error.problems[0].why

    def test_an_old_python(self, far: Far) -> None:
        old = far.folder / "python3.5"
        old.write_text(
            "#!/bin/sh\nexec python3 -c 'import sys; sys.version_info = (3, 5, 2); exec(sys.stdin.buffer.readline())'\n"
        )
        old.chmod(old.stat().st_mode | stat.S_IXUSR)
        error = far.failure(python=str(old))
        assert error.code == "python-too-old-there"
        assert "3.5.2" in error.problems[0].message

    def test_something_else_than_python(self, far: Far) -> None:
        assert far.failure(python="echo").code == "no-python-there"
        assert far.failure(python="cat").code == "no-python-there"

    def test_a_shell_that_prints_without_end(self, far: Far) -> None:
        far.server.session("yes hello\n")
        assert far.failure().code == "login-shell-talks"

    def test_a_shell_that_ends(self, far: Far) -> None:
        far.server.session("echo this account has expired; exit 7\n")
        error = far.failure()
        assert error.code == "no-python-there"
        assert "this account has expired" in error.problems[0].why

    def test_garbage_between_the_answers(self, far: Far) -> None:
        far.server.session('eval "$SSH_ORIGINAL_COMMAND" | (dd bs=1 count=60 2>/dev/null; echo garbage; cat)\n')
        assert far.failure().code == "bad-answer"

    def test_a_layer_that_is_not_there(self, far: Far) -> None:
        far.layers = (*far.layers, ("2026/v4", far.root / "2026/v4"))
        error = far.failure()
        assert error.code == "layer-missing"
        assert error.problems[0].where == f"{HOST}:{far.root / '2026/v4'}"

    def test_a_layer_that_can_not_be_listed(self, far: Far) -> None:
        loop = far.root / "loop"
        loop.symlink_to(loop)
        far.layers = (("loop", loop),)
        assert far.failure().code == "layer-unreadable"

    def test_an_empty_wheelhouse(self, far: Far) -> None:
        (far.root / "empty").mkdir()
        far.layers = (("empty", far.root / "empty"),)
        assert far.failure().code == "empty-wheelhouse"
        assert not journal_path(far.output).exists()

    def test_a_file_that_is_no_catalogue(self, far: Far) -> None:
        far.output.parent.mkdir()
        far.output.write_text("[project]\n" * 20)
        assert far.failure().code == "not-a-catalogue"
        assert far.output.read_text().startswith("[project]")

    def test_a_folder_that_can_not_be_written(self, far: Far) -> None:
        far.output.parent.write_text("a file where the folder should be")
        assert far.failure().code == "cannot-write"


PROFILE = """
title = "Lake"
kind = "cluster"
catalogue = "lake"
wheelhouse = "{root}"
local-tag = "computecanada"
manylinux = false
login-host = "{host}"
cpu-levels = ["x86-64-v4"]
default-environment = "2023"

[platform]
os = "linux"
machine = "x86_64"
tags = ["linux_x86_64"]

[environments.2023]
pythons = ["3.11.5"]
default-python = "3.11.5"

[environments.2023.layers]
x86-64-v4 = ["2023/v4", "2023/v3", "2023/v2", "generic"]
"""


class TestCommand:
    @pytest.fixture(autouse=True)
    def world(self, far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sites = tmp_path / "sites"
        sites.mkdir()
        (sites / "lake.toml").write_text(PROFILE.format(root=far.root, host=HOST))
        monkeypatch.setenv("TUMPLINE_SITES", str(sites))
        monkeypatch.setenv("TUMPLINE_CACHE", str(tmp_path / "cache"))

    def test_for_a_person(self, far: Far, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command(["catalogue", "pull", "lake", "--ssh", far.server.words]) == 0
        out, err = capsys.readouterr()
        assert out == ""
        lines = err.splitlines()
        assert lines[:-1] == [
            "note: the layer 2023/v2 is not there",
            "lake: 6 wheels of 3 projects in 3 layers",
            "left out: 2 dummies, 4 files that are no wheels",
            "read 8, knew 0 from before, 0 are gone",
            f"wrote {far.folder / 'cache' / 'catalogues' / 'lake.sqlite'}",
        ]
        assert re.fullmatch(r"sent \d+\.\d kB, received \d+\.\d kB", lines[-1])
        assert run_command(["catalogue", "info", "lake"]) == 0
        assert f"{HOST}:{far.root}/generic" in capsys.readouterr().out

    def test_for_a_script(self, far: Far, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["catalogue", "pull", "lake", "--ssh", far.server.words, "--json"]
        assert run_command(words) == 0
        first = json.loads(capsys.readouterr().out)
        assert (first["schema"], first["host"]) == ("tumpline.catalogue-pull/1", HOST)
        assert (first["wheels"], first["read"], first["resumed"], first["changed"]) == (6, 8, 0, True)
        assert first["missing-layers"] == ["2023/v2"]
        assert re.fullmatch(r"3\.\d+\.\d+", first["python"])
        assert run_command(words) == 0
        second = json.loads(capsys.readouterr().out)
        assert (second["read"], second["changed"], second["identity"]) == (0, False, first["identity"])
        assert 0 < second["received"] < first["received"]
        assert 0 < second["sent"] < 20_000

    def test_a_folder_of_ones_own(self, far: Far, capsys: pytest.CaptureFixture[str]) -> None:
        own = far.folder / "lab"
        make_wheel(own, "mine", "1")
        words = ["catalogue", "pull", "linux", "--host", HOST, "--ssh", far.server.words, "--wheelhouse", str(own)]
        assert run_command([*words, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["layers"] == [{"name": "lab", "folder": str(own), "evidence": ["given"]}]

    @pytest.mark.parametrize(
        ("words", "code", "status"),
        [
            (["linux"], "no-login-host", 2),
            (["nowhere"], "unknown-site", 2),
            (["lake", "--host=-oProxyCommand=true"], "bad-host", 2),
            (["lake", "--host", "two words"], "bad-host", 2),
            (["lake", "--ssh", "'"], "bad-command", 2),
            (["lake", "--ssh", ""], "bad-command", 2),
            (["lake", "--python", "python3; true"], "bad-command", 2),
            (["lake", "--ssh", "/nowhere/ssh"], "no-ssh", 4),
            (["lake", "--ssh", "false"], "no-python-there", 4),
            (["lake", "--host", "nowhere.invalid", "--ssh", "ssh -F none"], "host-unreachable", 4),
        ],
    )
    def test_failures(self, words: list[str], code: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_command(["catalogue", "pull", *words]) == status
        assert f"error[{code}]" in capsys.readouterr().err

    def test_no_layer_there(self, far: Far, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.rmtree(far.root)
        assert run_command(["catalogue", "pull", "lake", "--ssh", far.server.words]) == 2
        assert "error[layer-missing]" in capsys.readouterr().err
