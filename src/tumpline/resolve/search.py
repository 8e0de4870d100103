"""One search after another over the same offers: with other packages apart, and with more versions from an index."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.version import Version

from tumpline.project import Declared
from tumpline.resolve.active import MoreVersions
from tumpline.resolve.divergence import core_of
from tumpline.resolve.joint import JointProblem
from tumpline.resolve.model import Statistics
from tumpline.resolve.needs import NeedsReader
from tumpline.resolve.offers import OfferBook
from tumpline.resolve.reporter import Reporter
from tumpline.resolve.solver import GaveUp, Solver, Unsatisfiable
from tumpline.resolve.steering import Steering
from tumpline.resolve.walk import Walk
from tumpline.values import Name

if TYPE_CHECKING:
    from tumpline.resolve.explanation import Explanation

__all__ = ["Search"]


class Search:
    """The searches of one resolution.

    `walk` is what the last successful one found, `statistics` counts what all of them took.
    """

    def __init__(
        self,
        book: OfferBook,
        reader: NeedsReader,
        declared: Sequence[Declared],
        preferred: Mapping[tuple[str, Name], Version],
        steering: Steering,
        reporter: Reporter,
        max_conflicts: int,
    ) -> None:
        self._book = book
        self._reader = reader
        self._declared = declared
        self._preferred = preferred
        self._steering = steering
        self._reporter = reporter
        self._max_conflicts = max_conflicts
        self._walk: Walk | None = None
        self._failure: tuple[JointProblem, Unsatisfiable | GaveUp] | None = None
        self._searches = self._decisions = self._conflicts = 0

    @property
    def walk(self) -> Walk:
        """What the last successful search found."""
        assert self._walk is not None  # noqa: S101 - asked for after a success
        return self._walk

    @property
    def statistics(self) -> Statistics:
        """What the searches so far took together."""
        return Statistics(self._searches, self._decisions, self._conflicts)

    def attempt(self, apart: Container[Name]) -> frozenset[Name] | None:
        """Search with these names apart; return None where that succeeds, else the core of the failure (R12).

        A search that went on for too long proves nothing: its core is empty.
        """
        while True:
            self._searches += 1
            self._reporter.searching(self._searches)
            problem = JointProblem(
                self._book,
                self._reader,
                self._declared,
                preferred=self._preferred,
                apart=apart,
                steering=self._steering,
                reporter=self._reporter,
            )
            solver = Solver(problem, max_conflicts=self._max_conflicts)
            try:
                decided = solver.solve()
            except MoreVersions:
                continue
            except (Unsatisfiable, GaveUp) as answer:
                self._failure = problem, answer
                return frozenset() if isinstance(answer, GaveUp) else core_of(problem, answer.incompatibility)
            finally:
                self._decisions += solver.decisions
                self._conflicts += solver.conflicts
            self._walk = Walk(problem, self._declared, decided)
            return None

    def why_apart(self, name: Name, apart: Container[Name]) -> str:
        """Say in a line why a package may differ between targets: what fails where it may not, all else being so."""
        if self.attempt(_Without(apart, name)) is None:
            return f"kept as it was locked; one version would do: tumpline lock --upgrade {name}"
        from tumpline.resolve.report import describe_divergence

        assert self._failure is not None  # noqa: S101 - the search has just failed
        return describe_divergence(name, *self._failure)

    def explain_failure(self) -> Explanation:
        """Say why the last search that failed has no answer."""
        from tumpline.resolve.report import explain_failure

        assert self._failure is not None  # noqa: S101 - asked for after a failure
        return explain_failure(*self._failure)


class _Without:
    """The names of a container but one."""

    def __init__(self, names: Container[Name], name: Name) -> None:
        self._names, self._name = names, name

    def __contains__(self, name: object) -> bool:
        return name != self._name and name in self._names
