"""An explanation and what would help, as text for people and as data; one place for both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tumpline.resolve.words import (
    account_words,
    chain_words,
    clause_words,
    headline,
    lack_headline,
    listed,
    problems_of,
)

if TYPE_CHECKING:
    from tumpline.resolve.advice import Advice, Gain, Option
    from tumpline.resolve.explanation import Account, Clause, Explanation, Finding, Lack
    from tumpline.resolve.question import Change, Question
    from tumpline.resolve.target import Target

__all__ = ["explanation_data", "render_explanation"]

_MOST_FINDINGS = 4
_MOST_CLAUSES = 4
_MOST_GAINS = 4


def render_explanation(question: Question, explanation: Explanation, advice: Advice, request: bool) -> str:
    """Return the text: what is wrong, what each target had, what would help; `request`: a wheel may be asked for."""
    targets = {target.name: target for target in question.targets}
    parts = []
    if explanation.conflicts or not explanation.lacks:
        parts.append("\n".join([headline(explanation), *(f"  {line}" for line in chain_words(explanation))]))
    parts += ["\n".join(_lack(lack, targets)) for lack in explanation.lacks]
    parts.append("\n".join(_advice(advice, request)))
    return "\n\n".join(parts)


def _lack(lack: Lack, targets: dict[str, Target]) -> Iterator[str]:
    yield lack_headline(lack)
    for clause in lack.clauses[:_MOST_CLAUSES]:
        yield f"  {clause_words(clause)}"
    if len(lack.clauses) > _MOST_CLAUSES:
        yield f"  … and {len(lack.clauses) - _MOST_CLAUSES} more"
    for account in lack.accounts:
        if account.versions:
            yield f"  {account_words(account)}"
            continue
        yield f"  {account.target} ({_target(targets[account.target])}):"
        for finding in account.findings[:_MOST_FINDINGS]:
            yield f"    {_finding(finding)}"
        if len(account.findings) > _MOST_FINDINGS:
            yield f"    … and {len(account.findings) - _MOST_FINDINGS} more"


def _target(target: Target) -> str:
    parts = [f"Python {target.python if target.site.environments else target.minor}"]
    parts += [f"StdEnv/{target.environment}"] if target.environment else []
    return ", ".join([*parts, *filter(None, [target.cpu_level])])


def _finding(finding: Finding) -> str:
    """Say what a source has: words say which versions they are about unless these are several."""
    if finding.files:
        return f"the wheelhouse has {listed(finding.versions)}: {finding.words}"
    versions = listed(finding.versions) if len(finding.versions) > 1 and finding.source == "index" else ""
    return f"{finding.words} ({versions})" if versions else finding.words


def _advice(advice: Advice, request: bool) -> Iterator[str]:
    if len(advice.options) == 1:
        yield "this would make it resolve (it was tried):"
    elif advice.options:
        yield "each of these would make it resolve (all were tried):"
    elif _misspelt(advice):
        yield f"hint: check the spelling of {', '.join(_misspelt(advice))}"
        return
    elif advice.partial:
        yield from _partial(advice)
    else:
        yield f"no change was found that makes it resolve ({advice.tries} tried)"
    for number, option in enumerate(advice.options, 1):
        yield from _option(number, option)
    if not advice.complete:
        yield "not all changes were tried: the limit was reached"
    if advice.hindered:
        yield f"not all changes could be tried: {advice.hindered}"
    if hint := _next_step(advice, request):
        yield f"hint: {hint}"


def _partial(advice: Advice) -> Iterator[str]:
    yield "no change was found that makes it resolve; these help with a part:"
    yield from _changes("  - ", advice.partial)
    if advice.rest is not None:
        yield f"left then: {headline(advice.rest)}"
        if not advice.rest.lacks:
            yield from (f"  {line}" for line in chain_words(advice.rest))


def _next_step(advice: Advice, request: bool) -> str:
    """Say what to do now; nothing where only a requirement on the command line is to be another."""
    rest = advice.rest
    if advice.options:
        if not any(change.file for option in advice.options for change in option.changes):
            return ""
        if len(advice.options) > 1:
            return "choose one of these, make its edits, then run: tumpline lock"
        edits = "this edit" if len(advice.options[0].changes) == 1 else "all of these edits"
        return f"make {edits}, then run: tumpline lock"
    if rest is not None and rest.excluded:
        return "give these targets a Python that requires-python admits, or relax requires-python"
    if request:
        return "ask the site's support for it; tumpline explain --request writes the message"
    if rest is not None and rest.conflicts:
        return "narrow the requirements named above: pin the packages whose versions you know"
    if rest is not None and rest.unusable:
        return "tell whoever publishes the files named above that they can not be used, or do without the package"
    return "do without one of the packages named above, or ask those who publish them"


def _misspelt(advice: Advice) -> list[str]:
    """Return the names of which nothing is known, where that is all that is wrong."""
    lacks = advice.rest.lacks if advice.rest is not None else ()
    return [lack.name for lack in lacks] if all(lack.unknown for lack in lacks) else []


def _option(number: int, option: Option) -> Iterator[str]:
    yield from _changes(f"  {number}. ", option.changes)
    if option.gains:
        yield f"     gives {_gains(option.gains)}"
    if option.diverging:
        verb = "differ" if len(option.diverging) > 1 else "differs"
        yield f"     {listed(option.diverging)} then {verb} between targets"
    if option.unbuilt:
        verb = "need" if len(option.unbuilt) > 1 else "needs"
        yield f"     not known yet: what {listed(option.unbuilt)} {verb}; tumpline lock builds to learn it"


def _changes(lead: str, changes: Sequence[Change]) -> Iterator[str]:
    margin = " " * len(lead)
    for position, change in enumerate(changes):
        yield f"{lead if position == 0 else margin}{'and ' if position else ''}{change.words}"
        if change.file:
            table = change.key.startswith("tool.") and " = " in change.text
            where = f"{margin}  {change.file}, {f'[{change.key}]' if table else change.key}:"
            lines = change.text.splitlines() or ["remove it"]
            if len(lines) == 1:
                yield f"{where} {lines[0]}"
            else:
                yield from (where, *(f"{margin}    {line}" for line in lines))


def _gains(gains: Sequence[Gain]) -> str:
    """Say what targets would get, each public version once."""
    same: dict[tuple[str, str], dict[str, list[str]]] = {}
    for gain in gains:
        sources = same.setdefault((gain.name, gain.version.partition("+")[0]), {})
        sources.setdefault(gain.source, []).append(gain.target)
    told = []
    for (name, version), sources in same.items():
        where = "; ".join(f"{source} on {', '.join(on)}" for source, on in sources.items())
        told.append(f"{name} {version} ({where})")
    return "; ".join([*told[:_MOST_GAINS], *(["…"] if len(told) > _MOST_GAINS else [])])


# As data


def explanation_data(explanation: Explanation, advice: Advice) -> dict[str, object]:
    """Return the explanation as plain data; its form is documented in ``docs/reference/explain.md``."""
    return {
        "code": problems_of(explanation)[0].code,
        "message": headline(explanation),
        "targets": list(explanation.targets),
        "chain": [_clause_data(clause) for clause in explanation.clauses],
        "lacks": [_lack_data(lack) for lack in explanation.lacks],
        "needs": [_lack_data(lack) for lack in explanation.needs],
        "addressed": [
            {"name": a.name, "version": a.version, "address": a.address, "targets": list(a.targets)}
            for a in explanation.addressed
        ],
        "excluded": [{"target": e.target, "python": e.python} for e in explanation.excluded],
        "clashes": [{"name": clash.name, "target": clash.target} for clash in explanation.clashes],
        "unusable": [{"name": u.name, "version": u.version, "reason": u.reason} for u in explanation.unusable],
        "advice": {
            "options": [
                {
                    "changes": [_change_data(change) for change in option.changes],
                    "gives": [
                        {"name": g.name, "target": g.target, "version": g.version, "source": g.source}
                        for g in option.gains
                    ],
                    "diverging": list(option.diverging),
                    "unbuilt": list(option.unbuilt),
                }
                for option in advice.options
            ],
            "partial": [_change_data(change) for change in advice.partial],
            "left": headline(advice.rest) if advice.rest is not None else None,
            "tries": advice.tries,
            "complete": advice.complete,
            "hindered": advice.hindered or None,
        },
    }


def _clause_data(clause: Clause) -> dict[str, object]:
    return {
        "asker": clause.asker or None,
        "versions": list(clause.versions),
        "all-versions": clause.all_versions,
        "requirement": clause.requirement,
        "targets": list(clause.targets),
        "origins": list(clause.origins),
        "constraint": clause.constraint,
    }


def _lack_data(lack: Lack) -> dict[str, object]:
    return {
        "name": lack.name,
        "message": lack_headline(lack),
        "chain": [_clause_data(clause) for clause in lack.clauses],
        "targets": [_account_data(account) for account in lack.accounts],
    }


def _account_data(account: Account) -> dict[str, object]:
    return {
        "target": account.target,
        "versions": list(account.versions),
        "source": account.source or None,
        "others": list(account.others),
        "findings": [
            {"source": f.source or None, "kind": f.kind, "message": f.words, "versions": list(f.versions)}
            for f in account.findings
        ],
        "modules": [
            {"module": m.module, "version": m.version, "python": m.python, "wanted": m.wanted} for m in account.modules
        ],
    }


def _change_data(change: Change) -> dict[str, object]:
    return {
        "kind": change.kind,
        "message": change.words,
        "file": change.file or None,
        "key": change.key or None,
        "text": change.text or None,
    }
