"""The matrix: which packages diverge, how far, and how it is drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lock.samples import FIR, LAPTOP, NARVAL, SAMPLE, indexed, package, pin, wheelhouse
from tumpline.cli.parity_command import parity_data, render_parity
from tumpline.errors import InputError
from tumpline.lock import Lock, LockedPackage, LockedTarget, WheelhouseArtefact
from tumpline.lock.parity import Severity, parity, severity
from tumpline.values import parse_version

GOLDEN = Path(__file__).parent / "golden"


def lock_of(*packages: LockedPackage, targets: tuple[LockedTarget, ...] = (NARVAL, FIR, LAPTOP)) -> Lock:
    return Lock("ab", "", targets, (), packages)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1.2.3", "1.2.3", None),
        ("1.2", "1.2.0", None),
        ("2025.09.4", "2025.9.4", None),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3.1", "patch"),
        ("1.2.3", "1.2.3.post1", "patch"),
        ("1.2.3rc1", "1.2.3", "patch"),
        ("1.2.3", "1.3.3", "minor"),
        ("1", "1.1", "minor"),
        ("1.2.3", "2.2.3", "major"),
        ("1.2.3", "1!1.2.3", "major"),
    ],
)
def test_severity(one: str, other: str, expected: Severity | None) -> None:
    assert severity(parse_version(one), parse_version(other)) == expected
    assert severity(parse_version(other), parse_version(one)) == expected


def test_local_parts_do_not_diverge() -> None:
    versions = {"narval": "2.9.1+torch29.computecanada", "fir": "2.9.1+computecanada", "laptop": "2.9.1"}
    pins = [pin(target, version, WheelhouseArtefact("", "", "")) for target, version in versions.items()]
    report = parity(lock_of(package("torchvision", "2.9.1", *pins)))
    assert report.summary.diverging == 0
    assert [cell.public if cell else None for cell in report.rows[0].cells] == ["2.9.1", "2.9.1", "2.9.1"]


def test_cells_and_summary_of_the_sample() -> None:
    report = parity(SAMPLE)
    rows = {str(row.name): row for row in report.rows}
    assert [row.severity for row in report.rows] == [None, None, None, None, "minor"]
    assert rows["colorama"].cells[:2] == (None, None)
    torch = rows["torch"].cells[2]
    assert torch is not None
    assert (torch.version, torch.source, torch.severity) == ("2.7.1", "pypi", "minor")
    assert torch.reason == "torch 2.6.0 has no wheel for laptop"
    pyarrow = rows["pyarrow"].cells[0]
    assert pyarrow is not None
    assert (pyarrow.source, pyarrow.module, pyarrow.severity) == ("module", "arrow/17.0.0", None)
    counts = report.summary
    assert (counts.packages, counts.same, counts.diverging) == (5, 4, 1)
    assert (counts.patch, counts.minor, counts.major) == (0, 1, 0)
    assert (counts.partial, counts.modules, counts.approximate) == (1, 1, 2)


def test_a_selection_is_compared_within_itself() -> None:
    # Both chosen targets have 2.7.1, so nothing diverges between them although the package's version is 2.6.0.
    pins = [pin("narval", "2.6.0", wheelhouse("a", "torch-2.6.0-py3-none-any.whl", "a1"))]
    pins += [pin(target, "2.7.1", indexed("torch-2.7.1-py3-none-any.whl", "a2")) for target in ("fir", "laptop")]
    lock = lock_of(package("torch", "2.6.0", *pins))
    assert parity(lock).rows[0].severity == "minor"
    chosen = parity(lock, ["laptop", "fir"])
    assert [target.name for target in chosen.targets] == ["fir", "laptop"]
    assert (chosen.rows[0].version, chosen.rows[0].severity) == ("2.7.1", None)


def test_the_worst_severity_is_the_rows() -> None:
    pins = [
        pin(target, version, WheelhouseArtefact("", "", ""))
        for target, version in (("narval", "1.0"), ("fir", "1.0.1"), ("laptop", "2.0"))
    ]
    row = parity(lock_of(package("x", "1.0", *pins))).rows[0]
    assert [cell.severity if cell else "" for cell in row.cells] == [None, "patch", "major"]
    assert row.severity == "major"


def test_packages_that_no_chosen_target_needs_are_left_out() -> None:
    assert "colorama" not in [row.name for row in parity(SAMPLE, ["narval"]).rows]


def test_unknown_target() -> None:
    with pytest.raises(InputError) as caught:
        parity(SAMPLE, ["nibi"])
    assert caught.value.code == "unknown-target"
    assert caught.value.problems[0].hint == "choose one of: narval, fir, laptop"
    with pytest.raises(InputError) as caught:
        parity(lock_of(targets=()), ["nibi"])
    assert "pyproject.toml" in caught.value.problems[0].hint


def test_the_golden_table() -> None:
    assert render_parity(parity(SAMPLE), 80) + "\n" == (GOLDEN / "parity.txt").read_text(encoding="utf-8")


def test_the_golden_data() -> None:
    expected = json.loads((GOLDEN / "parity.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(parity_data(parity(SAMPLE)))) == expected


def test_three_targets_with_long_words_fit_80_columns() -> None:
    name = "a-project-whose-name-goes-on-and-on"
    pins = [
        pin(target, version, WheelhouseArtefact("", "", ""), approximate="listed", divergence="no wheel " * 20)
        for target, version in (("narval", "2025.11.4"), ("fir", "1.0.0.dev2"), ("laptop", "2025.11.4"))
    ]
    text = render_parity(parity(lock_of(package(name, "2025.11.4", *pins))), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("narval") == 1
    lines = text.splitlines()
    assert lines[1] == name
    assert lines[2].split() == ["2025.11.4", "~", "1.0.0.dev2", "~!", "2025.11.4", "~", "major"]


def test_targets_that_do_not_fit_follow_in_further_tables() -> None:
    targets = tuple(replace(NARVAL, name=f"cluster-{number}") for number in range(12))
    pins = [pin(target.name, "1.0", WheelhouseArtefact("", "", "")) for target in targets]
    text = render_parity(parity(lock_of(package("numpy", "1.0", *pins), targets=targets)), 80)
    assert max(map(len, text.splitlines())) <= 80
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("package")]
    assert len(tables) == 2
    assert [name for table in tables for name in table[0].split()[1:]] == [target.name for target in targets]
    assert [table[1].split()[0] for table in tables] == ["numpy"] * 2


def test_one_target_wider_than_the_room_is_still_shown() -> None:
    text = render_parity(parity(SAMPLE, ["narval"]), 10)
    assert "torch     2.6.0 ~" in text.splitlines()


def test_only_differences() -> None:
    text = render_parity(parity(SAMPLE), 80, only_differences=True)
    assert text.splitlines()[1].startswith("torch ")
    assert "numpy" not in text
    assert "5 packages: 4 the same on every target that needs them, 1 differs (1 minor)" in text
    data = parity_data(parity(SAMPLE), only_differences=True)
    assert [row["name"] for row in data["packages"]] == ["torch"]  # type: ignore[attr-defined]  # plain data


def test_no_differences_and_no_packages() -> None:
    assert render_parity(parity(lock_of(targets=(LAPTOP,))), 80) == (
        "0 packages: 0 the same on every target that needs them, none differs"
    )
    same = lock_of(package("x", "1", pin("laptop", "1", indexed("x-1-py3-none-any.whl", "a1"))), targets=(LAPTOP,))
    assert render_parity(parity(same), 80, only_differences=True) == (
        "1 package: 1 the same on every target that needs them, none differs"
    )


def test_the_legend_explains_only_what_is_there() -> None:
    text = render_parity(parity(SAMPLE, ["laptop"]), 80)
    assert not any(line.startswith(("p  ", "m  ", "~  ", "!  ", "-  ")) for line in text.splitlines())
    # A list without a day is still told to be one (R24).
    undated = replace(SAMPLE, targets=(replace(FIR, catalogue_date=""),))
    assert "fir was locked from a list: what" in render_parity(parity(undated), 80)
