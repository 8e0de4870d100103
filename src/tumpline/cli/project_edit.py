"""An edit of the project file: it and the lock are written together, or neither is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tumpline.errors import EnvironmentFailure
from tumpline.host.files import write_atomically
from tumpline.project.document import Document
from tumpline.project.read import read_project

if TYPE_CHECKING:
    from tumpline.project import Project
    from tumpline.resolve.model import Resolution
    from tumpline.resolve.target import Target

__all__ = ["ProjectEdit"]


@dataclass(slots=True)
class ProjectEdit:
    """An edit of a project's pyproject.toml; `added` are the modules that targets get, by name.

    Where the file depends on what is resolved, `decide` makes it of that: of the resolution, and the targets with the
    modules that they lacked.
    """

    path: Path
    before: bytes
    after: bytes
    added: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decide: Callable[[Resolution, Sequence[Target]], bytes] | None = None

    @classmethod
    def start(cls, root: Path) -> ProjectEdit:
        """Note what the file holds; whoever changes it from now on is not overwritten.

        Raises what `Document.load` raises, and EnvironmentFailure ``cannot-write`` where a person protected the file.
        """
        Document.load(root / "pyproject.toml")
        # Where the name is a link, the file behind it is edited.
        path = (root / "pyproject.toml").resolve()
        if not os.access(path, os.W_OK):
            raise EnvironmentFailure.of(
                "cannot-write",
                f"cannot write {path.name}",
                where=str(path),
                why="the file may only be read",
                hint="nothing was written: make it writable first",
            )
        content = path.read_bytes()
        return cls(path, content, content)

    def settle(self, resolution: Resolution, targets: Sequence[Target], loaded: Sequence[Target]) -> None:
        """Take over what the resolution decides: the modules of `loaded`, which are the targets with what they lacked.

        Raises InputError ``cannot-edit``.
        """
        from tumpline.project.editing import set_modules

        if self.decide is not None:
            self.after = self.decide(resolution, loaded)
        for target, changed in zip(targets, loaded, strict=True):
            if changed.modules != target.modules:
                self.added[target.name] = tuple(one for one in changed.modules if one not in target.modules)
        if self.added:
            whole = {target.name: target.modules for target in loaded if target.name in self.added}
            self.after = set_modules(self.after, whole, str(self.path))

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.after != self.before

    def inputs(self, project: Project) -> str:
        """Return what `Project.inputs` is once the file is edited."""
        return read_project(project.root, self.after).inputs if self.changed else project.inputs

    @contextmanager
    def written(self) -> Iterator[None]:
        """Write the file; it is as it was again where what is done under this fails.

        Raises EnvironmentFailure ``project-changed``, ``cannot-write``.
        """
        if not self.changed:
            yield
            return
        if self.path.read_bytes() != self.before:
            raise EnvironmentFailure.of(
                "project-changed",
                f"{self.path.name} was changed meanwhile",
                where=str(self.path),
                why="the resolution is that of the file as it was before",
                hint="nothing was written: run the same command again",
            )
        write_atomically(self.path, self.after)
        try:
            yield
        except BaseException:
            write_atomically(self.path, self.before)
            raise
