"""Why a target has nothing to offer of a package that it should have: what there was, and why it was turned down."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tumpline.addresses import Addressed, bare_address
from tumpline.errors import EnvironmentFailure
from tumpline.index import ProjectPage, Release
from tumpline.resolve.explanation import Account, Finding
from tumpline.resolve.judge import Judge
from tumpline.resolve.modules import ModuleAccount, satisfies, shortened
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.refusal import Refusal
from tumpline.resolve.target import Target
from tumpline.values import Name, version_key

__all__ = ["account_of", "index_refusal"]

_MOST_REFUSALS = 2


def account_of(
    book: OfferBook,
    name: Name,
    place: int,
    wanted: int,
    specifiers: Sequence[str] = (),
    alternatives: Sequence[tuple[str, ...]] = (),
) -> Account:
    """Say what a target has of the wanted versions (bits of the package's table), and if nothing, why.

    `specifiers` are the specifier sets that those versions satisfy: modules and releases that are in no table are
    compared with them. Of each of the `alternatives` a module's version has to satisfy one.
    """
    target, table, catalogue = book.targets[place], book.table(name), book.catalogue(place)
    have, other = table.available[place] & wanted, table.available[place] & ~wanted
    versions, others = table.spelled(have), table.spelled(other)
    if have:
        near = have & ~table.fallback[place] or have
        source = book.offer(name, place, 1 << near.bit_length() - 1).source
        return Account(target.name, versions, source, others)
    if (addressed := book.addressed(name, place)) is not None:
        return _at_address(book.judges[place], addressed, others)
    dummy = catalogue.dummy(name) if catalogue is not None else None
    rows = catalogue.modules_for(name) if catalogue is not None else ()
    modules = ModuleAccount(name, target, dummy, rows, tuple(specifiers), tuple(alternatives))
    findings, hint, unknown = _findings(book, name, place, others, modules)
    return Account(
        target.name,
        others=others,
        findings=tuple(findings),
        modules=modules.choices(),
        hint=hint,
        unknown=unknown,
    )


def _at_address(judge: Judge, found: Addressed, others: tuple[str, ...]) -> Account:
    """Say why what is taken by address is of no use on a target: it can not be used there, or is another version."""
    target, address, version = judge.target, bare_address(found.address), found.metadata.core.version
    if why := judge.addressed(found):
        finding = Finding("address", "unusable", f"{address} can not be used: {why}")
        hint = f"limit the address to other targets with a marker, or give one that {target.name} can use"
    else:
        finding = Finding("address", "version", f"has only {version}, from {address}", (version,))
        hint = (
            f"let the address and the requirements agree, or remove the address to have other versions than {version}"
        )
    return Account(target.name, others=others, findings=(finding,), hint=hint)


def _findings(
    book: OfferBook, name: Name, place: int, others: tuple[str, ...], modules: ModuleAccount
) -> tuple[list[Finding], str, bool]:
    """Return what the sources answer, what to do, and whether none of them has heard of the name."""
    target, table, catalogue = book.targets[place], book.table(name), book.catalogue(place)
    policy = book.policy(name, target)
    if others:
        findings = [Finding("", "version", f"has only {shortened(others)}", others)]
        findings += _refused_wheels(book, name, place, modules.specifiers)
        findings += [Finding("modules", "module-version", words) for words in modules.loaded()]
        hints = [f"relax the requirement on {name} so that it admits one of these", modules.proposal()]
        if table.page is not None and (catalogue is None or policy != "wheelhouse"):
            found, hint = _on_index(book, table.page, name, place, modules.specifiers)
            findings += found
            # Nearer than what others would have to do is a module that is there.
            hints.append(hint if not hints[-1] else "")
        return findings, "; or ".join(filter(None, hints)), False
    if modules.dummy is not None:
        return [modules.lack("dummy")], modules.proposal() or modules.way_out(), False
    findings = []
    hint = modules.proposal()
    if catalogue is not None:
        found, other_hint = _in_wheelhouse(book, name, place, policy == "pypi")
        findings += found
        hint = hint or other_hint
        if modules.rows:
            findings.append(modules.lack("module"))
        if policy == "wheelhouse":
            findings.append(Finding("index", "policy", "the policy is wheelhouse only"))
            hint = hint or f'allow the index for it: {name} = {{ source = "pypi" }} under [tool.tumpline.packages]'
            return findings, hint, False
    try:
        page = book.page(name)
    except EnvironmentFailure as failure:
        words = f"the index could not be asked ({failure.problems[0].message})"
        return [*findings, Finding("index", "unreachable", words)], hint, False
    if page is None:
        findings.append(Finding("index", "unknown", "not on the index"))
        return findings, hint, not modules.rows and (catalogue is None or not catalogue.wheels(name))
    found, other_hint = _on_index(book, page, name, place, modules.specifiers)
    return [*findings, *found], hint or other_hint, False


def _in_wheelhouse(book: OfferBook, name: Name, place: int, passed_over: bool) -> tuple[list[Finding], str]:
    """Say why the wheelhouse does not help, and what to do; `passed_over` where the policy is pypi."""
    catalogue = book.catalogue(place)
    wheels = catalogue.wheels(name) if catalogue is not None else ()
    refused: dict[Refusal, list[str]] = {}
    for wheel in wheels:
        if isinstance(verdict := book.judges[place].wheel(wheel), Refusal):
            refused.setdefault(verdict, []).append(wheel.version)
    if passed_over:
        usable = len(wheels) > sum(map(len, refused.values()))
        hint = f'let it come from the wheelhouse: {name} = {{ source = "mixed" }} under [tool.tumpline.packages]'
        words = "the policy for it is pypi, so the wheelhouse is not looked at"
        return [Finding("wheelhouse", "policy", words)], hint if usable else ""
    if not wheels:
        return [Finding("wheelhouse", "unknown", "not in the wheelhouse")], ""
    most_first = sorted(refused.items(), key=lambda item: -len(item[1]))
    return [
        Finding("wheelhouse", refusal.kind, refusal.words, _newest_first(versions), len(versions))
        for refusal, versions in most_first
    ], ""


def _refused_wheels(book: OfferBook, name: Name, place: int, specifiers: Sequence[str]) -> list[Finding]:
    """Say why wheels that have a wanted version are not taken, beside others that could be."""
    target, catalogue = book.targets[place], book.catalogue(place)
    if catalogue is None or book.policy(name, target) == "pypi":
        return []
    refused: dict[Refusal, list[str]] = {}
    for wheel in catalogue.wheels(name):
        if satisfies(wheel.version, specifiers) and isinstance(verdict := book.judges[place].wheel(wheel), Refusal):
            refused.setdefault(verdict, []).append(wheel.version)
    found = []
    newest_first = sorted(refused.items(), key=lambda item: max(map(version_key, item[1])), reverse=True)
    for refusal, spelled in newest_first[:_MOST_REFUSALS]:
        versions = _newest_first(spelled)
        are = "is" if len(versions) == 1 else "are"
        words = f"the wheelhouse's {shortened(versions)} {are} not usable ({refusal.words})"
        found.append(Finding("wheelhouse", refusal.kind, words, versions))
    return found


def _newest_first(versions: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(versions), key=version_key, reverse=True))


def _on_index(
    book: OfferBook, page: ProjectPage, name: Name, place: int, specifiers: Sequence[str]
) -> tuple[list[Finding], str]:
    """Say why no release of the index is acceptable on a target, and what to do.

    The newest that is wanted comes first; where none is wanted, the answer is that the index has no such version.
    """
    wanted = [release for release in page.releases if satisfies(release.version, specifiers)]
    if not wanted and (late := [r for r in book.too_new(name) if satisfies(r.version, specifiers)]):
        return _too_new(late)
    if not page.releases:
        return [Finding("index", "unknown", "the index lists no file of it")], ""
    if not wanted:
        newest = page.releases[-1].version
        words = f"the index has no such version (its newest is {newest})"
        return [Finding("index", "version", words, (newest,))], ""
    standing = [release for release in wanted if not release.yanked]
    if not standing:
        words = "the index has such versions only as withdrawn (yanked) ones"
        versions = tuple(release.version for release in reversed(wanted))
        return [Finding("index", "yanked", words, versions)], (
            "ask for another version, or, since a yanked one is taken only where it is asked for exactly, for "
            f"{name}=={wanted[-1].version}"
        )
    judge = book.judges[place]
    groups: dict[str, list[Release]] = {}
    for release in reversed(standing):
        groups.setdefault(_kind(judge, release), []).append(release)
    findings = []
    for kind, releases in groups.items():
        versions = tuple(release.version for release in releases)
        findings.append(Finding("index", kind, _INDEX_WORDS[kind](releases[0], standing, page), versions))
    return findings, _index_hint(findings[0].kind, name, judge.target)


def _too_new(late: Sequence[Release]) -> tuple[list[Finding], str]:
    """Say since when the index has what ``exclude-newer`` leaves out, and what to do."""
    versions = tuple(release.version for release in reversed(late))
    dated = [release for release in late if release.uploaded]
    if not dated:
        words = "the index does not say since when it has it, so exclude-newer leaves it out"
        hint = "use an index that states upload times (PEP 700), or leave out exclude-newer"
        return [Finding("index", "undated", words, versions)], hint
    first = min(dated, key=lambda release: release.uploaded)
    day = first.uploaded[:10]
    words = f"the index has {first.version} since {day}, which exclude-newer leaves out"
    hint = f'move exclude-newer to "{day}" or later, or ask for another version'
    return [Finding("index", "too-new", words, versions)], hint


def _kind(judge: Judge, release: Release) -> str:
    """Return why a target can not take a release of the index."""
    if release.requires_python and not judge.accepts_python(release.requires_python):
        return "requires-python"
    if not release.tags:
        return "source-only"
    return "platform" if judge.target.site.manylinux else "manylinux"


def index_refusal(judge: Judge, release: Release) -> str:
    """Say in a few words why a target can not take a single release of the index."""
    if release.yanked:
        return "withdrawn (yanked)"
    match _kind(judge, release):
        case "requires-python":
            return f"requires Python {release.requires_python}"
        case "source-only":
            return "only as source"
        case "manylinux":
            return "not in the wheelhouse, and the index has only wheels that the site refuses"
        case _:
            return "no wheel for this system and Python"


def _index_hint(kind: str, name: Name, target: Target) -> str:
    """Say what to do about the newest release that is wanted."""
    match kind:
        case "requires-python":
            return f"choose another Python for target {target.name}, or an older version of {name}"
        case "source-only":
            return (
                f"choose a version of {name} that has a wheel, or allow building it, which runs its code: "
                f"{name} = {{ build = true }} under [tool.tumpline.packages]"
            )
        case "manylinux":
            return f"ask the site's support to add a wheel of {name}, or leave it out on {target.name} with a marker"
        case _:
            return ""


def _requires_python(release: Release, wanted: Sequence[Release], page: ProjectPage) -> str:
    what = "its newest release" if release is page.releases[-1] else release.version
    return f"{what} on the index requires Python {release.requires_python}"


def _only_source(release: Release, wanted: Sequence[Release], page: ProjectPage) -> str:
    if not any(release.tags for release in page.releases):
        return "the index has it only as source"
    rest = ", and no usable wheel of an older one" if any(release.tags for release in wanted) else ""
    return f"the index has {release.version} only as source{rest}"


_INDEX_WORDS: dict[str, Callable[[Release, Sequence[Release], ProjectPage], str]] = {
    "requires-python": _requires_python,
    "source-only": _only_source,
    "manylinux": lambda *_: (
        "the index has only compiled wheels (manylinux and the like), which do not run on this site"
    ),
    "platform": lambda *_: "the index has no wheel for this system and Python",
}
