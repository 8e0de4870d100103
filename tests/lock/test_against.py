"""What is installed against a target of the lock."""

from __future__ import annotations

import pytest

from tests.lock.samples import SAMPLE
from tumpline.errors import InputError
from tumpline.lock.against import Comparison, Installed, compare
from tumpline.values import Name


def compared(target: str, installed: dict[str, str], *, python: str = "", own: str = "") -> Comparison:
    found = [Installed(Name(name), version) for name, version in installed.items()]
    return compare(SAMPLE, target, found, python=python, own=Name(own) if own else None)


def states(comparison: Comparison) -> dict[str, str]:
    return {row.name: row.state for row in comparison.rows}


SAME = {"numpy": "2.2.2+computecanada", "requests": "2.32.3", "torch": "2.6.0+computecanada"}


def test_the_same() -> None:
    comparison = compared("narval", SAME, python="3.11.9")
    assert states(comparison) == {"numpy": "same", "pyarrow": "module", "requests": "same", "torch": "same"}
    assert not comparison.different
    assert comparison.counts == {"same": 3, "module": 1}


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ("2.2.2", "local"),
        ("2.2.2+other", "local"),
        ("2.2.2.0+computecanada", "same"),
        ("2.2.3", "patch"),
        ("2.2.2.post1", "patch"),
        ("2.4.0+computecanada", "minor"),
        ("1.26.4", "major"),
        ("1!2.2.2", "major"),
        ("", "unknown"),
        ("no version", "unknown"),
    ],
)
def test_versions(version: str, state: str) -> None:
    comparison = compared("narval", {**SAME, "numpy": version})
    assert states(comparison)["numpy"] == state
    assert comparison.different is (state in ("patch", "minor", "major"))


def test_missing_and_more() -> None:
    comparison = compared("narval", {"numpy": "2.2.2", "requests": "2.32.3", "more": "1.0"})
    assert states(comparison)["torch"] == "missing"
    assert states(comparison)["more"] == "extra"
    assert comparison.different
    assert {row.name: (row.locked, row.found) for row in comparison.rows}[Name("more")] == ("", "1.0")


def test_what_environments_have_beside_is_not_more() -> None:
    comparison = compared("narval", {**SAME, "pip": "1", "setuptools": "1", "wheel": "1", "mine": "1"}, own="mine")
    assert not comparison.different
    assert "pip" not in states(comparison)


def test_what_modules_bring_is_not_compared() -> None:
    found = [Installed(Name("numpy"), "", module=True), Installed(Name("ipython"), "", module=True)]
    rows = {row.name: row.state for row in compare(SAMPLE, "laptop", found).rows}
    assert (rows[Name("numpy")], rows[Name("ipython")]) == ("module", "module")
    installed = compared("narval", {**SAME, "pyarrow": "16.0.0"})
    assert states(installed)["pyarrow"] == "major"


def test_another_python() -> None:
    comparison = compared("narval", SAME, python="3.12.1")
    assert comparison.other_python
    assert comparison.different
    assert not compared("narval", SAME, python="3.11").other_python
    assert not compared("narval", SAME).other_python


def test_of_two_of_one_name_the_first_counts() -> None:
    found = [Installed(Name("numpy"), "2.2.2"), Installed(Name("numpy"), "1.0")]
    assert {row.name: row.found for row in compare(SAMPLE, "narval", found).rows}[Name("numpy")] == "2.2.2"


def test_unknown_target() -> None:
    with pytest.raises(InputError) as caught:
        compared("nibi", {})
    assert caught.value.code == "unknown-target"
