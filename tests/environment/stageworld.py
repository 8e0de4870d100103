"""A project whose packages are on an index behind a real web server: wheels, a source to build, and the project."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cli.world import MINOR, TUMPLINE, Done, World
from tests.environment.sources import sdist_of, source_files
from tests.index.server import Server
from tests.wheelmaker import make_wheel

__all__ = ["StageWorld", "noise"]

_BACKEND = """\
import base64, hashlib, os, zipfile
import tool  # from the index: a build of this project needs the internet
def row(path, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(text)}\\n"
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    info = "mine-1.dist-info"
    files = {
        "mine.pth": os.path.join(os.getcwd(), "src") + "\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: mine\\nVersion: 1\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{info}/entry_points.txt": "[console_scripts]\\nsay-mine = mine:main\\n",
        "mine-1.data/scripts/old-script": "#!python\\nimport mine; print('script', mine.says)\\n",
    }
    name = "mine-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/RECORD", "".join(row(*item) for item in files.items()) + f"{info}/RECORD,,\\n")
    return name
"""


def noise(seed: int, size: int) -> bytes:
    """Bytes that can not be compressed, the same for the same seed."""
    return hashlib.shake_256(str(seed).encode()).digest(size)


class StageWorld(World):
    """``alpha`` and a tiny ``pip`` are wheels of the index, ``lib`` is an sdist of it; the project can be built with
    ``tool`` of the index. Nothing is in pip's folders of links.
    """

    def __init__(self, root: Path, server: Server, *, big: int = 0, like: StageWorld | None = None) -> None:
        super().__init__(root, like.root if like is not None else None)
        self.server = server
        self.diary = root / "diary"
        self.said = ""
        self.wheels: list[Path] = []
        self.use_index(server.index)
        if like is not None:
            self.wheels = like.wheels
            return
        self.diary.write_text("")
        self.wheels = [
            make_wheel(root / "served", "alpha", "1.0", files={"alpha.py": "says = 'alpha'", "a.bin": noise(1, big)}),
            make_wheel(root / "served", "pip", "99.0"),
            make_wheel(root / "served", "tool", "1"),
        ]
        for path in [*self.wheels, sdist_of(root / "served", source_files(self.diary))]:
            server.page(path.name.partition("-")[0], [server.file(path)])
        self.backend()
        self.ask("alpha", "lib")

    def backend(self) -> None:
        """Write the project's own code and build backend."""
        (self.project / "src").mkdir(exist_ok=True)
        (self.project / "src" / "mine.py").write_text("says = 'mine'\ndef main(): print('entry', says)\n")
        (self.project / "backend.py").write_text(_BACKEND)

    def ask(self, *requirements: str, buildable: bool = True, more: str = "") -> None:
        """Write what the project asks for, and lock."""
        listed = ", ".join(f'"{requirement}"' for requirement in (*requirements, "pip==99.0"))
        build = '[build-system]\nrequires = ["tool"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        self.pyproject.write_text(
            f'[project]\nname = "mine"\nversion = "1"\ndependencies = [{listed}]\n{build if buildable else ""}'
            f"[tool.tumpline.packages]\nlib = {{ build = true }}\n"
            f'[tool.tumpline.targets.laptop]\nsite = "here"\npython = "{MINOR}"\n{more}'
        )
        self.run("lock", "--refresh").ok()

    @property
    def stage(self) -> Path:
        """Where the stage is by itself: in the cache."""
        return self.root / "home" / ".cache" / "tumpline" / "stage"

    @property
    def place(self) -> Path:
        return self.project / ".tumpline" / "env" / "laptop"

    def asked(self) -> list[str]:
        """What the server was asked for since the last time."""
        found = self.server.paths()
        self.server.requests.clear()
        return found

    def forget(self) -> None:
        """Empty the cache, as on a node where there is none; the stage stays."""
        kept = self.root / "kept-stage"
        if self.stage.is_dir():
            self.stage.rename(kept)
        cache = self.stage.parent
        subprocess.run(["rm", "-rf", str(cache)], check=True)
        if kept.is_dir():
            cache.mkdir(parents=True)
            kept.rename(self.stage)

    def cut_off(self, *words: str) -> Done:
        """Run a command in a network namespace that has no way out; `can_cut_off` says whether that is allowed here."""
        done = subprocess.run(
            ["unshare", "-rn", *TUMPLINE, *words],
            cwd=self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command and do not wait for it."""
        return subprocess.Popen(
            [*TUMPLINE, *words],
            cwd=self.project,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self, code: str) -> str:
        """Run code in the environment."""
        done = self.run("run", "--target", "laptop", "--", "python", "-c", code).ok()
        return done.out.strip()

    def staged_files(self, stage: Path | None = None) -> list[Path]:
        """The wheels in a stage; fails where one does not have the content that its folder says."""
        found = []
        for path in sorted((stage or self.stage).glob("files/??/*/*")):
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.parent.name
            found.append(path)
        return found


def can_cut_off() -> bool:
    """Whether a process here may have a network namespace of its own."""
    command: Sequence[str] = ("unshare", "-rn", "true")
    try:
        return subprocess.run(command, capture_output=True, check=False, env=os.environ).returncode == 0
    except OSError:
        return False
