"""Make the table of requirements that the Alliance's wheels have changed, from the recipes of its wheel builder.

    python scripts/make_rewrites.py ../shared/facts src/tumpline/sites/data/alliance-rewrites.toml

Reads ``requirement_rewrites.json`` (ComputeCanada/wheels_builder ``config/*.sh`` @2e6f082, 2026-08-20). Only its exact
rows are used: a changed requirement, a renamed one, an added one, a removed one. Rows of shell text are left out, and
so are recipes for one version of a package.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


def main(facts: Path, out: Path) -> None:
    """Write the table, sorted by package."""
    packages = json.loads((facts / "requirement_rewrites.json").read_text("utf-8"))["packages"]
    lines = [
        "# How the Alliance's wheels differ in their requirements from the index's for the same version (R7).",
        "# Made by scripts/make_rewrites.py from ComputeCanada/wheels_builder config/*.sh @2e6f082 (2026-08-20).",
        "# set: requirements that replace those of the same name; rename: old name = what stands there instead;",
        "# add: requirements that are added; remove: names that are left out.",
    ]
    for package in sorted(packages):
        keys: dict[str, list[str]] = {"set": [], "rename": [], "add": [], "remove": []}
        for row in packages[package]:
            if "$(" in row["value"]:
                continue  # computed by the recipe when it runs
            if re.search(r"-\d[\w.]*\.sh$", row["file"]):
                continue  # a recipe for one version only
            for part in _parts(row["value"]):
                _sort_in(keys, row["kind"], part)
        if not any(keys.values()):
            continue
        lines += ["", f"[{json.dumps(package)}]"]
        if keys["rename"]:
            pairs = dict(pair.split("\t") for pair in keys.pop("rename"))
            lines.append(f"rename = {{ {', '.join(f'{json.dumps(a)} = {json.dumps(b)}' for a, b in pairs.items())} }}")
        lines += [f"{key} = {json.dumps(sorted(set(values)))}" for key, values in keys.items() if values]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


_PART = re.compile(r'"[^"]+"|[^\s"]+(?:\s*->\s*[^"]+|\s+\([^)]*\))?')


def _parts(value: str) -> list[str]:
    """Split what a recipe passes to its tool: words, some in quotes, some with a version in brackets."""
    return [part.strip(' "') for part in _PART.findall(value.strip(' "\\'))]


def _sort_in(keys: dict[str, list[str]], kind: str, text: str) -> None:
    old, arrow, new = text.partition("->")
    try:
        requirement = str(Requirement((new if arrow else text).strip()))
    except InvalidRequirement:
        return
    if kind == "update" and arrow:
        keys["rename"].append(f"{old.strip()}\t{requirement}")
    elif kind == "update":
        keys["set"].append(requirement)
    elif kind in ("add", "remove"):
        keys[kind].append(requirement)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
