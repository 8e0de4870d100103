"""Real Git repositories, a server on loopback, and a reader that is given both."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.index.server import Server
from tumpline.addresses import SourceReader
from tumpline.addresses.reader import AddressReader, AddressSettings, Kept
from tumpline.index.client import IndexClient
from tumpline.index.settings import IndexSettings
from tumpline.values import Name

STATIC = '[project]\nname = "Lib"\nversion = "1.5"\ndependencies = ["dep>=1"]\n'


def variables(**more: str) -> dict[str, str]:
    """The variables of this process, but none of the person's own settings for git, pip and Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON", "VIRTUALENV"))}
    return {**kept, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, **more}


@dataclass
class GitRepository:
    """A repository with a work tree, made with the real git."""

    folder: Path

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
        command = ["git", "-C", str(self.folder), *identity, *words]
        done = subprocess.run(command, env=variables(), check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        """Write files and commit everything; return the commit."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "work")
        return self.git("rev-parse", "HEAD")

    @property
    def address(self) -> str:
        return f"git+{self.folder.as_uri()}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of the project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A repository beside the project, without a commit."""
    folder = tmp_path / "lib"
    folder.mkdir()
    made = GitRepository(folder)
    made.git("init", "--quiet")
    return made


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@dataclass
class Reading:
    """Makes readers over one project and one cache."""

    root: Path
    cache: Path
    words: list[str] = field(default_factory=list)
    open: list[IndexClient | AddressReader] = field(default_factory=list)

    def __call__(
        self,
        *builds: str,
        kept: Kept | None = None,
        offline: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> SourceReader:
        settings = AddressSettings(
            self.root, self.cache / "sources", environ or variables(), frozenset(map(Name, builds)), offline
        )
        index = IndexClient(IndexSettings((), retries=0), self.cache / "index", offline=offline, backoff=0.0)
        reader = AddressReader(settings, index, kept or {}, self.words.append)
        self.open += [reader, index]
        return reader


@pytest.fixture
def reading(root: Path, tmp_path: Path) -> Iterator[Reading]:
    made = Reading(root, tmp_path / "cache")
    yield made
    for each in made.open:
        each.close()
