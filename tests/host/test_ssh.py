"""The user's own ssh: what is run, and what its failures are called. Real connections are in the catalogue's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.host.ssh import RemoteProgram, check_host, ssh_failure


@pytest.fixture
def ssh(tmp_path: Path) -> tuple[str, ...]:
    """A program in the place of ssh: prints its words, leaves a line on standard error, and reads to the end."""
    program = tmp_path / "ssh.py"
    program.write_text(
        "import sys\nsys.stderr.write('a remark\\n')\nprint(sys.argv[1:], flush=True)\nsys.stdin.read()\n"
    )
    return (sys.executable, str(program))


def read_all(program: RemoteProgram) -> bytes:
    content = b""
    while part := program.read(1000):
        content += part
    return content


def test_words_are_passed_on_as_they_are(ssh: tuple[str, ...]) -> None:
    said: list[str] = []
    with RemoteProgram((*ssh, "-F", "my file"), "me@login.example.org", "python3 -c 'a b'", said.append) as program:
        line = b""
        while not line.endswith(b"\n"):
            line += program.read(1000)
        assert line.startswith(b"['-F', 'my file', '-T', ")
        assert line.rstrip().endswith(b"""'me@login.example.org', "python3 -c 'a b'"]""")
        program.write(b"hello")
        assert (program.sent, program.received) == (5, len(line))
    assert program.end() == 0
    assert said == ["a remark"]
    assert program.last_words == ("a remark",)


def test_a_program_that_goes_on_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumpline.host.ssh._GRACE", 0.05)
    endless = (sys.executable, "-c", "import time; time.sleep(1000)")
    with RemoteProgram(endless, "login.example.org", "true", lambda line: None) as program:
        pass
    assert program.end() < 0


def test_writing_to_one_that_has_ended(tmp_path: Path) -> None:
    with RemoteProgram((sys.executable, "-c", ""), "login.example.org", "true", lambda line: None) as program:
        assert read_all(program) == b""
        with pytest.raises(BrokenPipeError):
            program.write(b"x" * 1_000_000)


def test_no_ssh() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        RemoteProgram(("ssh-of-nowhere",), "login.example.org", "true", print)
    assert caught.value.code == "no-ssh"


@pytest.mark.parametrize("host", ["narval", "me@login.example.org", "[::1]", "ssh://me@example.org:22", "a_b"])
def test_hosts(host: str) -> None:
    assert check_host(host) == host


@pytest.mark.parametrize("host", ["", "-oProxyCommand=x", "me@-x", "a b", "a\nb", "a;b", "$(a)", "`a`", "h" * 300])
def test_no_hosts(host: str) -> None:
    with pytest.raises(InputError) as caught:
        check_host(host)
    assert caught.value.code == "bad-host"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "host-key-mismatch"),
        ("No ED25519 host key is known for x.\nHost key verification failed.", "host-key-mismatch"),
        ("me@x: Permission denied (publickey,keyboard-interactive).", "ssh-permission-denied"),
        ("Received disconnect from x port 22:2: Too many authentication failures", "ssh-permission-denied"),
        ("ssh: Could not resolve hostname x: Name or service not known", "host-unreachable"),
        ("ssh: connect to host x port 22: Connection refused", "host-unreachable"),
        ("ssh: connect to host x port 22: Connection timed out", "host-unreachable"),
        ("ssh: connect to host x port 22: No route to host", "host-unreachable"),
        ("kex_exchange_identification: read: Connection reset by peer", "ssh-failed"),
        ("", "ssh-failed"),
    ],
)
def test_failures(words: str, code: str) -> None:
    failure = ssh_failure("x", 255, words.splitlines())
    assert failure.code == code
    assert failure.problems[0].where == "x"
    assert failure.problems[0].why == (words or "it ended with status 255")
    assert failure.problems[0].hint
