"""What modules bring, put together for people and programs: one row for each module and the Pythons it is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tumpline.sites import ModulePackage, Site

__all__ = ["ModuleGroup", "group_data", "group_line", "group_modules", "load_words"]


class ModuleGroup(NamedTuple):
    """One module, the Pythons for which it brings the same, and what that is as (name, version)."""

    environment: str
    module: str
    version: str
    pythons: tuple[str, ...]
    packages: tuple[tuple[str, str], ...]


def group_modules(packages: Iterable[ModulePackage]) -> list[ModuleGroup]:
    """Put together what one module brings, and the Pythons for which that is the same, in the order of the rows."""
    brought: dict[tuple[str, str, str, str], list[tuple[str, str]]] = {}
    for row in packages:
        key = (row.environment, row.module, row.module_version, row.python)
        brought.setdefault(key, []).append((row.name, row.version))
    pythons: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], list[str]] = {}
    for (environment, module, version, python), rows in brought.items():
        pythons.setdefault((environment, module, version, tuple(rows)), []).append(python)
    return [ModuleGroup(*key[:3], tuple(names), key[3]) for key, names in pythons.items()]


def group_line(group: ModuleGroup, mark: str = "") -> str:
    """Return a group as one line; `mark` says how it is known, where that must be told."""
    names = ", ".join(f"{name} {version}" for name, version in group.packages)
    head = f"StdEnv/{group.environment} {group.module}/{group.version} (Python {', '.join(group.pythons)})"
    return f"{head}: {names}{f' ({mark})' if mark else ''}"


def load_words(
    site: Site | None,
    environment: str,
    needs: Iterable[str],
    module: str,
    pythons: Sequence[str],
    wanted: Iterable[str],
) -> list[str]:
    """Return what is to be loaded for a module, in order: the software environment, what it needs, a Python, and it.

    The Python is the first that is wanted of those that the module is for (`pythons`), else the default of the software
    environment where the site is known, else the newest. All are minor versions.
    """
    known = site.environment(environment) if site is not None else None
    default = ".".join(known.default_python.split(".")[:2]) if known else ""
    python = next((each for each in (*wanted, default) if each in pythons), pythons[-1])
    return [f"StdEnv/{environment}", *needs, f"python/{python}", module]


def group_data(group: ModuleGroup) -> dict[str, object]:
    """Return a group as plain data; its form is documented in ``docs/reference/modules.md``."""
    return {
        "environment": group.environment,
        "module": group.module,
        "version": group.version,
        "pythons": list(group.pythons),
        "packages": dict(group.packages),
    }
