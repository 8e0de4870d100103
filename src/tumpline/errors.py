"""The shape of every failure: a stable code, a message, where, why, and what to do next (R22).

Errors carry data; `tumpline.cli` turns them into text or JSON in one place. A code is a stable
kebab-case word, documented in ``docs/reference/errors.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import ClassVar, Self

__all__ = ["EnvironmentFailure", "InputError", "NoResolution", "NotSo", "Problem", "TumplineError"]


class Problem(NamedTuple):
    """One thing that is wrong.

    `message` is one sentence without a full stop. `where` names the file and line, the target or the
    wheel. `why` is the cause as far as it is known; `hint` is what to do next.
    """

    code: str
    message: str
    where: str = ""
    why: str = ""
    hint: str = ""


class TumplineError(Exception):
    """Base of all failures; holds one or more problems, and the exit status they lead to."""

    exit_status: ClassVar[int] = 2

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    @classmethod
    def of(cls, code: str, message: str, *, where: str = "", why: str = "", hint: str = "") -> Self:
        """Make an error of this class with a single problem."""
        return cls(Problem(code, message, where, why, hint))

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code

    def __str__(self) -> str:
        return "; ".join(
            f"{problem.where}: {problem.message}" if problem.where else problem.message for problem in self.problems
        )


class NotSo(TumplineError):
    """The answer is no: the lock is out of date, the environment differs, nothing was found."""

    exit_status = 1


class InputError(TumplineError):
    """What the user gave can not be used: a file, a key, a flag, a wheel."""

    exit_status = 2


class NoResolution(TumplineError):
    """No choice of versions satisfies the requirements on all targets."""

    exit_status = 3


class EnvironmentFailure(TumplineError):
    """The machine or the network failed: a disk, an index, an interpreter."""

    exit_status = 4
