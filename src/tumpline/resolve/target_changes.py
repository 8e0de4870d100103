"""Which changes of targets might help: modules, another Python, another software environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tumpline.errors import InputError
from tumpline.resolve.costs import Cost
from tumpline.resolve.explanation import Account, Explanation, ModuleChoice
from tumpline.resolve.question import Move, Question, together
from tumpline.resolve.retarget import retarget
from tumpline.resolve.target import Target
from tumpline.values import parse_specifier
from tumpline.wheels.tags import admits_some

__all__ = ["environments", "load", "load_elsewhere", "modules_of", "pythons"]

_MACHINE_PYTHONS = range(9, 15)
"""Minor versions of Python 3 that a machine may be given."""


def load_elsewhere(question: Question, account: Account) -> Iterator[Move]:
    """Load a module together with a Python that it has."""
    (target,) = [target for target in question.targets if target.name == account.target]
    for step, minor in enumerate(_minors(target, question)):
        fitting = [choice for choice in account.modules if choice.python == minor and choice.wanted]
        for choice in fitting[:1]:
            for move in _made(question, [target.name], "python", Cost.PYTHON + step, python=minor):
                yield together(move, load(question, target.name, choice.module))


def load(question: Question, target: str, module: str) -> Move:
    """Load a module, in the place of another version of it."""
    (before,) = [each for each in question.targets if each.name == target]
    others = tuple(each for each in before.modules if each.partition("/")[0] != module.partition("/")[0])
    return retarget(question, [target], "load-module", Cost.MODULE, modules=(*others, module))


def modules_of(question: Question, account: Account, *, wanted: bool) -> list[ModuleChoice]:
    """Return the modules for the Python that a target has."""
    (minor,) = [target.minor for target in question.targets if target.name == account.target]
    return [choice for choice in account.modules if choice.python == minor and choice.wanted == wanted]


def _concerned(question: Question, explanation: Explanation) -> list[Target]:
    """Return the targets on which something is wrong; all where that can not be told."""
    lacks = [lack for lack in (*explanation.lacks, *explanation.needs) if not lack.unknown]
    lacking = {account.target for lack in lacks for account in lack.lacking}
    lacking |= set(explanation.targets)
    return [target for target in question.targets if not lacking or target.name in lacking]


def pythons(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Another Python: on one target, then on all that have it; the nearest first."""
    concerned = _concerned(question, explanation)
    choices = {target.name: _minors(target, question) for target in question.targets}
    for target in concerned:
        for step, minor in enumerate(choices[target.name]):
            yield from _made(question, [target.name], "python", Cost.PYTHON + step, python=minor)
    if len(question.targets) > 1:
        minors = dict.fromkeys(minor for target in concerned for minor in choices[target.name])
        for step, minor in enumerate(minors):
            others = [t.name for t in question.targets if t.minor != minor]
            if len(others) > 1 and all(minor in choices[name] for name in others):
                yield from _made(question, others, "python", Cost.PYTHON + 10 + step, python=minor)


def _minors(target: Target, question: Question) -> list[str]:
    """Return the other minor versions that a target could have, the nearest first, newer ones before older."""
    environment = target.site.environment(target.environment)
    now, asked = int(target.minor.split(".")[1]), question.requires_python
    if environment:
        fitting = [
            python for python in environment.pythons if parse_specifier(asked).contains(python, prereleases=True)
        ]
    else:
        fitting = [minor for m in _MACHINE_PYTHONS if admits_some(asked, minor := f"3.{m}")]
    minors = {int(python.split(".")[1]) for python in fitting if python.startswith("3.")}
    return [f"3.{minor}" for minor in sorted(minors - {now}, key=lambda minor: (abs(minor - now), -minor))]


def environments(question: Question, explanation: Explanation) -> Iterator[Move]:
    """Another software environment of the site, with the same Python or, where it has not that, its default."""
    for target in _concerned(question, explanation):
        for environment in target.site.environments:
            if environment.name == target.environment or not environment.layers.get(target.cpu_level):
                continue
            same = any(python.startswith(f"{target.minor}.") for python in environment.pythons)
            python = target.minor if same else ".".join(environment.default_python.split(".")[:2])
            yield from _made(
                question, [target.name], "environment", Cost.ENVIRONMENT, python=python, environment=environment.name
            )


def _made(
    question: Question, names: Sequence[str], kind: str, cost: int, *, python: str, environment: str = ""
) -> Iterable[Move]:
    """Make a move of targets, where the site knows how."""
    try:
        if kind == "python":
            return [retarget(question, names, "python", cost, python=python)]
        return [retarget(question, names, "environment", cost, python=python, environment=environment)]
    except InputError:
        return []
