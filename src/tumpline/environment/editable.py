"""The project itself, installed editable by the environment's own pip (PEP 660).

This runs the project's build backend, which is the project's own choice and may need packages of its own from the
index.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from tumpline.environment.create import says_disk_is_full
from tumpline.environment.layout import Layout
from tumpline.environment.storage import disk_full
from tumpline.errors import EnvironmentFailure
from tumpline.host.pip import pip_variables
from tumpline.host.process import last_lines, run

__all__ = ["install_project"]

_SECONDS = 900.0


def install_project(project: Path, layout: Layout, environ: Mapping[str, str], *, offline: bool) -> None:
    """Install the project in `project` editable, without its dependencies, into the environment of `layout`.

    pip takes build requirements from where its configuration says. With `offline` it may use neither an index nor an
    address, so that only a backend that needs nothing, or that lies in a local folder of ``find-links``, works.
    Raises EnvironmentFailure ``project-build-failed``, with the end of what pip said; ``disk-full``;
    ``program-hangs``.
    """
    command = [
        *(layout.python, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
        *("install", "--quiet", "--no-deps", "--no-compile", "--no-warn-script-location"),
        *(("--no-index", "--retries", "0") if offline else ()),
        *("--editable", str(project)),
    ]
    variables = pip_variables(environ, layout.root, layout.scripts, offline=offline)
    done = run(command, environment=variables, cwd=project, timeout=_SECONDS)
    if done.status == 0:
        return
    said = f"{done.stdout}\n{done.stderr}"
    if says_disk_is_full(said):
        raise disk_full(layout.root, "the build of the project found the disk full")
    backend = _backend(project)
    raise EnvironmentFailure.of(
        "project-build-failed",
        f"the project can not be installed: its build backend, {backend}, failed or could not be had",
        where=str(project / "pyproject.toml"),
        why=last_lines(said),
        hint=(
            f"run the command once without --offline: {backend} has to be fetched"
            if offline
            else f'try it by hand: pip install --no-deps --editable "{project}"'
        ),
    )


def _backend(project: Path) -> str:
    """Return the name of the build backend for a message; setuptools is what the standard says where none is named."""
    try:
        table = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("build-system", {})
    except (OSError, ValueError):
        return "unknown"
    requires = table.get("requires") if isinstance(table, dict) else None
    named = table.get("build-backend") if isinstance(table, dict) else None
    if isinstance(requires, list) and requires:
        return str(requires[0])
    return str(named) if named else "setuptools"
