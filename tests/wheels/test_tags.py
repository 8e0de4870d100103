"""Which tag sets an interpreter takes."""

from __future__ import annotations

import pytest
from packaging.tags import Tag

from tumpline.wheels import TagRanking

RANKING = TagRanking(
    [Tag("cp311", "cp311", "linux_x86_64"), Tag("cp39", "abi3", "linux_x86_64"), Tag("py3", "none", "any")]
)


@pytest.mark.parametrize(
    ("tags", "rank"),
    [
        ("cp311-cp311-linux_x86_64", 0),
        ("CP311-cp311-Linux_x86_64", 0),
        ("cp38.cp39-abi3-linux_x86_64", 1),
        ("py2.py3-none-any", 2),
        ("cp39.py3-abi3.none-any.linux_x86_64", 1),
        ("cp312-cp312-linux_x86_64", None),
        ("cp311-cp311-manylinux_2_17_x86_64", None),
    ],
)
def test_rank(tags: str, rank: int | None) -> None:
    assert RANKING.rank(tags) == rank
    assert RANKING.rank(tags) == rank, "the remembered answer is the same"
