"""A small tree of modules like the Alliance's, for the tests that run against a real Lmod.

The tests run once for every Lmod at hand: the one of ``make services``, and those whose program ``lmod`` the variable
``TUMPLINE_TEST_LMOD`` names (several are separated by ``:``), to try another version of it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster.modulefiles import ModuleFiles

__all__ = ["LMODS", "ModuleTree", "needs_lmod"]

_USUAL = "/usr/share/lmod/lmod/libexec/lmod"

LMODS = [
    path for path in [_USUAL, *os.environ.get("TUMPLINE_TEST_LMOD", "").split(":")] if path and Path(path).is_file()
]
"""The Lmods at hand."""

needs_lmod = pytest.mark.parametrize(
    "lmod_command",
    LMODS or [pytest.param("", marks=pytest.mark.skip("there is no Lmod here: make services installs one"))],
)
"""Runs a test once for each Lmod."""


class ModuleTree(ModuleFiles):
    """Module files, and the folders of software that they speak of.

    ``StdEnv/2023`` and ``StdEnv/2026`` each load a ``gentoo`` module, from which all else of them is reached, as on the
    Alliance's clusters; ``StdEnv/2023`` also loads a compiler.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.gcc = root / "modules" / "2023" / "gcc12"
        self.cuda = root / "modules" / "2023" / "cuda12"
        self.core = core = self.core_of("2023")
        self.standard("2023", compiler="gcc/12.3")
        self.standard("2026")
        self.write(core / "gcc/12.3", 'family("compiler")', f'prepend_path("MODULEPATH","{self.gcc}")')
        self.write(core / "cuda/12.2", f'prepend_path("MODULEPATH","{self.cuda}")')
        self.python("2023", "3.11.5", 'extensions("pip/23.2.1")')
        self.python("2023", "3.12.4")
        self.python("2026", "3.14.2")
        (core / "python/.modulerc.lua").write_text(
            'module_version("python/3.11.5","default")\nmodule_version("python/3.11.5","3.11")\n'
        )
        self.module("arrow/17.0.0", 'extensions("pyarrow/17.0.0")', python=["3.11", "3.12"], brings=["pyarrow 17.0.0"])
        self.module("scipy-stack/2024a", python=["3.11", "3.12"], brings=["numpy 1.26.4", "SciPy 1.13.1"])
        self.module(
            "opencv/4.10.0",
            'depends_on("scipy-stack/2024a")',
            folder=self.gcc,
            python=["3.11"],
            brings=["opencv-python 4.10.0", "opencv_python_headless 4.10.0"],
        )
        self.module("faiss/1.8.0", folder=self.cuda, python=["3.11"], brings=["faiss 1.8.0"])

    def variables(self, lmod_command: str) -> dict[str, str]:
        """Return the variables of a shell in which Lmod is set up and nothing is loaded."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.root / "home"),
            "LMOD_CMD": lmod_command,
            "LMOD_VERSION": "9.8.7",
            "MODULEPATH": str(self.custom),
        }
