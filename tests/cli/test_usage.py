"""The manners of the command line: help, flags, what goes to stdout, and how it ends when it is cut short."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.world import TUMPLINE, World
from tests.index.server import Server
from tests.measured import measured
from tumpline import __version__
from tumpline.cli import main
from tumpline.cli.app import COMMANDS, command_module


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command_module(command).configure(parser)
    return parser


def actions_of(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


HELPS: dict[tuple[str, ...], argparse.ArgumentParser] = {}
"""Words before ``--help`` -> the parser whose options it must show."""
for name in COMMANDS:
    HELPS[name,] = parser_of(name)
    HELPS |= {(name, action): parser for action, parser in actions_of(HELPS[name,])}


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*words, "--help"])
    assert caught.value.code == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert f"usage: tumpline {' '.join(words)}" in captured.out
    for action in HELPS[words]._actions:
        assert all(option in captured.out for option in action.option_strings)
        assert action.help or isinstance(action, argparse._SubParsersAction), f"{action.dest} says nothing"
    for name, _ in actions_of(HELPS[words]):
        assert f"\n    {name} " in captured.out


def test_help_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert all(f" {name} {purpose}" in out for name, purpose in COMMANDS.items())


def test_version(world: World) -> None:
    for words in (["--version"], ["-V"]):
        done = world.run(*words).ok()
        assert (done.out, done.err) == (f"tumpline {__version__}\n", "")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["lock", "--nonsense"],
        ["lock", "word"],
        ["lock", "--project"],
        ["site"],
        ["site", "nonsense"],
        ["site", "show"],
        ["site", "show", "fir", "nibi"],
        ["catalogue"],
        ["catalogue", "scan", "--output"],
        ["export", "--format", "yaml"],
        ["parity", "--target"],
        ["sync", "--jobs", "0"],
        ["sync", "--jobs", "many"],
        ["run", "--nonsense", "--", "true"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: tumpline")
    assert "error: " in captured.err


JSON = {
    "lock": "tumpline.lock/1",
    "lock --dry-run": "tumpline.lock/1",
    "lock --check": "tumpline.lock-check/1",
    "parity": "tumpline.parity/1",
    "site list": "tumpline.sites/1",
    "site show narval": "tumpline.site/1",
    "site show lake": "tumpline.site/1",
    "site detect": "tumpline.detection/1",
    "catalogue info lake": "tumpline.catalogue-info/1",
    "catalogue info narval": "tumpline.catalogue-info/1",
    "catalogue scan lake": "tumpline.catalogue-scan/1",
    "sync --dry-run": "tumpline.sync/1",
}


@pytest.mark.parametrize("words", JSON)
def test_json(world: World, words: str) -> None:
    done = world.run(*words.split(), "--json").ok()
    assert done.data["schema"] == JSON[words]
    assert "\x1b" not in done.out + done.err


def test_json_has_stdout_for_itself(world: World) -> None:
    """What a command has to say beside its answer is on stderr, also with ``-v``."""
    world.lock.write_text(world.lock.read_text()[:-50])
    done = world.run("lock", "--json", "-v").ok()
    assert done.data["written"] is True
    assert "note[lock-damaged]: " in done.err
    assert "resolving for lake, laptop" in done.err


def test_problems_as_json(world: World) -> None:
    world.edit('site = "lake"', 'site = "lakee"')
    done = world.run("lock", "--json")
    assert (done.status, done.err) == (2, "")
    (problem,) = done.data["problems"]
    assert problem == {
        "code": "unknown-site",
        "message": "there is no site 'lakee'",
        "where": "target lake",
        "why": "",
        "hint": "did you mean lake?",
    }


def test_quiet_and_verbose(world: World) -> None:
    assert world.run("lock", "-q").ok().err == ""
    usual = world.run("lock").ok().err
    assert "tumpline.lock is unchanged" in usual
    assert "decisions" not in usual
    assert "decisions" in world.run("lock", "-v").ok().err


def test_talk_is_on_stderr(world: World) -> None:
    for words in ("lock", "lock --check", "catalogue scan lake"):
        done = world.run(*words.split()).ok()
        assert done.out == ""
        assert done.err


def start(world: World, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*TUMPLINE, *words],
        cwd=world.project,
        env=world.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
@pytest.mark.parametrize("words", ["site list --json", "parity", "parity --json", "export --target laptop", "--help"])
def test_a_reader_that_goes_away(world: World, words: str) -> None:
    """As in ``tumpline … | head -0``: nobody reads any more, and nobody is told."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [*TUMPLINE, *words.split()],
            cwd=world.project,
            env=world.environ,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently there")
def test_head(world: World) -> None:
    with start(world, "site", "list", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(20) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", ["site list", "parity --json", "export --target laptop"])
def test_output_that_can_not_be_written(world: World, words: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*TUMPLINE, *words.split()],
            cwd=world.project,
            env=world.environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "error[system-error]: No space left on device" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
class TestInterrupts:
    """Ctrl-C ends a command at once, without a traceback and without loss."""

    def interrupted(self, world: World, process: subprocess.Popen[str]) -> None:
        before = world.lock.read_bytes()
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        out, err = process.communicate(timeout=60)
        took = time.monotonic() - sent
        assert process.returncode == 130
        assert took < 2.0
        assert (out, err) == ("", "interrupted\n")
        assert world.lock.read_bytes() == before

    def wait_for(self, server: Server) -> None:
        deadline = time.monotonic() + 30
        while not server.requests:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def test_lock_while_the_index_is_slow(self, world: World, server: Server) -> None:
        for path in world.links.iterdir():
            server.page(path.name.partition("-")[0], [server.file(path)]).delay = 20.0
        world.use_index(server.index, PIP_TIMEOUT="60")
        process = start(world, "lock")
        self.wait_for(server)
        self.interrupted(world, process)

    def test_lock_while_the_index_says_nothing(self, world: World) -> None:
        """A server that takes the connection and never answers."""
        with closing(socket.create_server(("127.0.0.1", 0))) as silent:
            world.use_index(f"http://127.0.0.1:{silent.getsockname()[1]}/simple/", PIP_TIMEOUT="60")
            process = start(world, "lock")
            silent.settimeout(30)
            connection, _ = silent.accept()
            with closing(connection):
                self.interrupted(world, process)

    def test_sync_while_a_download_hangs(self, world: World, server: Server) -> None:
        for path in world.links.iterdir():
            server.page(path.name.partition("-")[0], [server.file(path)])
        world.use_index(server.index, PIP_TIMEOUT="60")
        world.environ["TUMPLINE_CACHE"] = str(world.root / "another-cache")
        for route, answer in server.routes.items():
            if route.startswith("/files/"):
                answer.delay = 5.0
        before = sorted(path.name for path in world.project.rglob("*"))
        process = start(world, "sync", "-q")
        deadline = time.monotonic() + 120
        while not any(path.startswith("/files/") for path in server.paths()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.interrupted(world, process)
        assert sorted(path.name for path in world.project.rglob("*")) == before


def test_start_up_imports_little(world: World) -> None:
    """What starts without need of it brings no HTTP, no TOML writer and no drawing."""
    code = (
        "import sys\nfrom tumpline.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print('\\n', *sys.modules)"
    )
    # To measure coverage brings modules of its own.
    environ = {name: value for name, value in world.environ.items() if name not in measured()}
    for words, more in ((["--version"], {"argparse"}), (["lock", "--help"], set()), (["site", "list"], set())):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], env=environ, capture_output=True, text=True, check=True
        )
        loaded = set(done.stdout.splitlines()[-1].split())
        assert not loaded & ({"urllib3", "rich", "tomlkit", "virtualenv", "installer", "sqlite3"} | more)


def test_as_a_module_and_as_a_command(world: World) -> None:
    script = Path(sys.executable).with_name("tumpline")
    if not script.is_file():
        pytest.skip("tumpline is not installed as a command")
    done = subprocess.run(
        [script, "site", "list", "--json"], env=world.environ, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == world.run("site", "list", "--json").data
