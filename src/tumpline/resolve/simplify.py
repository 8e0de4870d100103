"""A proof as a person would tell it: no requirement that does not matter, and all the targets on which it holds."""

from __future__ import annotations

from dataclasses import replace

from tumpline.resolve.explanation import Explanation
from tumpline.resolve.question import Question
from tumpline.resolve.trial import Trials
from tumpline.values import normalise

__all__ = ["simplified"]

_MOST_REQUIREMENTS = 8


def simplified(question: Question, explanation: Explanation, trials: Trials) -> Explanation:
    """Return what can not hold together with as few of the project's requirements as are needed for it.

    What targets lack, or have as their Python, is simple enough as it is, and what was given up is not proved.
    """
    if explanation.lacks or explanation.conflicts or explanation.excluded:
        return explanation
    question, explanation = _least(question, explanation, trials)
    return _spread(question, explanation, trials) if len(explanation.targets) == 1 else explanation


def _least(question: Question, explanation: Explanation, trials: Trials) -> tuple[Question, Explanation]:
    """Leave out one requirement after the other, as long as the rest can not hold together either."""
    names = list(dict.fromkeys(clause.name for clause in explanation.clauses if not clause.asker))
    for name in names[:_MOST_REQUIREMENTS] if len(names) > 1 else []:
        rest = tuple(each for each in question.declared if normalise(each.requirement.name) != name)
        smaller = replace(question, declared=rest)
        outcome = trials.outcome(smaller)
        if isinstance(outcome, Explanation) and not (outcome.lacks or outcome.conflicts):
            question, explanation = smaller, outcome
    return question, explanation


def _spread(question: Question, explanation: Explanation, trials: Trials) -> Explanation:
    """Name all targets on which the same can not hold together; a proof is about one of them."""
    names = []
    for target in question.targets:
        if target.name not in explanation.targets:
            outcome = trials.outcome(replace(question, targets=(target,)))
            if not isinstance(outcome, Explanation) or not _same(outcome, explanation):
                continue
        names.append(target.name)
    targets = tuple(names) if len(names) < len(question.targets) else ()
    clauses = tuple(replace(clause, targets=targets) for clause in explanation.clauses)
    return replace(explanation, targets=targets, clauses=clauses)


def _same(one: Explanation, other: Explanation) -> bool:
    def said(why: Explanation) -> set[tuple[str, str]]:
        return {(clause.asker, clause.requirement) for clause in why.clauses}

    return said(one) == said(other)
