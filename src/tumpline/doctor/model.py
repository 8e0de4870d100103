"""What is judged, and what comes of it, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from tumpline.environment.check import Surroundings
    from tumpline.environment.record import EnvironmentRecord
    from tumpline.errors import Problem
    from tumpline.host.scene import Scene
    from tumpline.lock import LockedTarget
    from tumpline.sites import Site

__all__ = ["SEVERITIES", "Finding", "ProjectSeen", "Severity", "Situation"]

Severity = Literal["error", "warning", "note"]
"""`error`: something does not work, or works with the wrong things. `warning`: so it may be, later or elsewhere.
`note`: nothing is wrong, and there is something to know or to do.
"""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class Finding(NamedTuple):
    """One thing that was found: `problem` says what, where and the cure in words, and `seen` is the evidence.

    `command` is what to type, where typing is a cure; empty otherwise.
    """

    severity: Severity
    problem: Problem
    seen: tuple[str, ...] = ()
    command: str = ""


class ProjectSeen(NamedTuple):
    """What was seen of the project that the person stands in.

    `target` is the one that is meant here, None where that can not be told. `place` is where its environment is to be,
    `folder` its current generation (empty where there is none) and `record` what that says of itself.
    """

    root: str
    target: LockedTarget | None = None
    place: str = ""
    folder: str = ""
    record: EnvironmentRecord | None = None


class Situation(NamedTuple):
    """Everything that a judgement rests on. `site` is None where it has no profile, `project` where there is none.

    `problems` are those of the site's profile, the project's files, its lock, its catalogue and its environment, found
    by the means of the other commands. `scratch` is where old files are removed, with links followed; empty where there
    is no such folder.
    """

    scene: Scene
    here: Surroundings
    in_job: bool = False
    site: Site | None = None
    project: ProjectSeen | None = None
    problems: tuple[Problem, ...] = ()
    scratch: str = ""

    @property
    def on_cluster(self) -> bool:
        """Whether the software of this machine comes from modules."""
        return self.site is not None and bool(self.site.environments)

    @property
    def is_activated(self) -> bool:
        """Whether the project's own environment is the active one."""
        active, project = self.scene.active, self.project
        return active is not None and project is not None and active.path in (project.folder, project.place)

    @property
    def python(self) -> str:
        """The Python to load (``3.11.5``): the target's, else the site's default; empty where that is not known."""
        if self.project is not None and self.project.target is not None and self.project.target.environment:
            return self.project.target.python
        environment = self.site.environment(self.environment) if self.site is not None else None
        return environment.default_python if environment is not None else ""

    @property
    def environment(self) -> str:
        """The software environment to load: what is loaded, else the target's, else the site's default."""
        target = self.project.target if self.project is not None else None
        wanted = target.environment if target is not None else ""
        return self.here.environment or wanted or (self.site.default_environment if self.site is not None else "")
