"""Files of real projects: what an import keeps of each, and that every line of them is accounted for.

What their packages need is recorded, so that the answers depend on nothing but the files and the judgement.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tumpline.project.foreign.read import read_foreign
from tumpline.resolve.import_modules import ModuleKnowledge
from tumpline.resolve.import_needs import ImportNeeds
from tumpline.resolve.import_plan import plan_import
from tumpline.resolve.imports import judge
from tumpline.sites.load import load_site, module_packages
from tumpline.values import Name

pytestmark = pytest.mark.shared

HERE = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((HERE / "import_expected.toml").read_text(encoding="utf-8"))
RECORDED: dict[str, dict[str, Any]] = json.loads((HERE / "data" / "import_needs.json").read_text(encoding="utf-8"))


class Recorded(ImportNeeds):
    """What catalogues and the index said of the packages of one file."""

    def __init__(self, case: str) -> None:
        self._case = RECORDED[case]

    def edges(
        self, pins: Mapping[Name, str], extras: Mapping[Name, Iterable[str]]
    ) -> tuple[dict[Name, frozenset[Name]], frozenset[Name]]:
        needs = self._case["needs"]
        return {name: frozenset(needs.get(name, ())) for name in pins}, frozenset(self._case["unknown"])


def path_of(shared: Path, case: str) -> Path:
    kind, suffix = ("conda", "yml") if case.startswith("c") else ("requirements", "txt")
    return shared / "cases" / kind / f"{case}.{suffix}"


def test_every_file_has_an_expectation(shared: Path) -> None:
    files = {file.stem for kind in ("requirements", "conda") for file in (shared / "cases" / kind).iterdir()}
    assert files == EXPECTED.keys() == RECORDED.keys()


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_imports(shared: Path, case: str) -> None:
    expected = EXPECTED[case]
    found = read_foreign(path_of(shared, case))
    knowledge = ModuleKnowledge((), (), module_packages(load_site("alliance")))
    judgement = judge(found, knowledge, Recorded(case))
    assert [verdict.row for verdict in judgement.verdicts] == list(found.rows)
    assert judgement.made_by == expected["made-by"]
    assert dict(Counter(verdict.kind for verdict in judgement.verdicts)) == expected["counts"]
    plan = plan_import([judgement], knowledge, (), style="tilde", keep_all=False)
    assert [str(one.requirement) for one in plan.additions] == expected["kept"]
    left = {verdict.row.name or verdict.row.written for verdict in judgement.verdicts if verdict.kind == "padding"}
    assert sorted(left) == expected.get("padding", [])
    assert "computecanada" not in str(plan)
    for verdict in judgement.verdicts:
        if verdict.kind in ("refused", "conda", "folder", "option", "padding", "transitive"):
            assert verdict.why


def test_what_is_refused_says_where_why_and_what_to_do(shared: Path) -> None:
    for case in EXPECTED:
        for problem in read_foreign(path_of(shared, case)).problems:
            assert problem.where
            assert problem.why
            assert problem.hint
