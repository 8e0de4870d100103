"""A job as a value: all that decides what its script says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tumpline.project.job import JobRequest, Way

__all__ = ["Flavour", "JobDescription"]

Flavour = Literal["tumpline", "plain"]
"""What the script needs on the nodes: tumpline, or only modules, virtualenv and pip."""


@dataclass(frozen=True, slots=True)
class JobDescription:
    """A job. All paths are those of the cluster, and absolute unless they count from where the job is submitted.

    `modules` are loaded in that order. `tumpline` is the command line of tumpline there. `project` is the project's
    folder, ``.`` for the one in which the job is submitted. `wheels` are the files to install, in the plain flavour.
    `image` is the file to unpack; `ready` the environment that was made before. `stage` is a folder, or empty. `key` is
    `Plan.key`. `shared_folder` is that of `JobRules`. `record` is what is known of the run beforehand, by key, each
    value as JSON in one line.
    """

    request: JobRequest
    target: str
    title: str
    key: str
    way: Way
    flavour: Flavour
    command: tuple[str, ...]
    modules: tuple[str, ...] = ()
    tumpline: tuple[str, ...] = ("tumpline",)
    project: str = "."
    stage: str = ""
    image: str = ""
    ready: str = ""
    wheels: tuple[str, ...] = ()
    shared_folder: str = ""
    record: tuple[tuple[str, str], ...] = ()
