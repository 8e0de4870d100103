"""``tumpline doctor``: what is wrong here - in the shell, the modules, home, the project - and its cure."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tumpline.cli.doctor_project import catalogue_problems, project_seen
from tumpline.cli.environment_choice import add_environment_options
from tumpline.cli.surroundings import surroundings_here
from tumpline.cli.terminal import Terminal
from tumpline.cli.wiring import here, load_site_named
from tumpline.doctor import SEVERITIES, Finding, Situation, examine
from tumpline.errors import InputError, Problem
from tumpline.host import home_folder, variables
from tumpline.host.scene import look_around
from tumpline.sites import Site

__all__ = ["configure", "execute"]

_COMMAND = re.compile(r"tumpline (sync|activate|verify|pack|lock)\b((?: --(?:env|target|project) \S+)*)")
"""What takes the options by which an environment is chosen, ``lock`` but the project, in a cure."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    add_environment_options(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def execute(options: argparse.Namespace, terminal: Terminal) -> int:
    """Look, judge and tell; 1 where something is an error."""
    seen = _look(options)
    findings = [_as_asked(finding, options) for finding in examine(seen)]
    if terminal.json:
        import json

        terminal.data(json.dumps(_data(seen, findings), indent=2))
    else:
        _tell(seen, findings, terminal)
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _look(options: argparse.Namespace) -> Situation:
    environ = variables()
    surroundings = surroundings_here(environ)
    site, problems = _site()
    scene = look_around(environ, home_folder())
    project, of_project = project_seen(options, surroundings)
    scratch = environ.get("SCRATCH", "")
    return Situation(
        scene=scene,
        here=surroundings,
        in_job=here().in_job,
        site=site,
        project=project,
        problems=(*problems, *of_project, *catalogue_problems(site, datetime.now(UTC).date())),
        scratch=str(Path(scratch).resolve()) if scratch.startswith("/") else "",
    )


def _site() -> tuple[Site | None, tuple[Problem, ...]]:
    try:
        return load_site_named("here"), ()
    except InputError as error:
        return None, error.problems


def _tell(seen: Situation, findings: Sequence[Finding], terminal: Terminal) -> None:
    """Tell what was found; where nothing was, what was looked at."""
    for finding in findings:
        problem = finding.problem
        where = f"{problem.where}: " if problem.where else ""
        terminal.data(f"{finding.severity}[{problem.code}]: {_line(where + problem.message)}")
        for why in problem.why.splitlines():
            terminal.data(f"  {why}")
        for evidence in finding.seen:
            terminal.data(f"  seen: {_line(evidence)}")
        if cure := _cure(finding):
            terminal.data(f"cure: {_line(cure)}")
    if not any(finding.severity != "note" for finding in findings):
        terminal.data("nothing is wrong, as far as can be seen")
        terminal.data(f"looked at: {_line('; '.join(_looked_at(seen)))}")
        return
    counts = {severity: sum(finding.severity == severity for finding in findings) for severity in SEVERITIES}
    words = [f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in counts.items() if count]
    terminal.say(f"found: {', '.join(words)}")
    terminal.say(f"looked at: {'; '.join(_looked_at(seen))}", level=1)


def _as_asked(finding: Finding, options: argparse.Namespace) -> Finding:
    """Return a finding whose commands are about the project, target and environment that were asked about."""
    given = {f"--{name}": str(value) for name in ("project", "target", "env") if (value := getattr(options, name))}

    def complete(found: re.Match[str]) -> str:
        names = [name for name in given if name == "--project" or found[1] != "lock"]
        # One that names its own folder means that.
        names = [name for name in names if f"{name} " not in found[2]]
        words = "".join(f" {name} {shlex.quote(given[name])}" for name in names)
        return f"tumpline {found[1]}{words}{found[2]}"

    def edit(text: str) -> str:
        return _COMMAND.sub(complete, text)

    problem = finding.problem._replace(hint=edit(finding.problem.hint))
    return finding._replace(problem=problem, command=edit(finding.command))


def _line(text: str) -> str:
    """Return the text on one line: what a variable holds can not pass for a line of ours."""
    return text.replace("\n", "\\n")


def _cure(finding: Finding) -> str:
    hint, command = finding.problem.hint, finding.command
    return hint if not command or command in hint else f"{hint}: {command}"


def _looked_at(seen: Situation) -> Iterator[str]:
    """Say what the answer rests on."""
    place = seen.site.title if seen.site is not None and seen.on_cluster else seen.here.site
    yield f"{place}, in a job" if seen.in_job else place
    if seen.on_cluster:
        yield f"modules ({', '.join(seen.scene.modules) or 'none is loaded'})"
    yield "PATH, PYTHONPATH, settings of pip, conda, uv, the active environment"
    yield "home (room, ~/.local, virtualenv's cache, the shell's start-up files)"
    if seen.project is None:
        yield "no project, since there is none here"
    elif seen.project.target is None:
        yield f"the project in {seen.project.root}"
    else:
        yield f"the project in {seen.project.root}, its lock, its environment for {seen.project.target.name}"


def _data(seen: Situation, findings: Sequence[Finding]) -> dict[str, object]:
    """Return the answer as plain data; its form is documented in ``docs/reference/doctor.md``."""
    project = seen.project
    return {
        "schema": "tumpline.doctor/1",
        "well": not any(finding.severity == "error" for finding in findings),
        "site": seen.here.site,
        "environment": seen.here.environment or None,
        "cpu-level": seen.here.cpu_level or None,
        "python": seen.here.python or None,
        "modules": list(seen.scene.modules),
        "in-job": seen.in_job,
        "project": project.root if project is not None else None,
        "target": project.target.name if project is not None and project.target is not None else None,
        "findings": [
            {
                "severity": finding.severity,
                "code": finding.problem.code,
                "message": finding.problem.message,
                "where": finding.problem.where,
                "why": finding.problem.why,
                "seen": list(finding.seen),
                "hint": finding.problem.hint,
                "command": finding.command or None,
            }
            for finding in findings
        ],
        "not-looked-at": list(seen.scene.silent),
    }
