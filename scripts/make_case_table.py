"""Try real projects on three targets, and write what came of it: as they are, after the first change offered, or not.

    python scripts/make_case_table.py CASES_DIR OUT

CASES_DIR holds ``requirements/*.txt`` and ``pyproject/*.toml`` as people wrote them. Each is resolved for narval and
fir, by the catalogue that tumpline brings, and for a Linux machine, by the package index that pip is configured with.
Nothing is installed, built or written but OUT, a page of the documentation.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumpline.errors import InputError
from tumpline.project.requirements import read_requirements

__all__ = ["main"]

_TARGETS = """

[tool.tumpline.targets.narval]
site = "narval"
python = "3.11"

[tool.tumpline.targets.fir]
site = "fir"
python = "3.12"

[tool.tumpline.targets.laptop]
site = "linux"
python = "3.11"
"""

_HEAD = """\
# Real projects

Dependency files of public research projects that run on Alliance clusters, tried as they are for three targets: narval
with Python 3.11, fir with Python 3.12, and a Linux machine with Python 3.11. Written by `scripts/make_case_table.py` on
{day}, with the list of wheels that tumpline brings and the package index of that day; nothing is tuned to these files.

| outcome | files |
|---|---|
{counts}
Where nothing helps, `tumpline explain` says of each package what every source had, and writes the request for a wheel.

| file | requirements | outcome | what was offered, or why not |
|---|---|---|---|
"""

_WORDS = {
    "as it is": "locks as it is",
    "changed": "locks after the first change offered (which may be several edits)",
    "to build": "the same, as far as can be told before something is built from source",
    "remains": "no change that helps was found",
    "refused": "refused, with the place and the remedy",
    "out of reach": "not known: it asks for addresses that the machine could not reach on which this was made",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file: `kind` is a key of the words above."""

    name: str
    requirements: int | None
    kind: str
    words: str


def main(words: Sequence[str] | None = None) -> int:
    """Try all files and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", type=Path, metavar="CASES_DIR")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--day", required=True, help="today, as YYYY-MM-DD")
    options = parser.parse_args(words)
    outcomes: list[Outcome] = []
    for outcome in _outcomes(options.cases):
        print(f"{outcome.name}: {outcome.kind}: {outcome.words}", flush=True)
        outcomes.append(outcome)
    numbers = Counter(outcome.kind for outcome in outcomes)
    counts = "".join(f"| {text} | {numbers[kind]} |\n" for kind, text in _WORDS.items())
    rows = "".join(
        f"| `{each.name}` | {'-' if each.requirements is None else each.requirements} | {each.kind} | {each.words} |\n"
        for each in outcomes
    )
    options.out.write_text(_HEAD.format(day=options.day, counts=counts) + rows, "utf-8")
    return 0


def _outcomes(cases: Path) -> Iterator[Outcome]:
    for path in sorted(cases.glob("requirements/*.txt")):
        found = read_requirements(path)
        lines = [str(each.requirement) for each in found.requirements]
        if not lines:
            problem = found.problems[0] if found.problems else None
            words = f"{problem.message}: {problem.hint}" if problem else "it asks for nothing"
            yield Outcome(path.stem, 0, "refused", _cell(words))
            continue
        count = len(found.problems)
        refused = f" ({count} line{'s were' if count > 1 else ' was'} refused)" if count else ""
        text = f'[project]\nname = "case"\nversion = "1"\ndependencies = {json.dumps(lines)}\n'
        yield _try(path.stem, text, len(lines), refused)
    for path in sorted(cases.glob("pyproject/*.toml")):
        yield _try(path.stem, path.read_text("utf-8"), None, "")


def _try(name: str, text: str, requirements: int | None, remark: str) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "pyproject.toml").write_text(text + _TARGETS, "utf-8")
        if requirements is None:
            requirements = _count(project)
        command = [sys.executable, "-m", "tumpline", "explain", "--json", "--project", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    answer: dict[str, Any] = json.loads(done.stdout)
    if "problems" in answer:
        problem = answer["problems"][0]
        kind = "out of reach" if problem["code"] == "git-failed" else "refused"
        return Outcome(name, requirements, kind, _cell(f"{problem['message']}: {problem['hint']}"))
    if answer["resolves"]:
        return Outcome(name, requirements, "as it is", _cell(_diverging(answer["diverging"]) + remark))
    if options := answer["advice"]["options"]:
        changes = "; ".join(change["message"] for change in options[0]["changes"])
        kind = "to build" if options[0]["unbuilt"] else "changed"
        return Outcome(name, requirements, kind, _cell(changes + remark))
    if hindered := answer["advice"]["hindered"]:
        return Outcome(name, requirements, "out of reach", _cell(f"{answer['message']}; {hindered}"))
    helps = "; ".join(change["message"] for change in answer["advice"]["partial"])
    words = f"{helps}. Left then: {answer['advice']['left']}" if helps else answer["message"]
    return Outcome(name, requirements, "remains", _cell(words + remark))


def _count(project: Path) -> int | None:
    from tumpline.project.read import read_project

    try:
        return len(read_project(project).requirements)
    except InputError:
        return None


def _diverging(names: Sequence[str]) -> str:
    return f"differs between targets: {', '.join(names)}" if names else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    raise SystemExit(main())
