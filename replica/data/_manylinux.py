"""Refuse manylinux wheels: PEP 600 and its forerunners let an interpreter say so in a module of this name.

The installer looks for it on the path of the interpreter, so this folder has to be on PYTHONPATH.
"""

manylinux1_compatible = False
manylinux2010_compatible = False
manylinux2014_compatible = False


def manylinux_compatible(tag_major: int, tag_minor: int, tag_arch: str) -> bool:
    """Answer PEP 600's question: no manylinux wheel is compatible, whatever its version."""
    return False
