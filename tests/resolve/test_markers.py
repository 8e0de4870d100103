"""Lines of metadata that can not be read are refused as input, whatever is wrong with them."""

from __future__ import annotations

import pytest

from tests.resolve.worlds import target
from tumpline.errors import InputError
from tumpline.resolve.markers import MarkerEnvironment

BAD_MARKERS = {
    "syntax": "os_name =",
    "unknown-name": "nonesuch == 'x'",
    "undefined-comparison": "os_name ~= 'posix'",
    "deep": "(" * 3000 + "os_name == 'posix'" + ")" * 3000,
    "number-too-long": f"python_full_version > '{'9' * 5000}'",
    "line-too-long": " or ".join(["os_name == 'posix'"] * 1500),
    "control-characters": "os_name == \x1b[2J",
}
BAD_LINES = {
    "empty": "",
    "syntax": "a b",
    "operator": "a >> 1",
    "number-too-long": f"a>={'9' * 5000}",
    "line-too-long": "a>=" + ".".join(["1"] * 20_000),
    "address": "a @ https://example.org/a.whl ; os_name ~= 'posix'",
}


@pytest.fixture
def environment() -> MarkerEnvironment:
    return MarkerEnvironment(target().markers)


@pytest.mark.parametrize("extra", ["", "more"])
@pytest.mark.parametrize("marker", BAD_MARKERS.values(), ids=BAD_MARKERS)
def test_bad_markers(environment: MarkerEnvironment, marker: str, extra: str) -> None:
    with pytest.raises(InputError, match=r"the marker .* has no answer") as caught:
        environment.holds(marker, extra)
    assert caught.value.code == "bad-requirement"
    assert caught.value.problems[0].why
    assert len(caught.value.problems[0].message) < 300


@pytest.mark.parametrize("line", [*(f"a; {marker}" for marker in BAD_MARKERS.values()), *BAD_LINES.values()])
def test_bad_lines(environment: MarkerEnvironment, line: str) -> None:
    with pytest.raises(InputError, match="is not a requirement") as caught:
        environment.active(line, "")
    assert caught.value.code == "bad-requirement"
    assert len(str(caught.value)) < 300


def test_long_lines_that_are_right(environment: MarkerEnvironment) -> None:
    assert environment.holds(" or ".join(["os_name == 'posix'"] * 500))
    assert not environment.holds(f"os_name == '{'x' * 15_000}'")
    assert str(environment.active("a>=1; os_name == 'posix'", "")) == "a>=1"
