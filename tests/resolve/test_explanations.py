"""Explanations word for word: a small world, and beside it the text that a person reads.

``REWRITE_EXPLANATIONS=1`` in the environment writes the texts anew; read the difference before it is committed.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from tests.resolve.casefile import read_catalogue, read_index, read_rules, read_sources, read_steering, read_targets
from tests.resolve.worlds import declared
from tumpline.addresses import SourceReader
from tumpline.cli.explain_text import explanation_data, render_explanation
from tumpline.cli.wheel_request import wheel_request
from tumpline.resolve.advice import nearest_changes
from tumpline.resolve.explanation import Unresolved
from tumpline.resolve.model import Resolution
from tumpline.resolve.question import Question, check_pythons
from tumpline.resolve.resolution import resolve
from tumpline.resolve.simplify import simplified
from tumpline.resolve.trial import Trials
from tumpline.resolve.unbuilt import Unbuilt

FOLDER = Path(__file__).parent / "explanations"
CASES = sorted(FOLDER.glob("*.toml"))


def explained(path: Path) -> tuple[str, str]:
    """Return the explanation of a world, and the request for a wheel."""
    case = tomllib.loads(path.read_text("utf-8"))
    targets = tuple(read_targets(case))
    index, catalogue = read_index(case), read_catalogue(case)
    sources = read_sources(case)
    sources.builds = False

    def answer(question: Question, sources: SourceReader = sources) -> Resolution:
        check_pythons(question)
        return resolve(
            question.declared,
            question.targets,
            [catalogue if t.site.catalogue else None for t in question.targets],
            index,
            rules=question.rules,
            parity=question.parity,
            sources=sources,
            steering=question.steering,
            preferred=question.near,
            max_conflicts=case.get("conflicts", 1000),
        )

    question = Question(
        tuple(declared(*case["requires"])),
        targets,
        read_rules(case),
        case.get("parity", "prefer"),
        case.get("requires-python", ""),
        read_steering(case),
    )
    with pytest.raises(Unresolved) as caught:
        answer(question)
    trials = Trials(lambda question, _: answer(question, Unbuilt(sources)), lambda: 0.0)
    explanation = simplified(question, caught.value.explanation, trials)
    advice = nearest_changes(question, explanation, trials)
    for option in advice.options:
        assert option.changes
    rest = advice.rest if advice.rest is not None and advice.rest.lacks else explanation
    request = wheel_request(question.targets, (*rest.lacks, *rest.needs), tried=not advice.options)
    assert explanation_data(explanation, advice)["code"] == caught.value.code
    return render_explanation(question, explanation, advice, bool(request)) + "\n", "\n\n".join(request.values())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_explanation(path: Path) -> None:
    text, request = explained(path)
    texts = {path.with_suffix(".txt"): text}
    if (asked := path.with_suffix(".request.txt")).exists():
        texts[asked] = request + "\n"
    for golden, now in texts.items():
        if os.environ.get("REWRITE_EXPLANATIONS"):
            golden.write_text(now, encoding="utf-8")
        assert now == golden.read_text(encoding="utf-8")
