"""Why a target has nothing to offer of a package that it should have: what there was, and why it was turned down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion

from tumpline.addresses import Addressed, bare_address
from tumpline.errors import EnvironmentFailure
from tumpline.index import ProjectPage, Release
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.target import Target
from tumpline.sites import Dummy, ModulePackage
from tumpline.values import Name, parse_specifier, parse_version, public_version

__all__ = ["Absence", "why_absent"]

_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Absence:
    """One target's answer: `unknown` where no source there has even heard of the name."""

    target: str
    reason: str
    hint: str = ""
    unknown: bool = False


def why_absent(book: OfferBook, name: Name, place: int, wanted: int, specifiers: Sequence[str] = ()) -> Absence:
    """Say why a target can not get any of the wanted versions (bits of the package's table).

    `specifiers` are the specifier sets that those versions satisfy: modules and releases that are in no table are
    compared with them.
    """
    target, table, catalogue = book.targets[place], book.table(name), book.catalogue(place)
    if (addressed := book.addressed(name, place)) is not None:
        return _at_address(book, addressed, target)
    dummy = catalogue.dummy(name) if catalogue is not None else None
    rows = catalogue.modules_for(name) if catalogue is not None else ()
    modules = _Modules(name, target, dummy, rows, tuple(specifiers))
    policy = book.policy(name, target)
    if other := table.available[place] & ~wanted:
        versions = [str(v) for i, v in reversed(list(enumerate(table.versions))) if other >> (i + 1) & 1]
        reasons = [f"has only {_listed(versions)}", *modules.loaded()]
        hints = [f"relax the requirement on {name} so that it admits one of these", modules.proposal()]
        if table.page is not None and (catalogue is None or policy != "wheelhouse"):
            reason, hint = _on_index(book, table.page, name, target, specifiers)
            reasons.append(reason)
            # Nearer than what others would have to do is a module that is there.
            hints.append(hint if not hints[-1] else "")
        return Absence(target.name, "; ".join(reasons), "; or ".join(filter(None, hints)))
    if dummy is not None:
        return Absence(target.name, f"only {modules.lack()}", modules.proposal() or modules.way_out())
    reasons = []
    hint = modules.proposal()
    apart = "; " if rows else ", "
    if catalogue is not None:
        reason, other_hint = _in_wheelhouse(book, name, place, policy == "pypi")
        reasons.append(reason)
        hint = hint or other_hint
        if rows:
            reasons.append(modules.lack())
        if policy == "wheelhouse":
            reasons.append("the policy is wheelhouse only")
            hint = hint or f'allow the index for it: {name} = {{ source = "pypi" }} under [tool.tumpline.packages]'
            return Absence(target.name, apart.join(reasons), hint)
    try:
        page = book.page(name)
    except EnvironmentFailure as failure:
        reasons.append(f"the index could not be asked ({failure.problems[0].message})")
        return Absence(target.name, apart.join(reasons), hint)
    if page is None:
        reasons.append("not on the index")
        unknown = not rows and (catalogue is None or not catalogue.wheels(name))
        return Absence(target.name, apart.join(reasons), hint, unknown)
    reason, other_hint = _on_index(book, page, name, target, specifiers)
    return Absence(target.name, apart.join([*reasons, reason]), hint or other_hint)


def _at_address(book: OfferBook, found: Addressed, target: Target) -> Absence:
    """Say why what is taken by address is of no use on a target: it can not be used there, or is another version."""
    address, version = bare_address(found.address), found.metadata.core.version
    if why := book.judge_addressed(found, target):
        return Absence(
            target.name,
            f"{address} can not be used: {why}",
            f"limit the address to other targets with a marker, or give one that {target.name} can use",
        )
    return Absence(
        target.name,
        f"has only {version}, from {address}",
        f"let the address and the requirements agree, or remove the address to have other versions than {version}",
    )


@dataclass(frozen=True, slots=True)
class _Modules:
    """What modules provide of one package, seen from one target (R5, R6)."""

    name: Name
    target: Target
    dummy: Dummy | None
    rows: tuple[ModulePackage, ...]
    specifiers: tuple[str, ...]

    def loaded(self) -> list[str]:
        """Say of each of the target's modules that may provide the package why it does not provide what is wanted."""
        names = {row.module for row in self.rows} | ({self.dummy.module} if self.dummy else set())
        return [self._of(module) for module in self.target.modules if module.partition("/")[0] in names]

    def lack(self) -> str:
        """Say why no module provides what is wanted; "only" may stand before it."""
        told = "; ".join(self.loaded())
        if not self._here():
            module = self.dummy.module if self.dummy else self.rows[0].module
            none = f"the module {module} provides it, and no version of it has Python {self.target.minor}"
            return f"{none}; {told}" if told else none
        if told:
            return f"a module provides it: {told}"
        if not self._fitting():
            return f"a module provides it, and for Python {self.target.minor} {self._versions_here()}"
        return f"a module provides it, but none is loaded that fits Python {self.target.minor}"

    def proposal(self) -> str:
        """Return the key that loads a module with a wanted version, beside those that are loaded; empty if none has."""
        fitting = self._fitting()
        if not fitting:
            return ""
        taken = fitting[0].partition("/")[0]
        others = [module for module in self.target.modules if module.partition("/")[0] != taken]
        verb = "load" if len(others) < len(self.target.modules) else "add"
        listed = ", ".join(f'"{module}"' for module in [*others, fitting[0]])
        where = f"{'in' if verb == 'load' else 'to'} the modules of target {self.target.name}"
        return f"{verb} {'one of ' if len(fitting) > 1 else ''}{_listed(fitting)} {where}: modules = [{listed}]"

    def way_out(self) -> str:
        """Say what to do where no module fits this Python."""
        pythons = sorted({row.python for row in self.rows if self._wanted(row)}, key=_module_key)
        if not pythons:
            return f"relax the requirement on {self.name}, or leave it out on {self.target.name} with a marker"
        return f"choose another Python for target {self.target.name}: modules have it for {', '.join(pythons)}"

    def _of(self, module: str) -> str:
        rows = [row for row in self.rows if f"{row.module}/{row.module_version}" == module]
        brought = sorted({row.version for row in rows if self._fits(row)})
        if brought:
            return f"{module} is loaded, which brings {self.name} {', '.join(brought)}"
        if not rows:
            return f"{module} is loaded, of which the catalogue knows nothing"
        pythons = sorted({row.python for row in rows if row.environment == self.target.environment}, key=_module_key)
        has = f"has {self.name} only for Python {', '.join(pythons)}" if pythons else f"has no {self.name} there"
        return f"{module} is loaded, which in StdEnv {self.target.environment} {has}"

    def _versions_here(self) -> str:
        versions = {row.version for row in self._here()}
        return f"modules have only {_listed(sorted(versions, key=_module_key, reverse=True))}"

    def _fits(self, row: ModulePackage) -> bool:
        return row.environment == self.target.environment and row.python == self.target.minor

    def _here(self) -> list[ModulePackage]:
        return [row for row in self.rows if self._fits(row)]

    def _wanted(self, row: ModulePackage) -> bool:
        return _satisfies(row.version, self.specifiers)

    def _fitting(self) -> list[str]:
        """Return the modules that have a wanted version: the dummy's and loaded ones first, then the newest first."""
        loaded = {module.partition("/")[0] for module in self.target.modules}
        first = self.dummy.module if self.dummy else ""
        fitting = {(row.module, row.module_version) for row in self._here() if self._wanted(row)}
        newest_first = sorted(fitting, key=lambda found: (_module_key(found[1]), found[0]), reverse=True)
        return [
            f"{module}/{version}"
            for module, version in sorted(newest_first, key=lambda found: (found[0] != first, found[0] not in loaded))
        ]


def _satisfies(version: str, specifiers: Sequence[str]) -> bool:
    """Say whether a version satisfies all specifier sets, compared as a public version (R1)."""
    try:
        public = public_version(parse_version(version))
    except InvalidVersion:
        return False
    return all(parse_specifier(specifier).contains(public, prereleases=True) for specifier in specifiers)


def _module_key(version: str) -> tuple[object, ...]:
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in version.replace("-", ".").split(".")
    )


def _listed(words: Sequence[str]) -> str:
    rest = len(words) - _MOST_SHOWN
    return ", ".join(words[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _in_wheelhouse(book: OfferBook, name: Name, place: int, passed_over: bool) -> tuple[str, str]:
    """Say why the wheelhouse does not help, and what to do; `passed_over` where the policy is pypi."""
    target, catalogue = book.targets[place], book.catalogue(place)
    wheels = catalogue.wheels(name) if catalogue is not None else ()
    turned_down = [verdict for wheel in wheels if isinstance(verdict := book.judge_wheel(wheel, target), str)]
    if passed_over:
        usable = len(wheels) > len(turned_down)
        return (
            "the policy for it is pypi, so the wheelhouse is not looked at",
            f'let it come from the wheelhouse: {name} = {{ source = "mixed" }} under [tool.tumpline.packages]'
            if usable
            else "",
        )
    if not wheels:
        return "not in the wheelhouse", ""
    told = "; ".join(reason for reason, _ in Counter(turned_down).most_common(2))
    return f"the wheelhouse has {len(wheels)} wheel{'s' if len(wheels) > 1 else ''} of it, none usable ({told})", ""


def _on_index(
    book: OfferBook, page: ProjectPage, name: Name, target: Target, specifiers: Sequence[str]
) -> tuple[str, str]:
    """Say why no release of the index is acceptable on a target, judging by the newest that is wanted, and what to do.

    Where none is wanted, the answer is that the index has no such version.
    """
    if not page.releases:
        return "the index lists no file of it", ""
    wanted = [release for release in page.releases if _satisfies(release.version, specifiers)]
    if not wanted:
        return f"the index has no such version (its newest is {page.releases[-1].version})", ""
    standing = [release for release in wanted if not release.yanked]
    if not standing:
        return "the index has such versions only as withdrawn (yanked) ones", (
            "ask for another version, or, since a yanked one is taken only where it is asked for exactly, for "
            f"{name}=={wanted[-1].version}"
        )
    newest = standing[-1]
    if newest.requires_python and not book.accepts_python(newest.requires_python, target.python):
        what = "its newest release" if newest is page.releases[-1] else newest.version
        return f"{what} on the index requires Python {newest.requires_python}", (
            f"choose another Python for target {target.name}, or an older version of {name}"
        )
    if not newest.tags:
        return (
            _only_source(newest, standing, page),
            f"choose a version of {name} that has a wheel, or allow building it, which can be locked and not yet "
            f"installed: {name} = {{ build = true }} under [tool.tumpline.packages]",
        )
    if not target.site.manylinux:
        return (
            "the index has only wheels for particular systems, which this site refuses",
            f"ask the site's support to add a wheel of {name}, or leave it out on {target.name} with a marker",
        )
    return "the index has no wheel for this system and Python", ""


def _only_source(newest: Release, wanted: Sequence[Release], page: ProjectPage) -> str:
    if not any(release.tags for release in page.releases):
        return "the index has it only as source"
    rest = ", and no usable wheel of an older one" if any(release.tags for release in wanted) else ""
    return f"the index has {newest.version} only as source{rest}"
