"""All checks, in the order in which their findings are told."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator

from tumpline.doctor.model import SEVERITIES, Finding, Severity, Situation
from tumpline.doctor.modules import module_findings
from tumpline.doctor.shell import shell_findings
from tumpline.doctor.storage import storage_findings
from tumpline.doctor.tools import tool_findings
from tumpline.environment.activation import modules_to_load

__all__ = ["examine"]

_SEVERITIES: dict[str, Severity] = {
    "catalogue-old": "note",
    "environment-stale": "warning",
    "catalogue-not-scanned": "note",
    "lock-outdated": "warning",
    "no-environment": "note",
    "no-lock": "note",
    "which-target": "note",
}
"""What is not an error of what is wrong with a project."""

_ACTIVATED_LATER = ("module-not-loaded",)
"""What activating the environment does; before that, nothing is wrong."""


def examine(seen: Situation) -> tuple[Finding, ...]:
    """Return everything that is wrong, the weightiest first; causes come before what follows from them."""
    kinds = (module_findings, shell_findings, tool_findings, _of_others, storage_findings)
    found = itertools.chain.from_iterable(kind(seen) for kind in kinds)
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def _of_others(seen: Situation) -> Iterator[Finding]:
    """Yield what the other commands would say of the site, the project, its lock and its environment (R15)."""
    waiting = [] if seen.is_activated else [problem for problem in seen.problems if problem.code in _ACTIVATED_LATER]
    for problem in seen.problems:
        if problem not in waiting:
            yield Finding(_SEVERITIES.get(problem.code, "error"), problem, command=_command(problem.hint))
    if waiting and seen.project is not None and seen.project.record is not None:
        modules = modules_to_load(seen.project.record, seen.here)
        yield Finding(
            "note",
            waiting[0]._replace(
                message=f"not loaded yet, and needed by the environment: {', '.join(modules)}",
                hint="activating loads them",
            ),
            (f"loaded: {', '.join(seen.scene.modules) or 'nothing'}",),
            'eval "$(tumpline activate)"',
        )


def _command(hint: str) -> str:
    """Return the command that a hint ends with (``make it: tumpline sync``); empty where it ends with none."""
    command = hint.split("; or ")[0].rpartition(": ")[2]
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    return command if words[:1] == ["tumpline"] or words[:2] == ["module", "load"] else ""
