"""The projects and tools that several benchmarks use, made under ``.work/bench``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from bench._timing import clean_variables
from tumpline.index.pipconfig import read_pip_settings

__all__ = ["ROOT", "WORK", "direct_names", "example", "index_variables", "peers"]

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".work" / "bench"
_PEERS = ROOT / ".work" / "bench-venv"
_EXAMPLE = ROOT / "examples" / "field-station"


def example(where: str) -> Path:
    """Return a fresh copy of the example project, without lock and environment."""
    folder = WORK / where / "example"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(_EXAMPLE / "pyproject.toml", folder)
    return folder


def direct_names(project: Path) -> list[str]:
    """Return the requirements that a project states: the main ones, then those of its group ``pypi``."""
    content = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    return [*content["project"]["dependencies"], *content.get("dependency-groups", {}).get("pypi", ())]


def index_variables(**more: str) -> dict[str, str]:
    """Return variables with which pip, uv and tumpline ask the same single index: the main one that pip is set to.

    Further indexes and folders of links that this machine may be configured with are left out, for all alike.
    """
    settings = read_pip_settings(os.environ)
    chosen = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_CONFIG": "1"}
    if url := next((location.url for location in settings.locations if location.name == "pypi"), ""):
        chosen |= {"PIP_INDEX_URL": url, "UV_DEFAULT_INDEX": url}
    if settings.certificates is not None:
        chosen |= {"PIP_CERT": str(settings.certificates)}
        if settings.certificates.is_file():
            chosen |= {"SSL_CERT_FILE": str(settings.certificates)}
    return clean_variables(**chosen) | more


def peers() -> Path:
    """Return the folder of programs of an environment with the newest uv and pip, made on first use."""
    programs = _PEERS / "bin"
    if not (programs / "uv").exists():
        subprocess.run([sys.executable, "-m", "venv", str(_PEERS)], check=True)
        install = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--upgrade", "pip", "uv"]
        subprocess.run(install, check=True)
    return programs
