"""Explanations in words: the one place where clauses and accounts become sentences.

What `tumpline lock` prints in short, what `tumpline explain` prints in full and the reason that a lock gives for a
divergence are made of the same sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tumpline.errors import Problem
from tumpline.project.spelling import version_in_name
from tumpline.resolve.explanation import COMMAND_LINE, Account, Clause, Explanation, Finding, Lack
from tumpline.sites.companions import STACKS

__all__ = [
    "account_words",
    "chain_words",
    "clause_words",
    "divergence_words",
    "findings_words",
    "headline",
    "lack_headline",
    "listed",
    "problems_of",
]

_MOST_LINES = 12
_MOST_VERSIONS = 5
_MOST_SENTENCES = 4
_MOST_REASONS = 2


def problems_of(explanation: Explanation) -> tuple[Problem, ...]:
    """Return the explanation in short, as problems: one for the chain, or one for each package that is lacking."""
    problems = [*map(_lack_problem, explanation.lacks)]
    if explanation.conflicts or not problems:
        problems.insert(0, _chain_problem(explanation))
    last = problems.pop()
    return (*problems, last._replace(hint=f"{last.hint}; tumpline explain tries what would help"))


def _chain_problem(explanation: Explanation) -> Problem:
    why = "\n".join(chain_words(explanation))
    if explanation.excluded:
        hint = "give these targets another Python, or relax requires-python"
        return Problem("python-excluded", headline(explanation), why=why, hint=hint)
    if explanation.conflicts:
        return Problem(
            "search-too-long",
            headline(explanation),
            why=why,
            hint="narrow the requirements named above: pin the packages whose versions you know",
        )
    return Problem(
        "requirements-conflict",
        headline(explanation),
        why=why,
        hint="relax one of them, or give the targets different versions of Python or of the software environment",
    )


def headline(explanation: Explanation) -> str:
    """Return what is wrong, in one line."""
    if explanation.excluded:
        each = [f"Python {one.python} of {one.target}" for one in explanation.excluded]
        return f"the project does not admit {' and '.join(each)}"
    if explanation.conflicts:
        return f"the search was given up after {explanation.conflicts} conflicts, the last of which is this"
    if explanation.lacks:
        return "; ".join(map(lack_headline, explanation.lacks))
    on = f" on {', '.join(explanation.targets)}" if explanation.targets else ""
    return f"these requirements can not hold together{on}"


def lack_headline(lack: Lack) -> str:
    """Return what is lacking, in one line."""
    if not lack.lacking:
        return f"the targets have no version of {lack.name} in common"
    if lack.unknown:
        return f"nothing is known of a package called {lack.name}"
    return f"{lack.name} can not be had on {', '.join(account.target for account in lack.lacking)}"


def _code(lack: Lack) -> str:
    if not lack.lacking:
        return "no-common-version"
    return "package-unknown" if lack.unknown else "not-available"


def chain_words(explanation: Explanation) -> list[str]:
    """Return the lines of the requirements that can not hold together, and what some of them ask for in vain."""
    lines = [f"project.requires-python says {one.requires_python}" for one in explanation.excluded]
    lines += [clause_words(clause, targets=not explanation.targets) for clause in explanation.clauses]
    for taken in explanation.addressed:
        on = f" on {', '.join(taken.targets)}" if taken.targets and not explanation.targets else ""
        lines.append(f"{taken.name} is {taken.version}, from {taken.address}{on}")
    for need in explanation.needs:
        lines += [f"{a.target} has no such {need.name}: {findings_words(a.findings)}" for a in need.lacking]
    lines += map(str, explanation.clashes)
    lines += [f"{each.name} {each.version} can not be used: {each.reason}" for each in explanation.unusable]
    lines = list(dict.fromkeys(lines))
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} more"]


def clause_words(clause: Clause, *, targets: bool = True) -> str:
    """Say who asks for what; without `targets`, not where."""
    on = f" on {', '.join(clause.targets)}" if targets and clause.targets else ""
    origins = f" ({', '.join(clause.origins)})" if clause.origins else ""
    if clause.origins == (COMMAND_LINE,):
        return f"you ask for {clause.requirement}{on}"
    if not clause.asker:
        verb = "allows only" if clause.constraint else "requires"
        return f"the project {verb} {clause.requirement}{on}{origins}"
    if clause.all_versions and len(clause.versions) > 1:
        asker = f"every version of {clause.asker} ({_range(clause.versions)})"
    else:
        asker = f"{clause.asker} {listed(clause.versions)}"
    # What a package asks for is its own, unless an override of the project stands in its place.
    by = f" (by {', '.join(clause.origins)})" if clause.origins else ""
    verb = "requires" if clause.all_versions or len(clause.versions) == 1 else "require"
    return f"{asker} {verb} {clause.requirement}{on}{by}"


def account_words(account: Account) -> str:
    """Say what a target has, or why it has nothing that is asked for."""
    if account.versions:
        return f"{account.target} has {listed(account.versions)} ({account.source})"
    return f"{account.target}: {findings_words(account.findings)}"


def findings_words(findings: Sequence[Finding]) -> str:
    """Say in a line why the sources do not help: of the index what holds for the newest version."""
    words = list(_short(findings))
    apart = "; " if any(finding.source in ("modules", "") for finding in findings) else ", "
    return apart.join(words)


def divergence_words(accounts: Sequence[Account], clauses: Sequence[Clause]) -> str:
    """Say in one line why targets differ: by what they have where that alone is the reason, else by who asks."""
    if accounts:
        return "; ".join(map(account_words, accounts))
    sentences = list(map(clause_words, clauses))
    rest = len(sentences) - _MOST_SENTENCES
    return "; ".join([*sentences[:_MOST_SENTENCES], *([f"and {rest} more"] if rest > 0 else [])])


def listed(versions: Sequence[str], most: int = _MOST_VERSIONS) -> str:
    """Return the first of some versions and the count of the rest."""
    rest = len(versions) - most
    return ", ".join(versions[:most]) + (f" and {rest} more" if rest > 0 else "")


def _range(versions: Sequence[str]) -> str:
    return ", ".join(reversed(versions)) if len(versions) <= 2 else f"{versions[-1]} to {versions[0]}"


def _short(findings: Iterable[Finding]) -> Iterator[str]:
    wheels = [finding for finding in findings if finding.files]
    index_told = wheels_told = False
    for finding in findings:
        if finding.files:
            if not wheels_told:
                wheels_told = True
                yield _wheels(wheels)
        elif finding.source == "index":
            if not index_told:
                index_told = True
                yield finding.words
        else:
            yield finding.words


def _wheels(findings: Sequence[Finding]) -> str:
    count = sum(finding.files for finding in findings)
    told = "; ".join(finding.words for finding in findings[:_MOST_REASONS])
    return f"the wheelhouse has {count} wheel{'s' if count > 1 else ''} of it, none usable ({told})"


def _likely(lack: Lack) -> str:
    """Return what is likely meant by a name that nobody knows; empty where that can not be told."""
    if not lack.unknown:
        return ""
    if lack.name in STACKS:
        return f"{lack.name} is a module, no package: ask for those of its packages that the project imports"
    for clause in lack.clauses:
        if clause.name == lack.name and (parts := version_in_name(clause.requirement)) is not None:
            return f"write {parts[0]}=={parts[1]} if that is meant"
    return ""


def _lack_problem(lack: Lack) -> Problem:
    lines = ["; ".join(map(clause_words, lack.clauses[:3]))]
    lines += [account_words(account) for account in lack.accounts if account.versions]
    lines += [account_words(account) for account in lack.lacking]
    if likely := _likely(lack):
        otherwise = likely
    elif lack.lacking:
        otherwise = f"check the spelling and the version asked of {lack.name}, or ask the site's support for a wheel"
    else:
        otherwise = f"relax the requirement on {lack.name}, or let a target use another Python or software environment"
    hints = dict.fromkeys(account.hint for account in lack.lacking if account.hint)
    if any(choice.loadable for account in lack.lacking for choice in account.modules):
        hints["or let tumpline lock --add-modules choose and add them"] = None
    return Problem(
        _code(lack), lack_headline(lack), why="\n".join(filter(None, lines)), hint="; ".join(hints) or otherwise
    )
