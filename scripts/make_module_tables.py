"""Make the table of Python packages that modules bring, from the recipes of the Alliance's software stack.

    python scripts/make_module_tables.py ../shared/facts src/tumpline/sites/data/alliance-modules.toml

Reads ``python_modules.json`` and ``stdenv2026_modules.json`` (recipes of easybuild-easyconfigs-installed-avx2 and
-avx512, July and September 2026). A row whose package version a recipe states is a fact; where the package is what the
module is made of, its version is taken to be the module's and the module is listed under ``inferred``. What is known
of neither is left out rather than guessed.
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
    "opencv": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
    "rdkit": ("rdkit",),
    "vtk": ("vtk",),
    "mpi4py": ("mpi4py",),
    "faiss": ("faiss", "faiss-cpu", "faiss-gpu"),
    "itk": ("itk",),
}
"""Modules that are one package, under one or several names (facts 2.4 and 4.2)."""

Key = tuple[str, str, str]


def main(facts: Path, out: Path) -> None:
    """Write the table: sorted, the same bytes for the same facts."""
    rows: dict[Key, dict[str, str]] = {}
    pythons: dict[Key, set[str]] = {}
    inferred: set[str] = set()
    for module, recipes in json.loads((facts / "python_modules.json").read_text("utf-8"))["2023"].items():
        for recipe in recipes:
            version = recipe["version"]
            provides = _provided(module, version, recipe)
            if provides and recipe["python_versions"] and re.fullmatch(r"[0-9A-Za-z.-]+", version):
                key = ("2023", module, version)
                rows.setdefault(key, {}).update(provides)
                pythons.setdefault(key, set()).update(recipe["python_versions"])
    for module, details in json.loads((facts / "stdenv2026_modules.json").read_text("utf-8"))["modules"].items():
        if module == "python" or not details.get("python"):
            continue
        for version in details["versions"]:
            provides = details.get("provides", {})
            if isinstance(provides, list):
                provides = dict.fromkeys(provides, version)
            if provides:
                key = ("2026", module, version)
                rows[key] = {_name(name): _public(text) for name, text in provides.items() if _public(text)}
                pythons[key] = set(details["python"])
    inferred = {module for _, module, _ in rows if module in SAME_VERSION}
    out.write_text(_render(rows, pythons, inferred), encoding="utf-8")


def _provided(module: str, version: str, recipe: dict[str, Any]) -> dict[str, str]:
    found = {name: text for name in SAME_VERSION.get(module, ()) if (text := _public(version))}
    for entry in recipe["exts_list"] or ():
        name, _, stated = entry.partition("==")
        text = _public(version if stated == "version" else stated)
        if text:
            found[_name(name)] = text
    return found


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _public(text: str) -> str:
    """Return a version as PEP 440 spells it (the module rdkit/2025.09.4 has rdkit 2025.9.4), or nothing."""
    try:
        # A suffix such as that of opencv/4.10.0-2 counts builds of the module, not releases of the package.
        return str(Version(text.split("-")[0]))
    except InvalidVersion:
        return ""


def _render(rows: dict[Key, dict[str, str]], pythons: dict[Key, set[str]], inferred: set[str]) -> str:
    lines = [
        "# Python packages that modules bring, by software environment, module and version.",
        "# Made by scripts/make_module_tables.py from the recipes of the Alliance's software stack (easybuild-",
        "# easyconfigs-installed-avx2 @6ca05a88, -avx512 @9e33538c). For modules under `inferred` the package's",
        "# version is taken to be the module's.",
        f"inferred = {json.dumps(sorted(inferred))}",
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
