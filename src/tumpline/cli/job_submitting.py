"""``tumpline job submit``: all that can be known beforehand is checked, since a job may wait for a day to fail."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tumpline.cli.job_making import Job, describe
from tumpline.cli.stage_lacking import staging_problems
from tumpline.cli.terminal import Terminal
from tumpline.environment.check import open_environment
from tumpline.environment.wheelstore import WheelStore
from tumpline.errors import EnvironmentFailure, InputError, NotSo, Problem, TumplineError
from tumpline.host import home_folder, variables
from tumpline.host.files import write_atomically
from tumpline.host.lmod import Lmod
from tumpline.host.slurm import Slurm
from tumpline.jobs.record import lock_copy_name
from tumpline.jobs.rules import refusals, remarks
from tumpline.jobs.script import job_script

__all__ = ["submit"]

_WAYS = {
    "build": "made on each node",
    "image": "unpacked on each node",
    "login-node": "the one made on the login node",
}


def submit(options: argparse.Namespace, terminal: Terminal) -> int:
    """Check, show and submit; print the number of the job.

    Raises NotSo with all that speaks against it; EnvironmentFailure ``no-slurm``, ``output-not-writable``.
    """
    environ = variables()
    job = describe(options)
    if problems := list(_problems(job, options)):
        raise NotSo(*problems)
    request = job.description.request
    for remark in remarks(request, job.site):
        terminal.note(remark)
    slurm = Slurm(environ)
    text = job_script(job.description)
    folder = Path(request.output or os.getcwd())  # noqa: PTH109 - as text, with its links
    draft = folder / f".{request.name}-{os.urandom(4).hex()}.sh"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(draft, text.encode("utf-8", "surrogateescape"))
        told = slurm.test(draft)
        _show(job, text, told, options, terminal)
        if options.dry_run:
            terminal.say("dry run: nothing was submitted")
            number, kept = None, None
        else:
            write_atomically(folder / lock_copy_name(hashlib.sha256(job.lock_file).hexdigest()), job.lock_file)
            number = slurm.submit(draft)
            # Slurm has a copy of its own by now; this one is for people.
            kept = folder / f"{request.name}-{number}.sh"
            draft.replace(kept)
    except OSError as error:
        raise EnvironmentFailure.of(
            "output-not-writable",
            "the folder for the job's output can not be written",
            where=str(folder),
            why=error.strerror or str(error),
            hint="name another folder with --output",
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    if terminal.json:
        data = {
            "schema": "tumpline.job-submit/1",
            "job": number,
            "way": job.description.way,
            "script": str(kept) if kept is not None else None,
            "output": str(folder),
        }
        terminal.data(json.dumps(data, indent=2))
    elif number is not None:
        terminal.data(number)
        terminal.say(f"submitted; what it says and its record will be {folder}/{request.name}-{number}*")
    return 0


def _show(job: Job, text: str, told: str, options: argparse.Namespace, terminal: Terminal) -> None:
    description = job.description
    terminal.say(text, level=0 if options.dry_run else 1)
    terminal.say(f"{description.target}: {shlex.join(description.command)}")
    for option, value in description.request.directives():
        terminal.say(f"  --{option}={value}")
    terminal.say(f"  the environment is {_WAYS[description.way]}")
    if told:
        terminal.say(told)


def _problems(job: Job, options: argparse.Namespace) -> Iterator[Problem]:
    """Yield everything that would make the job fail."""
    target, description = job.plan.target, job.description
    where = f"target {target.name}"
    if not job.at_home:
        yield Problem(
            "wrong-site-for-job",
            f"the target is for {target.site}, which this machine is not of",
            where,
            hint=f"run this on a login node of {target.site}; or write the script: tumpline job script",
        )
    if job.lock.inputs != job.project.inputs:
        yield Problem(
            "lock-outdated",
            "the project asks for something else since the lock was made",
            "pyproject.toml",
            hint="bring the lock up to date: tumpline lock",
        )
    yield from refusals(description.request, job.site, account_known=job.account_known)
    if description.way == "login-node":
        yield from _not_ready(job)
    elif description.way == "build" and job.survey is not None:
        for problem in staging_problems(job.survey, job.stage or WheelStore(Path("none"))):
            if problem.code != "not-staged" or job.site.compute_internet == "none":
                yield problem
    if job.at_home and description.modules and (lmod := Lmod.find(variables())) is not None:
        try:
            lmod.load(*description.modules)
        except TumplineError as error:
            yield from error.problems
    yield from _output_lost(job, options)


def _not_ready(job: Job) -> Iterator[Problem]:
    """Yield why the environment of the login node can not be used."""
    hint = f"make it: tumpline sync --target {job.plan.target.name}"
    try:
        _, record = open_environment(Path(job.description.ready))
    except (NotSo, InputError) as error:
        yield from (problem._replace(hint=hint) for problem in error.problems)
        return
    if record.key != job.plan.key:
        yield Problem(
            "environment-stale",
            "the environment is not what the lock says any more",
            f"target {job.plan.target.name}",
            hint=hint,
        )


def _output_lost(job: Job, options: argparse.Namespace) -> Iterator[Problem]:
    """Yield the complaint that jobs can not write to the folder of the output: home, on some clusters."""
    if job.site.home_writable_in_jobs:
        return
    folder = os.path.realpath(job.description.request.output or ".")
    home = os.path.realpath(home_folder())
    if os.path.commonpath([folder, home]) == home:
        yield Problem(
            "output-not-writable",
            "jobs can not write to home, where the job's output would be",
            folder,
            hint="name a folder in scratch with --output, or as output in [tool.tumpline.job]",
        )
