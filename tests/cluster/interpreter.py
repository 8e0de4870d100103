"""The Python of a cluster's module, watched: who starts it, which is the first thing an environment's making does."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator

from cluster.model import Cluster

__all__ = ["Interpreter"]


class Interpreter:
    """The program ``python3.11`` of the module; while it is held, who makes an environment waits for it."""

    def __init__(self, cluster: Cluster) -> None:
        (self._path,) = cluster.root.glob(
            "easybuild/software/2023/x86-64-v3/Compiler/gcccore/python/3.11.*/bin/python3.11"
        )
        self._folder = cluster.root / "interpreter"
        self._folder.mkdir(exist_ok=True)
        self._diary = self._folder / "diary"
        self._hold = self._folder / "hold"

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Put a program into its place that notes each start that asks what Python this is, and then is that Python."""
        real = str(self._path.readlink())
        diary, hold = shlex.quote(str(self._diary)), shlex.quote(str(self._hold))
        # The number of a task is also that of the whole array, for one of them.
        number = "${SLURM_ARRAY_JOB_ID:-${SLURM_JOB_ID:-login}}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
        lines = (
            "#!/bin/bash",
            f'if [ "$1 $2" = "-I -c" ]; then echo "{number}" >>{diary}',
            f"while [ -e {hold} ]; do sleep 0.1; done; fi",
            f'exec {shlex.quote(real)} "$@"',
        )
        self._diary.write_text("")
        self._put("\n".join(lines) + "\n")
        try:
            yield
        finally:
            self.release()
            link = self._path.with_name("link")
            link.symlink_to(real)
            link.replace(self._path)

    def _put(self, text: str) -> None:
        program = self._path.with_name("watched")
        program.write_text(text)
        program.chmod(0o755)
        program.replace(self._path)

    def hold(self) -> None:
        """Let everybody wait who makes an environment from now on."""
        self._hold.touch()

    def release(self) -> None:
        """Let them go on."""
        self._hold.unlink(missing_ok=True)

    def starts(self) -> list[str]:
        """The jobs that began to make an environment, in their order: their numbers, those of tasks as ``7_1``."""
        return self._diary.read_text().split()
