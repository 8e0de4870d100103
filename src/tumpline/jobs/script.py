"""The script of a job: one pure function from its description to text (R23).

Every value is quoted, for bash or for sbatch, whose comment lines have rules of their own.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from tumpline.jobs.description import JobDescription
from tumpline.jobs.fragments import FINISH, MODULES, ON_EVERY_NODE, RANKS, RECORD, RESTART, SHARE

__all__ = ["directive", "job_script"]

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_HIDDEN = re.compile(r"[^\x20-\x7e]")


def job_script(job: JobDescription) -> str:
    """Return the text of the script; it ends with a line feed and is the same for the same description."""
    return "\n\n".join("\n".join(part) for part in _parts(job)) + "\n"


def directive(option: str, value: str | None = None) -> str:
    """Return a line of options for sbatch; in its own quotes, since it takes ``#`` for the start of a comment."""
    if value is None:
        return f"#SBATCH --{option}"
    if not _SAFE.fullmatch(value):
        value = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"#SBATCH --{option}={value}"


def _parts(job: JobDescription) -> Iterator[Sequence[str]]:
    yield _head(job)
    yield ("set -euo pipefail", "", "fail() {", '    echo "tumpline: $*" >&2', "    exit 1", "}")
    if job.record:
        yield _record(job)
    yield RESTART
    yield _modules(job)
    if job.way == "login-node":
        yield _ready(job)
    else:
        yield from _on_nodes(job)
    yield (*RANKS, f'    "$environment" {shlex.join(job.command)}')


def _head(job: JobDescription) -> list[str]:
    lines = ["#!/bin/bash", f"# The job of {_comment(job.title)}, for the target {_comment(job.target)}."]
    lines.append("# Made by: tumpline job script. To run it: sbatch FILE. It may be edited.")
    lines += [directive(option, value) for option, value in job.request.directives()]
    folder = job.request.output.replace("%", "%%")
    number = "%A_%a" if job.request.array else "%j"
    lines.append(directive("output", f"{folder}/%x-{number}.out" if folder else f"%x-{number}.out"))
    # A job that Slurm starts anew would empty the file, and with it what says why.
    lines.append(directive("open-mode", "append"))
    lines += [directive(*option.removeprefix("--").split("=", 1)) for option in job.request.options]
    return lines


def _record(job: JobDescription) -> list[str]:
    """Write the record at the start and again at the end, so that a run that is killed leaves one too."""
    known = [f' "{key}": {value},' for key, value in job.record]
    lines = [f"output={shlex.quote(job.request.output or '.')}"]
    return [*lines, *(line if line != "@KNOWN@" else "\n".join(known) for line in RECORD), *FINISH]


def _modules(job: JobDescription) -> list[str]:
    lines = ["# What the shell had activated from which the job was submitted is not the job's."]
    if not job.modules:
        return [*lines, "unset SLURM_EXPORT_ENV VIRTUAL_ENV PYTHONHOME", "export PYTHONNOUSERSITE=1"]
    lines += ["unset SLURM_EXPORT_ENV VIRTUAL_ENV PYTHONHOME PYTHONPATH", "export PYTHONNOUSERSITE=1"]
    names = [shlex.quote(module) for module in job.modules]
    failed = shlex.quote(
        f"these modules can not be loaded: {' '.join(job.modules)}; see which there are with: module spider NAME"
    )
    loading = f"module load {' '.join(names)} || fail {failed}"
    return [*lines, *(line if line != "@LOAD@" else loading for line in MODULES)]


def _ready(job: JobDescription) -> list[str]:
    missing = shlex.quote(
        f"there is no environment in {job.ready}: make it on a login node with: tumpline sync --target {job.target}"
    )
    return [
        "# The environment was made on a login node.",
        f"environment={shlex.quote(job.ready)}",
        f'[ -e "$environment/bin/activate" ] || fail {missing}',
    ]


def _on_nodes(job: JobDescription) -> Iterator[Sequence[str]]:
    shares = bool(job.request.array and job.shared_folder)
    yield (
        "# The environment, on the own disk of each node.",
        '[ -n "${SLURM_TMPDIR:-}" ] || fail "SLURM_TMPDIR is not set: this cluster gives jobs no disk of their own;'
        ' write the script with --environment login-node"',
        "environment=$SLURM_TMPDIR/environment",
        "export environment",
    )
    functions = ["fail", "make"]
    if job.flavour == "tumpline":
        functions.append("tumpline")
        yield ("tumpline() {", f'    command {shlex.join(job.tumpline)} "$@"', "}")
    if job.way == "image":
        gone = shlex.quote(f"the image is gone: {job.image}; make it again with: tumpline pack")
        yield (
            f"image={shlex.quote(job.image)}",
            f'[ -e "$image" ] || fail {gone}',
            'if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then',
            '    sbcast --force "$image" "$SLURM_TMPDIR/image" || fail "the image could not be copied to every node"',
            "    image=$SLURM_TMPDIR/image",
            "fi",
            "export image",
        )
    yield ("make() {", *(f"    {line}" for line in _make(job)), "}")
    step = "make_here"
    if shares:
        functions += ["join_shared", "make_shared", "forget_arrays", "leave_shared"]
        yield (
            f"shared={shlex.quote(job.shared_folder)}/tumpline-$UID/$SLURM_ARRAY_JOB_ID-{job.key[:12]}",
            "export shared",
            *SHARE,
        )
        step = "make_shared"
    else:
        functions.append("make_here")
        yield (
            "make_here() {",
            '    [ -d "$SLURM_TMPDIR" ] || fail "$(hostname) has no $SLURM_TMPDIR, which the cluster should make"',
            '    make "$environment" || fail "no environment on $(hostname): what is written above says why"',
            "}",
        )
    yield (*(line.replace("@FUNCTIONS@", " ".join(functions)) for line in ON_EVERY_NODE), f"on_every_node {step}")


def _make(job: JobDescription) -> list[str]:
    """Return the lines that make the environment at ``$1``."""
    if job.way == "image":
        return ['tumpline unpack -q "$image" "$1"']
    if job.flavour == "tumpline":
        words = ["tumpline", "sync", "-q", "--project", job.project, "--target", job.target]
        words += ["--stage", job.stage] if job.stage else []
        return [f'{shlex.join(words)} --env "$1"']
    return [
        "local wheels=(",
        *(f"    {shlex.quote(wheel)}" for wheel in job.wheels),
        ")",
        "# virtualenv keeps what it brings in here, not in the home folder.",
        'export VIRTUALENV_OVERRIDE_APP_DATA="$SLURM_TMPDIR/virtualenv"',
        'command -v virtualenv >/dev/null || fail "there is no virtualenv: load a module of Python"',
        'virtualenv --quiet --no-download "$1" &&',
        '    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-compile \\',
        '        "${wheels[@]}" && return',
        'echo "tumpline: where a wheel is gone, have this script written again: tumpline job script --plain" >&2',
        'echo "tumpline: where the disk is full, ask for a node with more room: sbatch --tmp=20G" >&2',
        "return 1",
    ]


def _comment(text: str) -> str:
    """Return a text that can stand in a comment: nothing in it ends the line or hides."""
    return _HIDDEN.sub("?", text)
