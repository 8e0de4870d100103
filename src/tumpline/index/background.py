"""Answers fetched ahead of the question: a few threads, made only once something has to come from the network."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from tumpline.errors import EnvironmentFailure, TumplineError

__all__ = ["Ahead", "Task", "Workers"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_PATIENCE = 1.0
"""How many seconds closing waits for what is under way."""


class Task(Generic[V]):
    """Something done in the background, and its answer."""

    def __init__(self, action: Callable[[], V]) -> None:
        self._action = action
        self._done = threading.Event()
        self._answer: tuple[V] | None = None
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do it; what is raised is kept for `result`."""
        try:
            self._answer = (self._action(),)
        except BaseException as error:  # noqa: BLE001 - raised again, in the thread that asks for the result
            self._error = error
        self._done.set()

    def cancel(self) -> None:
        """Let `result` say that it was never done."""
        self._error = EnvironmentFailure.of("interrupted", "the index client was closed before the answer came")
        self._done.set()

    def result(self) -> V:
        """Wait for the answer; raises what the action raised."""
        self._done.wait()
        if self._answer is None:
            raise self._error or RuntimeError("a task ended without an answer")
        return self._answer[0]


class _Runnable(Protocol):
    def run(self) -> None: ...

    def cancel(self) -> None: ...


class Workers:
    """At most `limit` threads, none of which exists before there is something to do.

    The threads do not keep the process alive: an interrupted command must not wait for a slow index. Everything they
    write appears by renaming, so that being cut off leaves nothing half done.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._threads: list[threading.Thread] = []
        self._tasks: deque[_Runnable] = deque()
        self._change = threading.Condition()
        self._idle = 0
        self._closed = False

    def submit(self, action: Callable[[], V]) -> Task[V] | None:
        """Have something done; None once closed."""
        task = Task(action)
        with self._change:
            if self._closed:
                return None
            self._tasks.append(task)
            if self._idle < len(self._tasks) and len(self._threads) < self._limit:
                thread = threading.Thread(target=self._work, name="tumpline-index", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify()
        return task

    def close(self) -> None:
        """Cancel what has not begun, and wait a moment for what has."""
        with self._change:
            self._closed = True
            while self._tasks:
                self._tasks.popleft().cancel()
            self._change.notify_all()
        deadline = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._change:
                self._idle += 1
                while not self._tasks and not self._closed:
                    self._change.wait()
                self._idle -= 1
                if not self._tasks:
                    return
                task = self._tasks.popleft()
            task.run()


class Ahead(Generic[K, V]):
    """Remembers answers, and lets them be prepared before they are asked for.

    `ready` returns an answer in a tuple if it can be had at once, or None; `fetch` gets it from afar. Both may raise
    TumplineError, which is kept for whoever asks and then forgotten, so that asking again tries again.
    """

    def __init__(self, workers: Workers, ready: Callable[[K], tuple[V] | None], fetch: Callable[[K], V]) -> None:
        self._workers = workers
        self._ready = ready
        self._fetch = fetch
        self._known: dict[K, V] = {}
        self._coming: dict[K, Task[V]] = {}

    def get(self, key: K) -> V:
        """Return the answer, waiting for one that is on its way; raises TumplineError."""
        if key in self._known:
            return self._known[key]
        if (coming := self._coming.pop(key, None)) is not None:
            answer = coming.result()
        elif (found := self._ready(key)) is not None:
            answer = found[0]
        else:
            answer = self._fetch(key)
        self._known[key] = answer
        return answer

    def start(self, key: K) -> None:
        """Have the answer prepared; never raises."""
        if key in self._known or key in self._coming:
            return
        try:
            found = self._ready(key)
        except TumplineError:
            # The same is raised to whoever asks for this answer, if anybody does.
            return
        if found is not None:
            self._known[key] = found[0]
        elif (coming := self._workers.submit(lambda: self._fetch(key))) is not None:
            self._coming[key] = coming
