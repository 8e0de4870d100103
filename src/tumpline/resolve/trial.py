"""Tries whether questions resolve, within bounds; pure but for the resolver and the clock that it is given."""

from __future__ import annotations

from collections.abc import Callable

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.resolve.explanation import Explanation, Unresolved
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Question

__all__ = ["Trials"]

_MOST_TRIES = 60
_SECONDS = 20.0


class _TimeIsOver(Exception):  # ends a try, and is no error
    """The time of all tries together is over."""


class Trials:
    """Tries questions, so many and so long; what was tried is remembered.

    `resolve` answers a question or raises Unresolved; now and then it calls the function that it is given, which raises
    where the time is over. `clock` counts seconds. `complete` says that no bound cut the trials short, `hindered` which
    failure of the network or the machine did so first.
    """

    def __init__(
        self,
        resolve: Callable[[Question, Callable[[], None]], Resolution],
        clock: Callable[[], float],
        *,
        most: int = _MOST_TRIES,
        seconds: float = _SECONDS,
    ) -> None:
        self._resolve = resolve
        self._clock = clock
        self._most = most
        self._start = clock()
        self._end = self._start + seconds
        self.tries = 0
        self.complete = True
        self.hindered = ""

    def outcome(self, question: Question) -> Resolution | Explanation | None:
        """Return the resolution, or why there is none; None where that can not be told or a bound is hit."""
        if self.tries >= self._most or self._clock() > self._end:
            self.complete = False
            return None
        self.tries += 1
        try:
            return self._resolve(question, self._look_at_clock)
        except Unresolved as failure:
            return failure.explanation
        except _TimeIsOver:
            self.complete = False
            return None
        except InputError:
            return None  # what was changed can not be asked about, such as metadata that must be built first
        except EnvironmentFailure as error:
            problem = error.problems[0]
            self.hindered = self.hindered or ": ".join(filter(None, (problem.where, problem.message)))
            return None

    @property
    def left(self) -> int:
        """How many more questions may be tried."""
        return self._most - self.tries if self._clock() <= self._end else 0

    @property
    def seconds(self) -> float:
        """How long all of them have taken so far."""
        return self._clock() - self._start

    def _look_at_clock(self) -> None:
        if self._clock() > self._end:
            raise _TimeIsOver
