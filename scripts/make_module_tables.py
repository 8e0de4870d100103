"""Make the table of Python packages that modules bring, from the recipes of the Alliance's software stack.

    python scripts/make_module_tables.py ../shared/facts src/tumpline/sites/data/alliance-modules.toml

Reads ``python_modules.json`` and ``stdenv2026_modules.json`` (recipes of easybuild-easyconfigs-installed-avx2 and
-avx512, July and September 2026). A row is written only where a recipe tells the Pythons and the package's version, as
an extension or as the module's own version; what is not told is left out rather than guessed. What was read in other
places is in ``alliance-modules-by-hand.toml`` beside the output.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

SAME_VERSION = {
    "arrow": ("pyarrow",),
    "esmf": ("esmpy",),
    "faiss": ("faiss", "faiss-cpu", "faiss-gpu"),
    "gdal": ("gdal",),
    "itk": ("itk",),
    "mpi4py": ("mpi4py",),
    "opencv": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "rdkit": ("rdkit",),
    "vtk": ("vtk",),
}
"""Modules that are one package under one or several names, at the module's version: their recipes write its dist-info,
name it among the module's extensions, or build it as a Python package. The extension of gdal is called osgeo, after
the package's import name."""

NOT_SEEN_BY_PIP = {("itk", "5.3.0")}
"""Recipes that write no dist-info and name no extension."""

BUILD_TOOLS = {"cython", "numpy", "oldest-supported-numpy", "python-build-bundle", "tensile"}
"""Hidden modules, which only the stack's own builds load."""

OTHER_COMPILERS = ("i", "intel", "llvm", "nv", "rocm")
"""How the names of toolchains begin that are not made of gcc, which StdEnv loads (foss, gompi, gofb … are)."""

MPI_MODULES = {"hdf5", "netcdf"}
"""Modules whose variants for MPI have a name of their own, such as hdf5-mpi."""

Key = tuple[str, str, str]


def main(facts: Path, out: Path) -> None:
    """Write the table: sorted, the same bytes for the same facts."""
    rows: dict[Key, dict[str, str]] = {}
    pythons: dict[Key, set[str]] = {}
    everything = json.loads((facts / "python_modules.json").read_text("utf-8"))["2023"]
    # Recipes for other compilers fill gaps only: some of them bring other versions of the same packages.
    for gcc in (True, False):
        known = set(rows)
        for name, recipes in everything.items():
            for recipe in recipes:
                module = f"{name}-mpi" if name in MPI_MODULES and recipe["file"].endswith("-mpi.eb") else name
                key = ("2023", module, recipe["version"])
                provides = _provided(name, recipe)
                if _uses_gcc(recipe) is gcc and key not in known and provides and recipe["python_versions"]:
                    _agree(rows.setdefault(key, {}), provides, recipe["file"])
                    pythons.setdefault(key, set()).update(recipe["python_versions"])
    for module, details in json.loads((facts / "stdenv2026_modules.json").read_text("utf-8"))["modules"].items():
        provides = details.get("provides")
        for version in details["versions"] if provides and "python" in details else ():
            # A list of names means that they have the module's version.
            stated = provides if isinstance(provides, dict) else dict.fromkeys(provides, version)
            key = ("2026", module, version)
            rows[key] = {_name(name): _public(text) for name, text in stated.items()}
            pythons[key] = set(details["python"])
    out.write_text(_render(rows, pythons), encoding="utf-8")


def _uses_gcc(recipe: dict[str, Any]) -> bool:
    toolchain = re.search(r"""["']name["']: ["'](\w+)""", recipe["toolchain"])
    return toolchain is None or not toolchain[1].lower().startswith(OTHER_COMPILERS)


def _provided(module: str, recipe: dict[str, Any]) -> dict[str, str]:
    version = recipe["version"]
    if module in BUILD_TOOLS or "%" in module or (module, version) in NOT_SEEN_BY_PIP:
        return {}
    if module in SAME_VERSION:
        return dict.fromkeys(SAME_VERSION[module], _public(version))
    found: dict[str, str] = {}
    # Without the prefix, a virtual environment does not see the module's packages.
    for entry in recipe["exts_list"] or () if recipe["ebpythonprefixes"] else ():
        name, _, stated = entry.partition("==")
        if text := _public(version if stated == "version" else stated):
            found[_name(name)] = text
    return found


def _agree(known: dict[str, str], new: dict[str, str], recipe: str) -> None:
    for name, version in new.items():
        if known.setdefault(name, version) != version:
            raise SystemExit(f"{recipe} has {name} {version}, another recipe of the module has {known[name]}")


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _public(text: str) -> str:
    """Return a version as PEP 440 spells it (the module rdkit/2025.09.4 has rdkit 2025.9.4), or nothing."""
    try:
        # A suffix such as that of opencv/4.10.0-2 counts builds of the module, not releases of the package.
        return str(Version(text.partition("-")[0]))
    except InvalidVersion:
        return ""


def _render(rows: dict[Key, dict[str, str]], pythons: dict[Key, set[str]]) -> str:
    lines = [
        "# Python packages that modules bring, by software environment, module and version.",
        "# Made by scripts/make_module_tables.py from the recipes of the Alliance's software stack (easybuild-",
        "# easyconfigs-installed-avx2 @6ca05a88, -avx512 @9e33538c; for 2026 those of September 2026). A module that",
        "# was rebuilt for more Pythons without a new recipe would not show.",
    ]
    for environment, module, version in sorted(rows, key=lambda key: (key[0], key[1], _order(key[2]))):
        key = (environment, module, version)
        provides = ", ".join(f"{json.dumps(name)} = {json.dumps(rows[key][name])}" for name in sorted(rows[key]))
        lines += [
            "",
            "[[modules]]",
            f"environment = {json.dumps(environment)}",
            f"module = {json.dumps(module)}",
            f"version = {json.dumps(version)}",
            f"pythons = {json.dumps(sorted(pythons[key], key=_order))}",
            f"provides = {{ {provides} }}",
        ]
    return "\n".join(lines) + "\n"


def _order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"[.-]", version))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
