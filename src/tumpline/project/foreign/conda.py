"""conda's files: ``environment.yml``, and what ``conda list --export`` prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tumpline.errors import InputError, Problem
from tumpline.project.document import quoted
from tumpline.project.foreign.conda_names import index_name, why_only_conda
from tumpline.project.foreign.model import Foreign, Row
from tumpline.project.foreign.plain import package_row
from tumpline.project.foreign.yaml_lines import Mapping, Node, Scalar, parse_yaml
from tumpline.project.requirements_text import logical_lines
from tumpline.project.spelling import spell

__all__ = ["EXPORTED", "read_conda_list", "read_environment"]

EXPORTED = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)=([^=\s]+)=([^=\s]+)")
"""A line of ``conda list --export``: name, version, build."""

_SPEC = re.compile(r"(?:[^\s:]+::)?([A-Za-z0-9_][A-Za-z0-9._-]*)\s*(.*)")
_IN_BRACKETS = re.compile(r"""\[.*?\bversion\s*=\s*['"]?([^'"\]]+)['"]?.*\]""")
_RANGE = re.compile(r"(?:(?:[<>]=?|[!=~]=)\s*[^\s,|<>=!~]+\s*(?:,\s*|$))+")
_FUZZY = re.compile(r"=\s*([^\s=,|]+)(?:[=\s]\s*(\S+))?")
_EXACT = re.compile(r"(?:==\s*)?([^\s=,|<>!~]+)(?:[=\s]\s*(\S+))?")

_ONLY_CONDA = "conda has it, and pip has not"
_HINT = "see whether a module has it: module spider; or leave it out"
_NAMES_NOTE = Problem(
    "names-of-conda",
    "names are conda's, and are taken to be the index's too, but for the well known ones that differ",
    hint="look at the names that are kept, above all those that nothing else confirms",
)


def read_environment(path: Path, text: str) -> Foreign:
    """Read an ``environment.yml``. Raises InputError ``bad-yaml``, ``not-an-environment``."""
    document = parse_yaml(text, str(path))
    dependencies = document.values.get("dependencies") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(dependencies, list):
        raise InputError.of(
            "not-an-environment",
            f"{path.name} is no environment of conda",
            where=str(path),
            why="it has no list of dependencies",
            hint="give an environment.yml, as conda env export writes it",
        )
    rows = [
        Row(f"{path.name}:{line}", f"{key}:", "heading", why="of conda's own concern")
        for key, line in document.lines.items()
        if key != "dependencies"
    ]
    for node in dependencies:
        rows += _dependency(path, node)
    python = next((row.written for row in rows if row.kind == "python"), "")
    return Foreign(path, "conda", tuple(rows), _notes(path, rows), _python(python))


def read_conda_list(path: Path, text: str) -> Foreign:
    """Read what ``conda list --export`` prints: lines of NAME=VERSION=BUILD."""
    rows = [_of_conda(f"{path.name}:{line.number}", line.text) for line in logical_lines(text)]
    python = next((row.written for row in rows if row.kind == "python"), "")
    return Foreign(path, "conda-list", tuple(rows), _notes(path, rows), _python(python))


def _notes(path: Path, rows: list[Row]) -> tuple[Problem, ...]:
    return (_NAMES_NOTE._replace(where=str(path)),) if any(row.kind == "package" for row in rows) else ()


def _python(spec: str) -> str:
    """Return the Python minor version that a spec names (``python=3.9.*``), empty where it names none."""
    place = re.search(r"(\d+\.\d+)", spec)
    return place[1] if place is not None else ""


def _dependency(path: Path, node: Node) -> Iterator[Row]:
    if isinstance(node, Scalar):
        yield _of_conda(f"{path.name}:{node.line}", node.text)
        return
    if not isinstance(node, Mapping):
        yield _refused(f"{path.name}:{_line(node)}", "[…]", "it is a list in the list")
        return
    for key, value in node.values.items():
        origin = f"{path.name}:{node.lines[key]}"
        if key != "pip" or not isinstance(value, list):
            yield _refused(origin, f"{key}:", "only pip has a list of its own")
            continue
        yield Row(origin, "pip:", "heading", why="what pip installs follows")
        for item in value:
            if isinstance(item, Scalar):
                yield _of_pip(f"{path.name}:{item.line}", item.text)
            else:
                yield _refused(f"{path.name}:{_line(item) or node.lines[key]}", "…", "it is not a text")


def _line(node: Node) -> int:
    """Return the first line of a node, 0 where it is empty."""
    if isinstance(node, Scalar):
        return node.line
    if isinstance(node, Mapping):
        return min(node.lines.values(), default=0)
    return next((line for each in node if (line := _line(each))), 0)


def _of_pip(origin: str, text: str) -> Row:
    if text.startswith("-"):
        return Row(origin, text, "option", why="an option of pip", hint="import the file that it names, if any")
    try:
        return package_row(origin, text, spell(text))
    except InputError as error:
        return _refused(origin, text, error.problems[0].why, error.problems[0].hint)


def _of_conda(origin: str, text: str) -> Row:
    place = _SPEC.fullmatch(text)
    if place is None:
        return _refused(origin, text, "it is no package as conda names them")
    name, rest = place[1].lower(), place[2].strip()
    found = _specifier(rest)
    if found is None:
        return _refused(origin, text, "the versions are of conda's own spelling, which requirements have no word for")
    specifier, build = found
    if name == "python":
        return Row(origin, text, "python", why="the version of Python", hint="a target says which Python it has")
    if why := why_only_conda(name, build):
        return Row(origin, text, "conda", why=f"{_ONLY_CONDA}: {why}", hint=_HINT)
    try:
        spelled = spell(f"{index_name(name)}{specifier}")
    except InputError as error:
        return _refused(origin, text, error.problems[0].why, error.problems[0].hint)
    renamed = index_name(name) != name
    return package_row(origin, text, spelled, f"the index calls it {spelled.requirement.name}" if renamed else "")


def _specifier(text: str) -> tuple[str, str] | None:
    """Return the specifier set that conda's versions mean, and the build string; None where there is none.

    ``=1.12`` is any 1.12, ``==1.12`` and a bare ``1.12`` are that version (conda's documentation, "Package match
    specifications"). Three numbers are a release, of which nobody means later ones.
    """
    if (place := _IN_BRACKETS.fullmatch(text)) is not None:
        return _specifier(place[1].strip())
    if not text or text == "*":
        return "", ""
    if (place := EXPORTED.fullmatch(f"x{text}")) is not None:
        return f"=={place[2]}", place[3]
    if _RANGE.fullmatch(text):
        return text, ""
    if not text.startswith("==") and (place := _FUZZY.fullmatch(text)) is not None:
        version = place[1]
        whole = version.endswith("*") or version.count(".") >= 2
        return f"=={version if whole else f'{version}.*'}", place[2] or ""
    if (place := _EXACT.fullmatch(text)) is not None:
        return f"=={place[1]}", place[2] or ""
    return None


def _refused(origin: str, text: str, why: str, hint: str = "") -> Row:
    hint = hint or "write NAME, NAME=VERSION or NAME>=VERSION"
    problem = Problem("bad-requirement", f"{quoted(text)} can not be carried over", origin, why, hint)
    return Row(origin, text, "refused", why=why, hint=hint, problem=problem)
