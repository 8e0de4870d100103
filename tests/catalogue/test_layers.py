"""Which folders are scanned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.sites import lake
from tumpline.catalogue.layers import choose_layers
from tumpline.errors import InputError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for layer in ("2023/v4", "2023/v3", "generic"):
        (tmp_path / layer).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "cpu_level", "found", "missing"),
    [
        ("", "", ["2023/v4", "2023/v3", "generic"], ("2026/v4",)),
        ("2023", "", ["2023/v4", "2023/v3", "generic"], ()),
        ("2023", "x86-64-v3", ["2023/v3", "generic"], ()),
        ("2026", "", ["generic"], ("2026/v4",)),
    ],
)
def test_layers_of_the_profile(
    root: Path, environment: str, cpu_level: str, found: list[str], missing: tuple[str, ...]
) -> None:
    layers = choose_layers(lake(root), environment=environment, cpu_level=cpu_level)
    assert layers.found == tuple((name, root / name) for name in found)
    assert layers.missing == missing


def test_another_mount(root: Path, tmp_path: Path) -> None:
    layers = choose_layers(lake(tmp_path / "nowhere"), [root])
    assert [name for name, _ in layers.found] == ["2023/v4", "2023/v3", "generic"]


def test_single_layers(root: Path, tmp_path: Path) -> None:
    own = tmp_path / "my-wheels"
    own.mkdir()
    layers = choose_layers(lake(None), [root / "2023/v3", own])
    assert layers.found == (("2023/v3", root / "2023/v3"), ("my-wheels", own))


def test_a_layer_that_can_not_be_looked_at_is_left_to_the_listing(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 300)
    assert choose_layers(lake(too_long)).found[0] == ("2023/v4", too_long / "2023/v4")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"environment": "2031"}, "unknown-environment"),
        ({"cpu_level": "sse3"}, "unknown-cpu-level"),
    ],
)
def test_unknown(root: Path, arguments: dict[str, str], code: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_layers(lake(root), **arguments)  # type: ignore[arg-type]  # keywords of text
    assert caught.value.code == code
    assert "choose one of" in caught.value.problems[0].hint


def test_no_wheelhouse() -> None:
    with pytest.raises(InputError) as caught:
        choose_layers(lake(None))
    assert caught.value.code == "no-wheelhouse"


def test_no_layer_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        choose_layers(lake(tmp_path / "unmounted"))
    assert caught.value.code == "layer-missing"
    assert "2023/v4" in caught.value.problems[0].why
