"""The table of companions: every bond has a source, and says what it is meant to say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import tumpline.sites
from tumpline.sites.companions import bonds_of, is_cuda_library, optional_companions
from tumpline.values import Name, normalise, parse_requirement, parse_version

TABLE = tomllib.loads(Path(tumpline.sites.__file__).with_name("data").joinpath("companions.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("name", "version", "bonds"),
    [
        ("torchvision", "0.21.0", ("torch==2.6.*",)),
        ("torchvision", "0.26.1", ("torch==2.11.*",)),
        ("torchvision", "0.2.1", ()),
        ("torchaudio", "2.10.0", ("torch==2.10.*",)),
        ("torchaudio", "0.13.1", ()),
        ("jax-cuda12-plugin", "0.9.0.1", ("jaxlib==0.9.0.1",)),
        ("jax-cuda12-pjrt", "0.8.2", ("jax-cuda12-plugin==0.8.2",)),
        ("numpy", "2.0", ()),
    ],
)
def test_bonds(name: str, version: str, bonds: tuple[str, ...]) -> None:
    assert bonds_of(Name(name), parse_version(version)) == bonds


def test_every_row_has_a_source_and_reads_well() -> None:
    for row in (*TABLE["bonds"], *TABLE["optional"]):
        assert row["source"]
        assert normalise(row["name"]) == row["name"]
    for row in TABLE["bonds"]:
        assert ("releases" in row) != ("same" in row)
        assert row.get("same", "minor") in ("minor", "version")
        parse_requirement(row["other"])
    (jax,) = optional_companions()
    assert (jax.name, jax.without) == ("jax", "it runs on CPUs only")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("nvidia-cublas-cu12", True),
        ("nvidia-cuda-runtime", True),
        ("cuda-toolkit", True),
        ("nvidia-ml-py", False),
        ("nvidia-modulus", False),
        ("cuda-python", False),
        ("torch", False),
    ],
)
def test_what_is_a_part_of_cuda(name: str, is_one: bool) -> None:
    assert is_cuda_library(Name(name)) is is_one
