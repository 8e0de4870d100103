"""Fetching ahead."""

from __future__ import annotations

import threading
import time

import pytest

from tumpline.errors import EnvironmentFailure, InputError
from tumpline.index.background import Ahead, Workers


def test_no_more_threads_than_allowed_and_none_before_the_first_task() -> None:
    workers = Workers(3)
    running: list[int] = []
    most: list[int] = []
    lock = threading.Lock()
    before = threading.active_count()

    def task() -> None:
        with lock:
            running.append(1)
            most.append(len(running))
        time.sleep(0.01)
        with lock:
            running.pop()

    tasks = [workers.submit(task) for _ in range(12)]
    for item in tasks:
        assert item is not None
        item.result()
    assert 1 < max(most) <= 3
    workers.close()
    assert threading.active_count() == before
    assert workers.submit(task) is None


def test_closing_cancels_what_has_not_begun_and_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tumpline.index.background._PATIENCE", 0.05)
    workers = Workers(1)
    begun, gate = threading.Event(), threading.Event()

    def task() -> bool:
        begun.set()
        return gate.wait(10)

    first = workers.submit(task)
    second = workers.submit(lambda: True)
    begun.wait()
    start = time.monotonic()
    workers.close()
    assert time.monotonic() - start < 5
    assert first is not None
    assert second is not None
    with pytest.raises(EnvironmentFailure) as caught:
        second.result()
    assert caught.value.code == "interrupted"
    gate.set()
    assert first.result()


def test_answers_are_remembered_and_errors_are_not() -> None:
    workers = Workers(2)
    asked: list[str] = []

    def ready(key: str) -> tuple[str | None] | None:
        if key == "bad":
            raise InputError.of("bad", "bad from the start")
        return ("at hand",) if key == "near" else None

    def fetch(key: str) -> str | None:
        asked.append(key)
        if key == "broken" and asked.count("broken") == 1:
            raise EnvironmentFailure.of("broken", "not this time")
        return None if key == "nothing" else f"fetched {key}"

    ahead = Ahead(workers, ready, fetch)
    for key in ("near", "far", "broken", "bad", "nothing", "far"):
        ahead.start(key)

    assert ahead.get("near") == "at hand"
    assert ahead.get("far") == "fetched far"
    assert ahead.get("nothing") is None
    assert ahead.get("nothing") is None
    with pytest.raises(InputError):
        ahead.get("bad")
    with pytest.raises(EnvironmentFailure):
        ahead.get("broken")
    assert ahead.get("broken") == "fetched broken"
    ahead.start("far")
    assert sorted(asked) == ["broken", "broken", "far", "nothing"]
    workers.close()
    ahead.start("late")
    assert ahead.get("late") == "fetched late"
