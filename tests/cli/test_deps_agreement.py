"""``tumpline search --deps`` and real pip agree on what is there (``bench/deps_agreement.py`` asks more)."""

from __future__ import annotations

from pathlib import Path

from bench.deps_agreement import Question, questions
from replica.build import Replica


def test_pip_says_the_same(replica: Replica, tmp_path: Path) -> None:
    question = Question(replica, tmp_path)
    answers = []
    for requirements in questions(question.names, 8, seed=4):
        answers.append(question.tumpline(requirements))
        assert question.pip(requirements) == answers[-1], requirements
    assert set(answers) == {True, False}
