"""Other tools: what they were told to do otherwise, and those that get between Python and the modules."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from tumpline.doctor.model import Finding, Situation
from tumpline.doctor.modules import load_again, startup_lines
from tumpline.errors import Problem

__all__ = ["tool_findings"]

_SOURCES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_NO_INDEX",
    "PIP_PRE",
    "PIP_CONSTRAINT",
    "PIP_NO_BINARY",
    "PIP_ONLY_BINARY",
    "PIP_PREFER_BINARY",
)
"""Settings of pip that change which file of which source it takes."""

_PLACES = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON")
"""Settings of pip by which it installs somewhere else than into the environment that it belongs to."""

_CONDA = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_SHLVL", "CONDA_PROMPT_MODIFIER")
"""What an active environment of conda leaves in a shell."""

_OFF = ("", "0", "no", "off", "false", "n", "f")


def tool_findings(seen: Situation) -> Iterator[Finding]:
    """Yield what is wrong with pip's settings, and with conda, uv and Slurm."""
    checks = (_wheelhouse_unknown, _pip_sources, _pip_places, _conda, _uv, _srun)
    yield from (finding for check in checks if (finding := check(seen)) is not None)


def _wheelhouse_unknown(seen: Situation) -> Finding | None:
    """pip does not know the wheelhouse: the variable that names its configuration is not what the site sets."""
    if not seen.here.environment or seen.site is None or seen.site.wheelhouse is None:
        return None
    value = seen.scene.variables.get("PIP_CONFIG_FILE", "")
    if seen.scene.pip_configuration or "PIP_CONFIG_FILE" in seen.scene.silent:
        return None
    return Finding(
        "warning",
        Problem(
            "wheelhouse-not-configured",
            "pip does not know the wheelhouse here",
            why="the site's configuration for it is not named" if not value else "the file that is named is not there",
            hint="log in anew, or load the modules again",
        ),
        (
            f"PIP_CONFIG_FILE={value}" if value else "PIP_CONFIG_FILE is not set",
            *startup_lines(seen, "PIP_CONFIG_FILE"),
        ),
        load_again(seen),
    )


def _pip_sources(seen: Situation) -> Finding | None:
    """Settings of pip in variables decide what it takes, over any configuration file."""
    found = [name for name in _SOURCES if _is_on(seen, name)]
    if not found:
        return None
    # Elsewhere it is how a person reaches a mirror, and tumpline reads it too.
    weighty = seen.on_cluster and any(name != "PIP_NO_INDEX" for name in found)
    return Finding(
        "warning" if weighty else "note",
        Problem(
            "pip-source-changed",
            f"variables change where pip takes packages from: {', '.join(found)}",
            why="they replace what the site's configuration says" if weighty else "",
            hint="unset those that you did not mean; tumpline takes its index from them as pip does",
        ),
        (*(f"{name}={_shown(seen.scene.variables[name])}" for name in found), *startup_lines(seen, *found)),
        f"unset {' '.join(found)}" if weighty else "",
    )


def _pip_places(seen: Situation) -> Finding | None:
    """Settings of pip in variables make it install outside of the environment."""
    found = [name for name in _PLACES if _is_on(seen, name)]
    if not found:
        return None
    return Finding(
        "warning",
        Problem(
            "pip-place-changed",
            f"variables make pip install outside of environments: {', '.join(found)}",
            hint="unset them",
        ),
        (*(f"{name}={_shown(seen.scene.variables[name])}" for name in found), *startup_lines(seen, *found)),
        f"unset {' '.join(found)}",
    )


def _conda(seen: Situation) -> Finding | None:
    """An environment of conda is active: its Python and its libraries come first, or its variables remain."""
    prefix, name = seen.scene.variables.get("CONDA_PREFIX", ""), seen.scene.variables.get("CONDA_DEFAULT_ENV", "")
    started = startup_lines(seen, "conda", "mamba")
    if not prefix:
        if not started or not seen.on_cluster:
            return None
        return Finding(
            "note",
            Problem(
                "conda-at-start",
                "every shell starts with conda",
                hint="take it out of the start-up file: on a cluster it gets between Python and the modules",
            ),
            started,
        )
    python = seen.scene.programs.get("python", "")
    first = python.startswith(f"{prefix.rstrip('/')}/")
    hint, command = _leave_conda(seen, first=first)
    return Finding(
        "error"
        if first and (seen.on_cluster or seen.scene.active is not None)
        else "warning"
        if seen.on_cluster
        else "note",
        Problem(
            "conda-active",
            f"conda's environment {name or prefix!r} is active" + (", and its Python comes first" if first else ""),
            why="its libraries do not go with those of the modules" if seen.on_cluster else "",
            hint=hint,
        ),
        (f"CONDA_PREFIX={prefix}", *([f"python is {python}"] if first else []), *started),
        command,
    )


def _leave_conda(seen: Situation, *, first: bool) -> tuple[str, str]:
    """Return in words and as a command how to leave conda's environment: each of its kind has a command of its own.

    In a job the variables of the shell that submitted it remain, and nothing that could take them back.
    """
    variables, programs = seen.scene.variables, seen.scene.programs
    leave = "leave it, once for each environment that is on top of another"
    if variables.get("CONDA_EXE") or "conda" in programs:
        return leave, "conda deactivate"
    if own := variables.get("MAMBA_EXE") or programs.get("mamba"):
        return leave, f"{shlex.quote(own.rpartition('/')[2])} deactivate"
    left = " ".join(name for name in _CONDA if name in variables)
    path = ", and take its folder out of PATH" if first else ""
    return f"there is no conda here that could leave it; unset what is left of it{path}", f"unset {left}"


def _uv(seen: Situation) -> Finding | None:
    """uv, where manylinux is refused: it reads no configuration of pip, and sees nothing of modules."""
    uv = seen.scene.programs.get("uv")
    if uv is None or seen.site is None or seen.site.manylinux:
        return None
    return Finding(
        "note",
        Problem(
            "uv-here",
            "uv does not know this site: it takes manylinux wheels, and sees neither wheelhouse nor modules",
            hint="let it do nothing but put locked files into place: tumpline sync --with uv; and use tumpline run "
            "rather than uv run",
        ),
        (f"uv is {uv}",),
    )


def _srun(seen: Situation) -> Finding | None:
    """A job that was submitted with ``--export=NONE`` starts its steps without any variables."""
    value = seen.scene.variables.get("SLURM_EXPORT_ENV", "")
    if not seen.in_job or value.upper() not in ("NONE", "NIL"):
        return None
    return Finding(
        "error",
        Problem(
            "srun-without-variables",
            "srun starts its commands without any of these variables, PATH among them",
            why="the job was submitted with --export=NONE, which its steps inherit",
            hint="unset the variable in the job, before srun",
        ),
        (f"SLURM_EXPORT_ENV={value}",),
        "unset SLURM_EXPORT_ENV",
    )


def _is_on(seen: Situation, name: str) -> bool:
    return seen.scene.variables.get(name, "").lower() not in _OFF


def _shown(value: str) -> str:
    """Return a value without the names and passwords that its addresses may hold."""
    return re.sub(r"(://)[^/@\s]*@", r"\1", value)
