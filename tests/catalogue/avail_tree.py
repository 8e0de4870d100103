"""A small wheelhouse on which the answers of avail_wheels were recorded: odd spellings, layers, Pythons, versions."""

from __future__ import annotations

import random
from pathlib import Path

from tests.wheelmaker import make_wheel

__all__ = ["LAYERS", "PYTHONS", "make_tree"]

LAYERS = ("gentoo2023/x86-64-v4", "gentoo2023/x86-64-v3", "gentoo2023/generic", "generic")
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_WORDS = ("num", "bio", "torch", "geo", "netCDF", "Yaml", "sci", "io")


def make_tree(root: Path) -> Path:
    """Write some 200 wheels; the same whenever it is asked."""
    dice = random.Random(7)
    for number in range(24):
        first, second = dice.sample(_WORDS, 2)
        name = f"{first}_{second}{number}" if number % 3 else f"{first}{number}"
        compiled = dice.random() < 0.5
        for version in dice.sample(("0.9", "1.0", "1.2.3", "1.10", "2.0.1", "2.1", "3.0rc1", "2.0.1.post1"), 3):
            local = dice.choice(("computecanada", "computecanada", "torch29.computecanada"))
            build = dice.choice(("", "", "", "1", "2"))
            if not compiled:
                tags = dice.choice(("py3-none-any", "py2.py3-none-any", "py311-none-any"))
                make_wheel(root / "generic", name, f"{version}+{local}", tags=tags, build=build)
                continue
            for layer in dice.sample(LAYERS[:3], dice.choice((1, 1, 2))):
                for minor in dice.sample(("310", "311", "312", "313"), dice.choice((1, 2, 3))):
                    abi = dice.choice((f"cp{minor}", f"cp{minor}", "abi3"))
                    tags = f"cp{minor}-{abi}-linux_x86_64"
                    make_wheel(root / layer, name, f"{version}+{local}", tags=tags, build=build)
    for version in ("9999+dummy.computecanada", "17.0.0+dummy.computecanada"):
        make_wheel(root / "generic", "pyarrow", version, requires=[f"pyarrow-noinstall=={version}"])
    return root
