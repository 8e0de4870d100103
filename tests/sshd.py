"""A real OpenSSH server on this machine, with keys and settings of its own; started and ended by the tests."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

__all__ = ["HOST", "Server"]

HOST = "login.lake.invalid"
"""The name that the client's settings give the server."""

_SERVER = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
ForceCommand /bin/sh {folder}/session
"""
_CLIENT = """\
Host {host}
HostName 127.0.0.1
Port {port}
User {user}
IdentityFile {folder}/user
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile none
HostKeyAlias lake
StrictHostKeyChecking yes
BatchMode yes
ControlPath none
"""
# What the server does without a ForceCommand: it gives the command to the login shell.
_SESSION = 'exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"\n'


class Server:
    """The server; `ssh` is the client's command, `close` ends the server."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None or shutil.which("ssh") is None:
            pytest.skip("OpenSSH's server and client are not both here (make services installs them)")
        if os.geteuid() == 0:
            # As root sshd demands this empty folder, which the system makes when it starts an sshd of its own.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.folder = folder
        for name in ("host", "user", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        facts = {"folder": folder, "port": port, "user": getpass.getuser(), "host": HOST}
        (folder / "sshd_config").write_text(_SERVER.format(**facts))
        (folder / "ssh_config").write_text(_CLIENT.format(**facts))
        self.ssh = ("ssh", "-F", str(folder / "ssh_config"))
        self.trust("host")
        self.session()
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [program, "-D", "-e", "-f", folder / "sshd_config"], stdin=subprocess.DEVNULL, stderr=self._log
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.close()
                    pytest.skip(f"sshd does not start here: {(folder / 'log').read_text()[-300:]}")
                time.sleep(0.05)

    @property
    def words(self) -> str:
        """The client's command as one text."""
        return shlex.join(self.ssh)

    def session(self, script: str = _SESSION) -> None:
        """Run this shell script in the sessions that begin from now on."""
        (self.folder / "session").write_text(script)

    def trust(self, key: str) -> None:
        """Let the client know the server by the key of that name."""
        public = (self.folder / f"{key}.pub").read_text()
        (self.folder / "known_hosts").write_text(f"lake {public}")

    def close(self) -> None:
        """End the server."""
        self._process.terminate()
        self._process.wait()
        self._log.close()
