"""Sites with catalogues of their own: the same file name in both is not the same wheel."""

from __future__ import annotations

from itertools import permutations

from tests.resolve.worlds import CLUSTER, MemoryCatalogue, declared, pins, target
from tumpline.resolve.resolution import resolve

WHEEL = "a-1.0+computecanada-py3-none-any.whl"


def test_each_wheel_has_its_own_metadata() -> None:
    catalogues = {}
    for name, need in (("narval", "b>=1"), ("lab", "b<2")):
        catalogue = catalogues[name] = MemoryCatalogue()
        catalogue.add(WHEEL, [need])
        for version in ("1.0", "2.0"):
            catalogue.add(f"b-{version}+computecanada-py3-none-any.whl")
    for order in permutations(catalogues):
        targets = [target(name, CLUSTER) for name in order]
        resolution = resolve(declared("a"), targets, [catalogues[name] for name in order], None)
        assert [pins(resolution, name)["b"] for name in order] == ["1.0+computecanada"] * 2
