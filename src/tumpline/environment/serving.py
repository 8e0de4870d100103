"""What all worker processes have in common: one line of JSON in, one line of JSON out, until the input ends.

Plain pipes instead of `multiprocessing`: when the process that asks is killed, the pipe ends and the workers end too,
where the workers of a pool would wait for ever.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, cast

from tumpline.errors import EnvironmentFailure, Problem, TumplineError

__all__ = ["error_of", "serve", "work"]


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
