"""The project's requires-python holds for every target, or the target is named."""

from __future__ import annotations

import pytest

from tests.resolve.worlds import CLUSTER, target
from tumpline.errors import InputError
from tumpline.resolve.target import check_requires_python

TARGETS = {
    "cluster": target("narval", CLUSTER, python="3.11"),
    "laptop": target("laptop", python="3.11"),
    "exact": target("exact", python="3.11.4"),
}


@pytest.mark.parametrize(
    ("requires_python", "excluded"),
    [
        ("", []),
        (">=3.11", []),
        (">=3.10,<3.12", []),
        # The cluster has 3.11.5; which 3.11 the laptop has is not said.
        (">=3.11.5", ["exact"]),
        (">=3.11.6", ["cluster", "exact"]),
        ("==3.11.4", ["cluster"]),
        (">3.11.0,<3.11.4", ["cluster", "exact"]),
        (">=3.12", ["cluster", "laptop", "exact"]),
    ],
)
def test_who_is_excluded(requires_python: str, excluded: list[str]) -> None:
    if not excluded:
        check_requires_python(TARGETS.values(), requires_python)
        return
    with pytest.raises(InputError) as caught:
        check_requires_python(TARGETS.values(), requires_python)
    problems = caught.value.problems
    assert [problem.where for problem in problems] == [f"target {TARGETS[name].name}" for name in excluded]
    assert {problem.code for problem in problems} == {"python-excluded"}
    assert {problem.why for problem in problems} == {f"project.requires-python says {requires_python}"}


@pytest.mark.parametrize(
    ("name", "requires_python", "says"),
    [
        ("cluster", ">=3.12", "of the Pythons of narval these fit: 3.12.4"),
        ("cluster", ">=3.13", "relax requires-python: narval has no Python that it admits"),
        ("laptop", ">=3.12.3", "it admits, for example: 3.12"),
        ("laptop", "<3", "relax requires-python"),
    ],
)
def test_what_to_do(name: str, requires_python: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        check_requires_python([TARGETS[name]], requires_python)
    assert says in caught.value.problems[0].hint


@pytest.mark.parametrize("requires_python", ["3.11 or so", f">={'9' * 5000}"], ids=["words", "digits"])
def test_not_a_range(requires_python: str) -> None:
    with pytest.raises(InputError) as caught:
        check_requires_python(TARGETS.values(), requires_python)
    assert caught.value.code == "bad-requires-python"
