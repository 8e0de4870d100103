"""A person at a shell: a home, a project and the real command line, run as a process with variables of its own."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.measured import measured
from tests.wheelmaker import make_wheel

__all__ = ["EXACT", "MINOR", "TUMPLINE", "Done", "World", "clean_variables", "home_variables", "snapshot"]

TUMPLINE = (sys.executable, "-m", "tumpline")
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
EXACT = platform.python_version()

_STEERING = (
    "PIP_", "PYTHON", "TUMPLINE_", "VIRTUALENV_", "UV_", "XDG_", "SLURM", "CC_", "RSNT_", "EBVERSION",
    "SCRATCH", "PROJECT",
)  # fmt: skip
_MACHINE = {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
_SYSTEM = {"linux": "linux", "darwin": "macos"}.get(sys.platform, "windows")

_PROFILE = f"""\
title = "Lake"
kind = "cluster"
catalogue = "lake"
wheelhouse = "../wheelhouse"
local-tag = "computecanada"
manylinux = false
cpu-levels = ["x86-64-v3"]
default-environment = "2023"

[platform]
os = "{_SYSTEM}"
machine = "{_MACHINE}"
tags = ["linux_x86_64"]

[environments.2023]
pythons = ["{EXACT}"]
default-python = "{EXACT}"
layers = {{ "x86-64-v3" = ["generic"] }}
"""

_PROJECT = f"""\
[project]
name = "toy-project"
version = "0.1"
dependencies = ["alpha", "gamma"]

[tool.tumpline.targets.lake]
site = "lake"
python = "{MINOR}"

[tool.tumpline.targets.laptop]
site = "here"
python = "{MINOR}"
"""


def clean_variables(*, index: bool = False) -> dict[str, str]:
    """The variables of this process without those that steer pip, Python, tumpline or a cluster's software.

    With `index`, how this machine reaches its package index is kept.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
    kept.pop("LOADEDMODULES", None)
    if index:
        kept |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return kept


def home_variables(home: Path) -> dict[str, str]:
    """The variables that name the folders of a person; the home is made."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
    }


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: the bytes of files, where links lead, and that folders are there."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = "folder"
        elif "__pycache__" not in name:
            found[name] = path.read_bytes()
    return found


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What was printed with ``--json``."""
        return json.loads(self.out)

    def ok(self) -> Done:
        """Return itself; fails the test unless the command did what it was asked."""
        assert self.status == 0, self.out + self.err
        return self

    def refuses(self, code: str, status: int, *says: str) -> None:
        """Fail unless the command ended with an error of that code that says all this, and what to do next."""
        assert f"error[{code}]: " in self.err, self.out + self.err
        assert self.status == status
        assert "Traceback" not in self.err
        for words in says:
            assert words in self.err
        assert "\nhint: " in self.err
        assert self.out == ""


@dataclass
class World:
    """A folder with a home, a project of two targets, a wheelhouse, a folder that serves as the index, and profiles.

    ``alpha`` needs ``beta``, both are on the index and in the wheelhouse; ``gamma`` is on the index only. A world that
    starts as a copy of another's folder has its catalogue and lock, too: nothing in them says where they are.
    """

    root: Path
    like: Path | None = None
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.like is None:
            self._fill()
        else:
            shutil.copytree(self.like, self.root, symlinks=True)
        interpreter = Path(getattr(sys, "_base_executable", sys.executable)).parent
        kept = clean_variables()
        self.environ = {
            **kept,
            **home_variables(self.root / "home"),
            "PATH": f"{interpreter}{os.pathsep}{kept.get('PATH', os.defpath)}",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.links),
            "TUMPLINE_SITES": str(self.sites),
            **measured(),
        }

    def _fill(self) -> None:
        for folder in (self.project, self.layer, self.links, self.sites):
            folder.mkdir(parents=True)
        (self.sites / "lake.toml").write_text(_PROFILE)
        self.pyproject.write_text(_PROJECT)
        make_wheel(self.layer, "alpha", "1.0+computecanada", requires=["beta"])
        make_wheel(self.layer, "beta", "1.0+computecanada")
        make_wheel(self.links, "alpha", "1.0", requires=["beta"])
        make_wheel(self.links, "beta", "1.0")
        make_wheel(self.links, "gamma", "1.0")

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def pyproject(self) -> Path:
        return self.project / "pyproject.toml"

    @property
    def lock(self) -> Path:
        return self.project / "tumpline.lock"

    @property
    def layer(self) -> Path:
        """The wheelhouse's only layer."""
        return self.root / "wheelhouse" / "generic"

    @property
    def links(self) -> Path:
        """The folder of wheels that pip's ``find-links`` names."""
        return self.root / "links"

    @property
    def sites(self) -> Path:
        return self.root / "sites"

    @property
    def catalogue(self) -> Path:
        return self.root / "home" / ".cache" / "tumpline" / "catalogues" / "lake.sqlite"

    def use_index(self, url: str, **more: str) -> None:
        """Let pip's configuration name this index, and nothing else; no patience with failures."""
        for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
            self.environ.pop(name, None)
        self.environ |= {"PIP_INDEX_URL": url, "PIP_RETRIES": "0", "PIP_TIMEOUT": "5", **more}

    def edit(self, old: str, new: str) -> None:
        """Change the project file."""
        text = self.pyproject.read_text()
        assert old in text
        self.pyproject.write_text(text.replace(old, new))

    def run(self, *words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command of tumpline in the project's folder."""
        done = subprocess.run(
            [*TUMPLINE, *words],
            cwd=cwd or self.project,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)
