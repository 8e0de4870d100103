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


class TestConfigured:
    """Folders that pip's configuration names."""

    def test_layers_of_the_profile(self, root: Path) -> None:
        layers = choose_layers(lake(root), configured=[root / "generic", root / "2023/v3"])
        assert [name for name, _ in layers.found] == ["2023/v4", "2023/v3", "generic"], "in the profile's order"
        assert layers.evidence == {
            "2023/v4": ("profile",),
            "2023/v3": ("profile", "pip-config"),
            "generic": ("profile", "pip-config"),
        }

    def test_a_copy_elsewhere(self, root: Path, tmp_path: Path) -> None:
        layers = choose_layers(lake(tmp_path / "unmounted"), configured=[root / "2023/v3", root / "generic"])
        assert layers.found == (("2023/v3", root / "2023/v3"), ("generic", root / "generic"))
        assert layers.missing == ("2023/v4", "2026/v4")

    def test_folders_that_no_profile_names(self, root: Path, tmp_path: Path) -> None:
        """One that only ends like a layer of the profile is not taken for it, where that one is there."""
        folders = [tmp_path / "lab" / name for name in ("generic", "wheels", "old/wheels")]
        for folder in folders:
            folder.mkdir(parents=True)
        layers = choose_layers(lake(root), configured=[*folders, root / "generic"])
        assert layers.found[3:] == tuple(zip(("lab/generic", "wheels", "old/wheels"), folders, strict=True))
        assert dict(layers.found)["generic"] == root / "generic"
        assert layers.evidence["lab/generic"] == ("pip-config",)

    def test_links_to_one_folder(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(root / "generic")
        layers = choose_layers(lake(root), configured=[tmp_path / "link", root / "generic"])
        assert [name for name, _ in layers.found] == ["2023/v4", "2023/v3", "generic"]

    def test_what_is_not_there(self, root: Path, tmp_path: Path) -> None:
        layers = choose_layers(lake(root), configured=[tmp_path / "gone", root / "generic"])
        assert layers.gone == (tmp_path / "gone",)
        assert "gone" not in dict(layers.found)

    def test_what_was_not_asked_for(self, root: Path, tmp_path: Path) -> None:
        own = tmp_path / "own"
        own.mkdir()
        layers = choose_layers(lake(root), configured=[root / "2023/v4", own], cpu_level="x86-64-v3")
        assert [name for name, _ in layers.found] == ["2023/v3", "generic", "own"]

    def test_of_a_site_without_wheelhouse(self, root: Path) -> None:
        layers = choose_layers(lake(None), configured=[root / "generic"])
        assert layers.found == (("generic", root / "generic"),)
        with pytest.raises(InputError) as caught:
            choose_layers(lake(None), configured=[root / "nothing"])
        assert caught.value.code == "layer-missing"
        assert str(root / "nothing") in caught.value.problems[0].why
