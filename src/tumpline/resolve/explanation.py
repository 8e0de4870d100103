"""Why there is no resolution, as data: the requirements that can not hold together, and what each target had.

`tumpline.resolve.report` makes these from a proof; `tumpline.resolve.words` and the command line turn them into text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tumpline.errors import NoResolution

if TYPE_CHECKING:
    from tumpline.errors import Problem
    from tumpline.resolve.guards import Clash
    from tumpline.values import Name

__all__ = [
    "COMMAND_LINE",
    "Account",
    "AtAddress",
    "Clause",
    "Excluded",
    "Explanation",
    "Finding",
    "Item",
    "Lack",
    "ModuleChoice",
    "Unresolved",
    "Unusable",
]

COMMAND_LINE = "the command line"
"""The origin of a requirement that is only asked about and stands in no file."""

Item = tuple[str, str]
"""Something that is wrong: a package and the target that lacks it, or empty where they have none in common."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Who asks for what: `asker` is empty for the project itself, `requirement` a PEP 508 line without its marker.

    `versions` are those of the asker that ask for it, newest first, and `all_versions` says that these are all there
    are. `targets` are those on which it is asked, empty for all. `origins` are places in the project's files. A
    `constraint` only limits what something else asks for.
    """

    asker: str
    requirement: str
    name: Name
    versions: tuple[str, ...] = ()
    all_versions: bool = False
    targets: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    constraint: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one source has of a package for a target, and why it does not help.

    `source` is empty where it is about all of them. `kind` is a stable word (``docs/reference/explain.md``), `words`
    say it to people. `versions` are those concerned, newest first, as the source spells them; `files` counts wheels.
    """

    source: Literal["wheelhouse", "modules", "index", "address", ""]
    kind: str
    words: str
    versions: tuple[str, ...] = ()
    files: int = 0


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """A module (``arrow/17.0.0``) that brings `version` for a Python (``3.11``); `wanted`: as it is asked for.

    `loadable` says that it is wanted and for the target's own Python.
    """

    module: str
    version: str
    python: str
    wanted: bool
    loadable: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What one target has of a package.

    `versions` are those that it can get and that are asked for, `others` the rest that it can get, newest first;
    `source` is where the first of `versions` comes from. Where there are no `versions`, `findings` say why, `hint` what
    to do, and `unknown` whether no source there has even heard of the name. `modules` are those of its
    software environment that bring the package, those for its own Python first, the most fitting first.
    """

    target: str
    versions: tuple[str, ...] = ()
    source: str = ""
    others: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    modules: tuple[ModuleChoice, ...] = ()
    hint: str = ""
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Lack:
    """A package that targets lack, or of which they have no version in common: who asks for it, who has what."""

    name: Name
    clauses: tuple[Clause, ...]
    accounts: tuple[Account, ...]

    @property
    def lacking(self) -> tuple[Account, ...]:
        """The accounts of the targets that can not get what is asked for."""
        return tuple(account for account in self.accounts if not account.versions)

    @property
    def items(self) -> frozenset[Item]:
        """What is wrong: the package and each target that lacks it, or none where they have no version in common."""
        return frozenset((str(self.name), target) for target in [a.target for a in self.lacking] or [""])

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of the package anywhere."""
        return bool(self.accounts) and all(account.unknown for account in self.accounts)


@dataclass(frozen=True, slots=True)
class AtAddress:
    """A package that is taken by address, so that there is this one version of it; `targets` are empty for all."""

    name: Name
    version: str
    address: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A version that can not be used at all, such as one whose metadata can not be read."""

    name: Name
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A target whose Python the project's ``requires-python`` does not admit."""

    target: str
    python: str
    requires_python: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why there is no resolution.

    `clauses` are the requirements that can not hold together, on `targets` where not on all. `lacks` are the packages
    that targets do not have; those asked for by some version of another package are in `needs`: with them such versions
    can not be used, which matters only together with the clauses. `addressed` are packages of the clauses that are
    taken by address: a proof does not tell it, since there is no other version. `conflicts` counts those after which a
    search was given up, 0 where the answer is proved. `clashes` are packages of an index that do not go with what a
    wheelhouse has. Where targets are `excluded`, nothing else was looked at.
    """

    clauses: tuple[Clause, ...] = ()
    targets: tuple[str, ...] = ()
    lacks: tuple[Lack, ...] = ()
    needs: tuple[Lack, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    addressed: tuple[AtAddress, ...] = ()
    conflicts: int = 0
    clashes: tuple[Clash, ...] = ()
    excluded: tuple[Excluded, ...] = ()

    @property
    def items(self) -> frozenset[Item]:
        """What is wrong: what each target lacks, else the conflict, known by what the project asks for in it."""
        if self.excluded:
            return frozenset(("python", each.target) for each in self.excluded)
        if self.lacks:
            return frozenset(item for lack in self.lacks for item in lack.items)
        return frozenset({("conflict", " ".join(sorted({clause.name for clause in self.clauses if not clause.asker})))})


class Unresolved(NoResolution):
    """No resolution, with its `explanation`; the problems say the same in short."""

    def __init__(self, explanation: Explanation, *problems: Problem) -> None:
        super().__init__(*problems)
        self.explanation = explanation
