"""Bad worlds end: with an answer, or with the reason why there is none."""

from __future__ import annotations

import pytest
from packaging.version import Version

from tests.resolve.worlds import MemoryIndex, pins, solve, target
from tumpline.errors import NoResolution
from tumpline.resolve.reporter import Reporter
from tumpline.values import Name


@pytest.mark.parametrize("fits", [True, False])
def test_thousands_of_versions_with_a_late_conflict(fits: bool) -> None:
    # Each version of `a` needs its own one of `b`, all of which but the oldest, or all, need what is not there.
    index = MemoryIndex()
    for number in range(3000):
        index.add(f"a-{number}-py3-none-any.whl", [f"b=={number}"])
        index.add(f"b-{number}-py3-none-any.whl", ["c<2"] if number or not fits else [])
    index.add("c-2-py3-none-any.whl")
    if fits:
        resolution = solve(["a"], [target()], index=index)
        assert pins(resolution, "laptop") == {"a": "0", "b": "0"}
        assert resolution.statistics.decisions < 10_000
    else:
        with pytest.raises(NoResolution) as caught:
            solve(["a"], [target()], index=index)
        assert caught.value.code == "requirements-conflict"


def test_what_is_passed_over_for_its_metadata_is_told() -> None:
    index = MemoryIndex()
    index.add("a-1.0-py3-none-any.whl")
    index.add("a-2.0-py3-none-any.whl", ["b >>> 1"])
    told: list[tuple[Name, Version, str]] = []

    class Listener(Reporter):
        def unusable(self, name: Name, version: Version, reason: str) -> None:
            told.append((name, version, reason))

    assert pins(solve(["a"], [target()], index=index, reporter=Listener()), "laptop") == {"a": "1.0"}
    ((name, version, reason),) = told
    assert (name, version) == ("a", Version("2.0"))
    assert reason.startswith("'b >>> 1' is not a requirement")
