"""Which packages of a foreign list a project asks for: told apart from what modules bring and from what others need.

A list that a person wrote is taken at its word: all that it names is asked for. A list that a program made names
all that was installed; of it is asked for what nothing else in it needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from tumpline.project.foreign import Row, RowKind
from tumpline.project.spelling import compose
from tumpline.resolve.import_merge import Wanted, merge
from tumpline.resolve.import_modules import Brought, ModuleKnowledge
from tumpline.values import Name

if TYPE_CHECKING:
    from tumpline.project.foreign import Foreign
    from tumpline.resolve.import_needs import ImportNeeds

__all__ = ["Judgement", "Maker", "Verdict", "VerdictKind", "judge"]

VerdictKind: TypeAlias = Literal["kept", "transitive", "padding", "repeated", "present"] | RowKind
"""What becomes of a row: ``kept`` is a requirement to add, ``present`` one that the project has already."""

Maker = Literal["person", "program"]

_TOOLS: Mapping[str, str] = {
    "pip": "every environment has it",
    "setuptools": "environments have it, asked for or not",
    "wheel": "environments have it, asked for or not",
    "distribute": "it is an old name of setuptools",
    "pkg-resources": "it is no package, but a mistake of Debian's pip",
}
"""What lists of all that is installed hold, and projects do not ask for."""

_PROGRAMS = ("pip-list", "conda-list", "uv-lock", "poetry-lock", "pylock")

_CLOSED = 0.75
"""The share of what its packages need that a list holds, if it is of all that was installed.

Measured on real files: freezes, also of years ago, hold 0.81 to 1.0, lists that people wrote 0.21 at most. One that a
person had put together from a freeze holds 0.88, and is not sorted.
"""

_EDITED = 0.1
"""The share of its lines up to which a list of all that was installed may have been edited by hand since."""

_FEWEST = 5
"""Fewer packages, or fewer needs, tell nothing of how a list was made."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a row, and why; `by` are packages of the list that need it, `module` is what brings it."""

    row: Row
    kind: VerdictKind
    why: str = ""
    hint: str = ""
    by: tuple[Name, ...] = ()
    module: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on each row, in the order of the rows, and what follows from them.

    `kept` are the requirements to add, `needed` are what those need and the list pins. `modules` says of packages which
    module had brought them, where that is known. `unknown` are the packages of whose needs nothing is known: among what
    is kept may be what only they need.
    """

    verdicts: tuple[Verdict, ...]
    kept: tuple[Wanted, ...]
    needed: tuple[Wanted, ...]
    modules: Mapping[Name, str]
    made_by: Maker
    unknown: tuple[Name, ...] = ()


def judge(
    foreign: Foreign,
    knowledge: ModuleKnowledge,
    needs: ImportNeeds,
    present: Collection[Name] = (),
    made_by: Maker | None = None,
) -> Judgement:
    """Judge the rows of a list.

    `present` are the names that the project asks for already. `made_by` says who made the list, where that is known
    better than it can be seen.
    """
    return _Judge(foreign, knowledge, needs, present, made_by).judgement()


class _Judge:
    def __init__(
        self,
        foreign: Foreign,
        knowledge: ModuleKnowledge,
        needs: ImportNeeds,
        present: Collection[Name],
        made_by: Maker | None,
    ) -> None:
        self._foreign = foreign
        self._knowledge = knowledge
        self._present = present
        self._brought = knowledge.brought(foreign)
        self._wanted, self._repeated = merge(self._packages())
        self._first = {wanted.name: wanted for wanted in reversed(self._wanted)}
        self._standing = {name: wanted for name, wanted in self._first.items() if not self._aside(wanted)}
        self._unknown: frozenset[Name] = frozenset()
        self._edges: Mapping[Name, frozenset[Name]] = {}
        self.made_by = made_by or self._looks_made_by()
        if self.made_by == "program":
            self._edges = self._read_edges(needs)
            if made_by is None and self._form_is_open() and not self._is_closed():
                self.made_by = "person"
        self._roots = self._find_roots()

    def judgement(self) -> Judgement:
        verdicts = tuple(self._verdict(number, row) for number, row in enumerate(self._foreign.rows))
        kept = {verdict.row.name for verdict in verdicts if verdict.kind == "kept"}
        return Judgement(
            verdicts,
            tuple(wanted for wanted in self._wanted if wanted.name in kept and wanted.name in self._standing),
            tuple(
                wanted
                for name, wanted in sorted(self._standing.items())
                if name not in self._roots and wanted.version and name not in self._present
            ),
            {name: brought.module for name, brought in self._brought.items() if "/" in brought.module},
            self.made_by,
            tuple(sorted(self._unknown)) if self.made_by == "program" else (),
        )

    def _packages(self) -> Iterable[tuple[int, Row]]:
        """Yield the rows of packages; what a module brought becomes a requirement on what it brought."""
        for number, row in enumerate(self._foreign.rows):
            if row.kind == "package":
                yield number, row
            elif row.kind == "module" and row.name is not None:
                version = self._brought[row.name].version
                requirement = compose(row.name, specifier=f"=={version}" if version else "")
                yield number, replace(row, requirement=requirement)

    def _aside(self, wanted: Wanted) -> str:
        """Say why a package is no candidate for being asked for; empty where it is one."""
        brought = self._brought.get(wanted.name)
        if brought is not None and brought.padding:
            return "padding"
        if brought is not None and brought.alias_of:
            return "alias"
        if wanted.name in _TOOLS and (wanted.name == "pip" or wanted.version):
            return "tool"
        return "named" if self._knowledge.is_module(wanted.name) else ""

    def _read_edges(self, needs: ImportNeeds) -> Mapping[Name, frozenset[Name]]:
        """Return who needs whom: as the list says it, else as catalogues and the index do."""
        said = {name: frozenset(one.needs) for name, one in self._standing.items() if one.needs is not None}
        asked = {name: one for name, one in self._standing.items() if name not in said}
        if not asked:
            return said
        pins = {name: one.version for name, one in asked.items()}
        found, self._unknown = needs.edges(pins, {name: one.requirement.extras for name, one in asked.items()})
        return {**said, **found}

    def _looks_made_by(self) -> Maker:
        """Say who made the list as far as it can be seen without knowing what its packages need."""
        if not self._form_is_open():
            return "program"
        deliberate = sum(one.deliberate for one in self._standing.values())
        if len(self._standing) < _FEWEST or deliberate > _EDITED * len(self._standing):
            return "person"
        # Programs sort what they list.
        names = [wanted.name for wanted in self._wanted]
        unsorted = sum(one > other for one, other in pairwise(names))
        return "person" if unsorted > _EDITED * len(names) else "program"

    def _form_is_open(self) -> bool:
        """Whether a person could have written the list as well as a program."""
        rows = self._foreign.rows
        return self._foreign.form not in _PROGRAMS and all(row.kind != "module" and row.asked is None for row in rows)

    def _is_closed(self) -> bool:
        """Whether the list holds most of what its packages need, as a list of all that was installed does."""
        needed = {name for names in self._edges.values() for name in names}
        held = {wanted.name for wanted in self._wanted}
        return len(needed) >= _FEWEST and len(needed & held) >= _CLOSED * len(needed)

    def _find_roots(self) -> set[Name]:
        if self.made_by == "person":
            return set(self._standing)
        if any(wanted.asked is not None for wanted in self._standing.values()):
            # What a list says nothing of was added to it by hand.
            return {name for name, wanted in self._standing.items() if wanted.asked is not False}
        # What stands at an address is not found again by name.
        by_hand = {
            name
            for name, wanted in self._standing.items()
            if wanted.row.kind == "package" and (wanted.deliberate or wanted.requirement.url)
        }
        return _roots(self._edges, self._standing, by_hand)

    def _verdict(self, number: int, row: Row) -> Verdict:
        name = row.name
        if row.kind not in ("package", "module") or name is None:
            return Verdict(row, row.kind, row.why, row.hint)
        if number in self._repeated:
            return Verdict(row, "repeated", self._repeated[number])
        brought = self._brought.get(name)
        module = brought.module if brought is not None else ""
        match self._aside(self._first[name]):
            case "padding":
                return Verdict(row, "padding", _padding(brought), "add it if the project itself imports it", (), module)
            case "alias":
                why = f"the module {module} brings the same as {brought.alias_of if brought else ''}"
                return Verdict(row, "module", why, "add it if the project imports it by this name", (), module)
            case "tool":
                return Verdict(row, "padding", _TOOLS[name], "add it if the project itself imports it")
            case "named":
                hint = "name the packages that are wanted; the wheelhouse has those of scipy-stack as wheels"
                return Verdict(row, "module", "it is a module, no Python package", hint, (), name)
        if name in self._present:
            return Verdict(row, "present", "the project asks for it already", row.hint)
        if name in self._roots:
            return Verdict(row, "kept", row.why, row.hint, (), module)
        by = tuple(sorted(other for other, names in self._edges.items() if name in names and other != name))
        return Verdict(row, "module" if row.kind == "module" else "transitive", _needed_by(by), "", by, module)


def _padding(brought: Brought | None) -> str:
    module = brought.module if brought is not None else ""
    if module == "python":
        return "the Python module has it"
    return f"the module {module} had brought it" if module else "a module had brought it"


def _needed_by(names: tuple[Name, ...]) -> str:
    shown = ", ".join(names[:3])
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"needed by {shown}{rest}" if names else "the lock says that something else needs it"


def _roots(edges: Mapping[Name, frozenset[Name]], names: Iterable[Name], sure: set[Name]) -> set[Name]:
    """Return the names that are in `sure` or that nothing else needs; of a circle that nothing needs, one."""
    names = sorted(names)
    needed = {other for name in names for other in edges.get(name, ()) if other != name}
    roots = sure | {name for name in names if name not in needed}
    covered = _reach(edges, roots)
    while left := [name for name in names if name not in covered]:
        first = max(left, key=lambda name: len(_reach(edges, {name})))
        roots.add(first)
        covered |= _reach(edges, {first})
    return roots


def _reach(edges: Mapping[Name, frozenset[Name]], start: set[Name]) -> set[Name]:
    seen = set(start)
    pending = list(start)
    while pending:
        for name in edges.get(pending.pop(), ()):
            if name not in seen:
                seen.add(name)
                pending.append(name)
    return seen
