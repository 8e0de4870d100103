"""What Lmod says where it does not load modules, in words that name the modules and what is between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["not_staying", "refusal_words"]

_SPACE = re.compile(r"\s+")
_END = r"(.+?)(?: While processing|$)"
_CONFLICT = re.compile(r'Cannot load module "([^"]+)" because these module\(s\) are loaded: ' + _END)
_PREREQUISITE = re.compile(r'Cannot load module "([^"]+)" without these module\(s\) loaded: ' + _END)
_UNKNOWN = re.compile(r"The following module\(s\) are unknown: ((?:\"[^\"]+\" ?)+)")
_UNREACHED = re.compile(r"cannot be loaded as requested: ((?:\"[^\"]+\",? ?)+)")


def refusal_words(said: str) -> str:
    """Return why modules are not loaded, a line for each cause; empty where what Lmod says is not understood."""
    text = _SPACE.sub(" ", said)
    return "\n".join(_causes(text))


def _causes(text: str) -> Iterator[str]:
    for module, others in _CONFLICT.findall(text):
        yield f"{module} and {_listed(others)} exclude each other (conflict): only one of them can be loaded"
    for module, others in _PREREQUISITE.findall(text):
        yield f"{module} needs {_listed(others)}, to be loaded before it"
    for names in _UNKNOWN.findall(text):
        yield f"there is no module {', '.join(_quoted(names))} in what can be loaded here"
    for names in _UNREACHED.findall(text):
        for name in _quoted(names):
            yield f"{name} can only be loaded after others: module spider {name} says which"


def not_staying(wanted: Sequence[str], loaded: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return, of modules that were loaded in this order, each that a later one took the place of, with that one.

    Lmod keeps one version of a name and one module of a family (``compiler``, ``mpi``, ``python``), and swaps without
    an error. Told is what is sure: another version of the same name that was asked for later.
    """
    found = []
    for number, module in enumerate(wanted):
        name, _, version = module.partition("/")
        later = [other for other in wanted[number + 1 :] if other.partition("/")[0] == name and other != module]
        if version and later and not any(f"{each}.".startswith(f"{module}.") for each in loaded):
            found.append((module, later[-1]))
    return tuple(found)


def _listed(names: str) -> str:
    return ", ".join(names.replace(",", " ").split())


def _quoted(text: str) -> list[str]:
    return re.findall(r'"([^"]+)"', text)
