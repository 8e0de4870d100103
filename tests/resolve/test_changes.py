"""Changes and trials: what is offered was tried, in order, within bounds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.resolve.worlds import CLUSTER, MemoryCatalogue, MemoryIndex, declared, target
from tumpline.resolve.advice import nearest_changes
from tumpline.resolve.bounds import relaxed
from tumpline.resolve.explanation import Clause, Explanation, Unresolved
from tumpline.resolve.model import Resolution, Statistics
from tumpline.resolve.question import Question
from tumpline.resolve.resolution import resolve
from tumpline.resolve.simplify import simplified
from tumpline.resolve.trial import Trials
from tumpline.values import Name


@pytest.mark.parametrize(
    ("specifier", "version", "after"),
    [
        ("==1.26.0", "1.26.4", "~=1.26.4"),
        ("===1.26.0", "1.26.4", "~=1.26.4"),
        ("~=2.0", "1.26.4", "~=1.26.4"),
        (">=2,<3", "1.26.4", ">=1.26.4,<3"),
        ("<2", "2.1", "<3"),
        (">=1,<2,!=1.5", "2.1", ">=1,<3,!=1.5"),
        (">=3,<4", "2.1", ">=2.1,<4"),
        ("!=2.1", "2.1", ""),
        ("==3", "2", "==2"),
        (">=3", "2.5+computecanada", ">=2.5"),
    ],
)
def test_a_bound_is_relaxed_as_little_as_can_be(specifier: str, version: str, after: str) -> None:
    assert relaxed(specifier, version) == after


def _failing(*requires: str, most: int = 60) -> tuple[Question, Explanation, Trials, list[Question]]:
    index, catalogue = MemoryIndex(), MemoryCatalogue()
    for number in range(6):
        catalogue.add(f"p{number}-1.0+computecanada-cp311-cp311-linux_x86_64.whl")
    asked: list[Question] = []

    def answer(question: Question, look_at_clock: Callable[[], None] = lambda: None) -> Resolution:
        asked.append(question)
        return resolve(
            question.declared, question.targets, [catalogue], index, rules=question.rules, preferred=question.near
        )

    question = Question(tuple(declared(*requires)), (target("narval", CLUSTER),), {})
    with pytest.raises(Unresolved) as caught:
        answer(question)
    asked.clear()
    return question, caught.value.explanation, Trials(answer, lambda: 0.0, most=most), asked


def test_what_is_offered_was_tried() -> None:
    question, explanation, trials, asked = _failing("p0==2.0", "p1==2.0", "p2==2.0")
    advice = nearest_changes(question, explanation, trials)
    (option,) = advice.options
    assert [change.text for change in option.changes] == ['"p0~=1.0"', '"p1~=1.0"', '"p2~=1.0"']
    wanted = {"p0~=1.0", "p1~=1.0", "p2~=1.0"}
    assert any({str(each.requirement) for each in q.declared} == wanted for q in asked)
    assert advice.tries == len(asked)
    assert advice.complete


def test_the_number_of_tries_is_bounded_and_it_is_told() -> None:
    question, explanation, trials, asked = _failing("p0==2.0", "p1==2.0", most=2)
    advice = nearest_changes(question, explanation, trials)
    assert len(asked) == 2
    assert (advice.options, advice.complete) == ((), False)


def test_the_time_is_bounded() -> None:
    question, explanation, _, asked = _failing("p0==2.0", "p1==2.0")
    trials = Trials(_never, iter(range(0, 1000, 15)).__next__, seconds=20.0)
    advice = nearest_changes(question, explanation, trials)
    assert (len(asked), advice.tries, advice.complete) == (0, 1, False)


def _never(question: Question, look_at_clock: Callable[[], None]) -> Resolution:
    raise Unresolved(Explanation())


def test_a_try_that_takes_too_long_is_ended() -> None:
    question, explanation, _, _ = _failing("p0==2.0")
    now = [0.0]

    def slow(question: Question, look_at_clock: Callable[[], None]) -> Resolution:
        while True:
            now[0] += 1
            look_at_clock()

    advice = nearest_changes(question, explanation, Trials(slow, lambda: now[0], seconds=20.0))
    assert (advice.tries, advice.complete, now[0]) == (1, False, 21.0)


def test_a_requirement_that_does_not_matter_is_not_told() -> None:
    def told(*names: str) -> Explanation:
        return Explanation(tuple(Clause("", name, Name(name)) for name in names))

    def conflict_of_p0_and_p1(question: Question, look_at_clock: Callable[[], None]) -> Resolution:
        names = {each.requirement.name for each in question.declared}
        if names >= {"p0", "p1"}:
            raise Unresolved(told(*sorted(names)))
        return Resolution((), (), (), Statistics(1, 0, 0))

    question = Question(tuple(declared("p0", "p1", "p2", "p3")), (target(),), {})
    found = simplified(question, told("p0", "p1", "p2", "p3"), Trials(conflict_of_p0_and_p1, lambda: 0.0))
    assert [clause.name for clause in found.clauses] == ["p0", "p1"]


def test_a_change_that_can_not_be_asked_about_is_none() -> None:
    from tumpline.errors import EnvironmentFailure

    question, explanation, _, _ = _failing("p0==2.0")

    def out_of_reach(question: Question, look_at_clock: Callable[[], None]) -> Resolution:
        raise EnvironmentFailure.of("index-unreachable", "no answer")

    advice = nearest_changes(question, explanation, Trials(out_of_reach, lambda: 0.0))
    assert advice.options == ()
    assert advice.rest is explanation
    assert advice.hindered == "no answer"


@pytest.mark.parametrize("holes", [5, 8])
def test_a_world_made_to_backtrack_ends_in_an_explanation(holes: int) -> None:
    # Pigeons of whom no two may sit in one hole: the proof is exponential, so that the search gives up.
    index = MemoryIndex()
    for pigeon in range(holes + 1):
        for hole in range(1, holes + 1):
            index.add(f"pigeon{pigeon}-{hole}-py3-none-any.whl", [f"hole{hole}=={pigeon}"])
    for hole in range(1, holes + 1):
        for pigeon in range(holes + 1):
            index.add(f"hole{hole}-{pigeon}-py3-none-any.whl")
    question = Question(tuple(declared(*(f"pigeon{n}" for n in range(holes + 1)))), (target(),), {})
    answer = _Answering(index, 200)
    with pytest.raises(Unresolved) as caught:
        answer(question)
    assert caught.value.code == ("search-too-long" if holes == 8 else "requirements-conflict")
    advice = nearest_changes(question, caught.value.explanation, Trials(answer, lambda: 0.0))
    assert advice.tries <= 60


class _Answering:
    def __init__(self, index: MemoryIndex, most: int) -> None:
        self._index, self._most = index, most

    def __call__(self, question: Question, look_at_clock: Callable[[], None] = lambda: None) -> Resolution:
        return resolve(question.declared, question.targets, [None], self._index, max_conflicts=self._most)
