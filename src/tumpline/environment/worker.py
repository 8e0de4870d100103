"""A worker process: one line of JSON in, one line of JSON out, until its input ends. This one installs wheels.

Plain pipes instead of `multiprocessing`: when the process that asks is killed, the pipe ends and the workers end too,
where the workers of a pool would wait for ever.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from tumpline.environment.install import Installed, WheelJob, current_umask, install_wheel
from tumpline.environment.layout import Layout
from tumpline.errors import EnvironmentFailure, Problem, TumplineError

__all__ = ["answer_of", "error_of", "install", "main", "question_of", "serve", "work"]


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


def error_of(answer: Mapping[str, object]) -> TumplineError | None:
    """Return the error that an answer is, None where it is a result."""
    if "problems" not in answer:
        return None
    problems = [Problem(**problem) for problem in cast("list[dict[str, str]]", answer["problems"])]
    kinds = {kind.__name__: kind for kind in TumplineError.__subclasses__()}
    return kinds.get(str(answer["kind"]), EnvironmentFailure)(*problems)


def serve(questions: BinaryIO, answers: BinaryIO, answer: Callable[[Any], Mapping[str, object]]) -> None:
    """Answer questions until there are no more; errors that `answer` raises are answers too."""
    for line in questions:
        found: Mapping[str, object]
        try:
            found = answer(json.loads(line))
        except TumplineError as error:
            found = {"kind": type(error).__name__, "problems": [problem._asdict() for problem in error.problems]}
        answers.write(json.dumps(found).encode() + b"\n")
        answers.flush()


def work(answer: Callable[[Any], Mapping[str, object]]) -> None:
    """Serve on standard input and output; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers, answer)


def install(question: dict[str, Any]) -> Mapping[str, object]:
    """Answer a `question_of`."""
    job = WheelJob(**{**question["job"], "path": Path(question["job"]["path"])})
    return asdict(install_wheel(job, Layout(**question["layout"]), current_umask(), question["earlier"]))


def main() -> None:
    """Install wheels."""
    work(install)
