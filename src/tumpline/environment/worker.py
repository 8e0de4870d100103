"""The process that installs wheels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from tumpline.environment.install import Installed, WheelJob, current_umask, install_wheel
from tumpline.environment.layout import Layout
from tumpline.environment.serving import error_of, work
from tumpline.errors import TumplineError

__all__ = ["answer_of", "install", "main", "question_of"]


def question_of(job: WheelJob, layout: Layout, earlier: str = "") -> bytes:
    """Return the line that asks a worker to install a wheel; `earlier` is as for `install_wheel`."""
    question = {"job": {**asdict(job), "path": str(job.path)}, "layout": asdict(layout), "earlier": earlier}
    return json.dumps(question).encode() + b"\n"


def answer_of(line: bytes) -> Installed | TumplineError:
    """Read a worker's answer: what it wrote, or the error to raise. Raises ValueError for anything else."""
    answer = cast("dict[str, object]", json.loads(line))
    if (error := error_of(answer)) is not None:
        return error
    return Installed(
        cast(int, answer["files"]), cast(int, answer["size"]), tuple(cast("list[str]", answer["overlaps"]))
    )


def install(question: dict[str, Any]) -> Mapping[str, object]:
    """Answer a `question_of`."""
    job = WheelJob(**{**question["job"], "path": Path(question["job"]["path"])})
    return asdict(install_wheel(job, Layout(**question["layout"]), current_umask(), question["earlier"]))


def main() -> None:
    """Install wheels."""
    work(install)
