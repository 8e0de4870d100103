"""Several worker processes that work on one environment side by side: they install wheels, pack, unpack, verify."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import IO, TYPE_CHECKING, NamedTuple, Self, TypeVar

from tumpline.errors import EnvironmentFailure, TumplineError
from tumpline.host.launch import child_variables, own_python

if TYPE_CHECKING:
    from tumpline.environment.install import Installed, WheelJob
    from tumpline.environment.layout import Layout

__all__ = ["Crew", "Task", "usual_jobs"]

T = TypeVar("T")

_MOST = 4
"""Beyond this the disk is what is waited for, and on a login node others want to work too."""


def usual_jobs() -> int:
    """Return how many workers to use: as many as CPUs may be used (in a job fewer than the node has), at most 4."""
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST, len(os.sched_getaffinity(0)))
    return min(_MOST, os.cpu_count() or 1)


class Task(NamedTuple):
    """One thing to do: the line that asks for it (see `tumpline.environment.serving`), and where a failure happened."""

    question: bytes
    where: str


class Crew:
    """Worker processes; they start at once and are ready when there is something to do. Use as a context manager.

    `module` has a function `main` that answers the questions; it is imported by each process.

    Leaving the context ends them: either they have nothing more to do, or what they write is thrown away. When this
    process is killed instead, they end soon after by themselves.
    """

    def __init__(self, size: int, environ: Mapping[str, str], module: str = "tumpline.environment.worker") -> None:
        command = own_python(f"from {module} import main; main()")
        self._workers: list[_Worker] = []
        try:
            for _ in range(size):
                self._workers.append(_Worker(command, child_variables(environ)))
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def install(
        self,
        jobs: Sequence[WheelJob],
        layout: Layout,
        done: Callable[[WheelJob, Installed], None],
        earlier: str = "",
    ) -> tuple[Installed, ...]:
        """Install all wheels, the largest first, and return the results in the order of `jobs`.

        `earlier` is as for `install_wheel`. `done` is called as each one is finished, from several threads. Raises what
        `install_wheel` raises, as `ask` says.
        """
        # Imported here, since only this needs the installer.
        from tumpline.environment.worker import answer_of, question_of

        order = sorted(range(len(jobs)), key=lambda index: -jobs[index].size)
        tasks = [Task(question_of(jobs[index], layout, earlier), jobs[index].path.name) for index in order]
        found = self.ask(tasks, answer_of, lambda place, result: done(jobs[order[place]], result))
        results = dict(zip(order, found, strict=True))
        return tuple(results[index] for index in range(len(jobs)))

    def ask(
        self,
        tasks: Sequence[Task],
        read: Callable[[bytes], T | TumplineError],
        done: Callable[[int, T], None],
    ) -> list[T]:
        """Have all tasks done, begun in their order, and return what `read` makes of the answers, in that order too.

        `done` is called with the place of each task that is finished, from several threads. Raises the error that an
        answer is, with the problems of all tasks that failed before the others were stopped; EnvironmentFailure
        ``worker-died`` where a worker was killed.
        """
        waiting = deque(range(len(tasks)))
        results: dict[int, T] = {}
        failures: list[TumplineError] = []

        def work(worker: _Worker) -> None:
            while not failures:
                try:
                    place = waiting.popleft()
                except IndexError:
                    return
                try:
                    answer = read(worker.ask(tasks[place]))
                    if isinstance(answer, TumplineError):
                        raise answer
                    results[place] = answer
                    done(place, answer)
                except TumplineError as error:
                    failures.append(error)
                    return

        with ThreadPoolExecutor(len(self._workers)) as threads:
            running = [threads.submit(work, worker) for worker in self._workers]
            try:
                for future in running:
                    future.result()
            except BaseException:
                # An interrupt, as a rule: nothing more is begun, and what the threads wait for ends now.
                waiting.clear()
                for worker in self._workers:
                    worker.kill()
                raise
        if failures:
            first = failures[0]
            raise type(first)(*dict.fromkeys(problem for error in failures for problem in error.problems))
        return [results[place] for place in range(len(tasks))]

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()


class _Worker:
    """One process, its pipes, and a file for what it says when it fails."""

    def __init__(self, command: list[str], variables: Mapping[str, str]) -> None:
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            # A session of its own: an interrupt from the keyboard is for the process that decides, and that is not
            # this one.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=dict(variables),
                start_new_session=True,
            )
        except OSError as error:
            self._complaints.close()
            raise EnvironmentFailure.of(
                "worker-died",
                "a process to work on the environment can not be started",
                why=error.strerror or str(error),
                hint="check the limits on processes and memory, or try --jobs 1",
            ) from error

    def ask(self, task: Task) -> bytes:
        questions, answers = self._process.stdin, self._process.stdout
        line = b""
        if questions is not None and answers is not None:
            try:
                questions.write(task.question)
                questions.flush()
                line = answers.readline()
            except (BrokenPipeError, ValueError):
                # The process is gone, or `end` closed the pipes under a thread that still waited.
                line = b""
        if not line.endswith(b"\n"):
            raise self._died(task)
        return line

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            # What was still to be written is of no interest to a process that is gone.
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._complaints.close()

    def _died(self, task: Task) -> EnvironmentFailure:
        status = self._process.wait()
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, self._complaints.tell() - 2000))
        said = self._complaints.read().decode("utf-8", "replace").strip()
        return EnvironmentFailure.of(
            "worker-died",
            "a process that works on the environment ended too early",
            where=task.where,
            why="\n".join(
                filter(None, [f"it was ended by signal {-status}" if status < 0 else f"status {status}", said])
            ),
            hint="a limit on memory is the usual cause: ask for more, or try --jobs 1",
        )
