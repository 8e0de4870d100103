"""Places on this machine: a simple index in folders, a folder of files, a page of links in a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tumpline.errors import EnvironmentFailure
from tumpline.index.model import IndexFile, ProjectPage, page_of
from tumpline.index.pages import parse_html, safe_file_name
from tumpline.index.places import Known, project_of_file
from tumpline.index.settings import IndexLocation, path_of
from tumpline.values import Name

__all__ = ["FolderIndex", "LinksFolder", "read_bounded"]

LARGEST_PAGE = 100 << 20
"""The largest page that is read, in bytes: fifty times that of the largest projects."""


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a file of at most `limit` bytes; raises EnvironmentFailure ``answer-too-large``."""
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise EnvironmentFailure.of(
            "answer-too-large",
            f"the file is larger than {limit >> 20} MB",
            where=str(path),
            hint="check that the address is that of a package index",
        )
    return content


class FolderIndex:
    """A simple index in a folder: ``NAME/index.html``. A missing folder means that the project is not known."""

    def __init__(self, location: IndexLocation) -> None:
        self._name = location.name
        self._folder = path_of(location.address())

    def ready(self, name: Name) -> Known | None:
        """Return the project's page."""
        return Known(self.fetch(name))

    def fetch(self, name: Name) -> ProjectPage | None:
        """Read the project's page."""
        path = self._folder / name / "index.html"
        try:
            content = read_bounded(path, LARGEST_PAGE)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(path, error) from error
        return page_of(name, parse_html(content, path.absolute().as_uri(), self._name))


class LinksFolder:
    """A folder of wheels and sdists, a page of links in a file, or a single wheel; read once, when first asked.

    As in pip, a place that does not exist offers nothing, and folders inside the folder are not entered.
    """

    def __init__(self, location: IndexLocation) -> None:
        self._name = location.name
        self._path = path_of(location.url)
        self._projects: dict[Name, list[IndexFile | str]] | None = None

    def ready(self, name: Name) -> Known | None:
        """Return the files of the project."""
        return Known(self.fetch(name))

    def fetch(self, name: Name) -> ProjectPage | None:
        """Return the files of the project."""
        if self._projects is None:
            self._projects = self._read()
        entries = self._projects.get(name)
        if not entries:
            return None
        files = (self._file(entry) if isinstance(entry, str) else entry for entry in entries)
        return page_of(name, [file for file in files if file is not None])

    def _file(self, entry: str) -> IndexFile | None:
        path = self._path if self._path.name == entry and not self._path.is_dir() else self._path / entry
        try:
            size = path.stat().st_size
        except OSError:
            # Deleted since the folder was listed, or a link to nothing.
            return None
        return IndexFile(entry, path.absolute().as_uri(), self._name, size)

    def _read(self) -> dict[Name, list[IndexFile | str]]:
        projects: dict[Name, list[IndexFile | str]] = {}
        try:
            for entry in self._entries():
                project = project_of_file(entry if isinstance(entry, str) else entry.file)
                if project is not None:
                    projects.setdefault(project, []).append(entry)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise _unreadable(self._path, error) from error
        return projects

    def _entries(self) -> Iterator[IndexFile | str]:
        if self._path.is_dir():
            yield from filter(safe_file_name, sorted(path.name for path in self._path.iterdir()))
        elif project_of_file(self._path.name) is not None:
            yield self._path.name
        else:
            content = read_bounded(self._path, LARGEST_PAGE)
            yield from parse_html(content, self._path.absolute().as_uri(), self._name)


def _unreadable(path: Path, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure.of(
        "index-unreachable",
        "an index on this machine cannot be read",
        where=str(path),
        why=error.strerror or str(error),
        hint="make it readable, or take it out of pip's configuration",
    )
