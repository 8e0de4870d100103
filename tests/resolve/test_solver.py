"""The search by itself, fed from plain dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from tumpline.resolve.solver import Dependency, GaveUp, Incompatibility, Solver, Unsatisfiable


class Graph:
    """Package -> version bit -> demands; package 0 is the root with version bit 2."""

    def __init__(self, demands: Mapping[int, Mapping[int, Mapping[int, int] | str]]) -> None:
        self._demands = demands
        self.conflicts = 0

    def domain(self, package: int) -> int:
        return sum(self._demands.get(package, {}))

    def links(self, package: int) -> Iterable[Incompatibility]:
        return ()

    def choose(self, package: int, possible: Mapping[int, int], decided: Mapping[int, int]) -> int:
        return 1 << (possible[package].bit_length() - 1)

    def priority(self, package: int, allowed: int) -> tuple[int, ...]:
        return (package,)

    def dependencies(self, package: int, version: int) -> list[Dependency] | str:
        demands = self._demands[package][version]
        if isinstance(demands, str):
            return demands
        return [Dependency(other, allowed, version) for other, allowed in demands.items()]

    def conflicting(self, packages: Iterable[int]) -> None:
        self.conflicts += 1


def test_the_highest_allowed_version_is_chosen() -> None:
    graph = Graph({0: {2: {1: 0b1110}}, 1: {2: {}, 4: {}, 8: {}}})
    assert Solver(graph).solve() == {0: 2, 1: 8}


def test_it_goes_back_to_the_decision_that_matters() -> None:
    # 1 and 2 are free; 3's only version wants the older 1, which nothing else forbids.
    graph = Graph({0: {2: {1: -2, 2: -2, 3: -2}}, 1: {2: {}, 4: {}}, 2: {2: {}, 4: {}}, 3: {2: {1: 2}}})
    assert Solver(graph).solve() == {0: 2, 1: 2, 2: 4, 3: 2}


def test_a_package_asked_for_by_an_abandoned_version_is_not_selected() -> None:
    graph = Graph({0: {2: {1: -2, 2: 2}}, 1: {2: {}, 4: {3: -2, 2: 4}}, 2: {2: {}, 4: {}}, 3: {2: {}}})
    assert Solver(graph).solve() == {0: 2, 1: 2, 2: 2}


def test_an_unusable_version_is_passed_over() -> None:
    graph = Graph({0: {2: {1: -2}}, 1: {2: {}, 4: "its metadata is unreadable"}})
    assert Solver(graph).solve() == {0: 2, 1: 2}


def test_the_proof_of_a_failure_leads_to_its_causes() -> None:
    graph = Graph({0: {2: {1: -2, 2: -2}}, 1: {2: {3: 2}}, 2: {2: {3: 4}}, 3: {2: {}, 4: {}}})
    with pytest.raises(Unsatisfiable) as caught:
        Solver(graph).solve()
    pending, leaves = [caught.value.incompatibility], []
    while pending:
        current = pending.pop()
        if current.cause.parents is None:
            leaves.append(current.cause.reason)
        else:
            pending += current.cause.parents
    assert {(d.package, d.allowed) for d in leaves if isinstance(d, Dependency)} >= {(3, 2), (3, 4)}


def test_a_pigeonhole_ends() -> None:
    # Eight pigeons, seven holes: package p's version h forbids hole h to every other pigeon through package 100+h.
    pigeons, holes = range(1, 9), range(7)
    demands: dict[int, dict[int, Mapping[int, int] | str]] = {0: {2: dict.fromkeys(pigeons, -2)}}
    for pigeon in pigeons:
        demands[pigeon] = {2 << hole: {100 + hole: 1 << pigeon} for hole in holes}
    for hole in holes:
        demands[100 + hole] = {1 << pigeon: {} for pigeon in pigeons}
    with pytest.raises((Unsatisfiable, GaveUp)):
        Solver(Graph(demands)).solve()


def test_a_search_is_bounded() -> None:
    demands: dict[int, dict[int, Mapping[int, int] | str]] = {0: {2: dict.fromkeys(range(1, 9), -2)}}
    for pigeon in range(1, 9):
        demands[pigeon] = {2 << hole: {100 + hole: 1 << pigeon} for hole in range(7)}
    for hole in range(7):
        demands[100 + hole] = {1 << pigeon: {} for pigeon in range(1, 9)}
    with pytest.raises(GaveUp):
        Solver(Graph(demands), max_conflicts=10).solve()
